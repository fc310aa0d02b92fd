package fallback

import (
	"math"
	"unsafe"

	"edged"
	"edged/model"
)

// corners are two opposite corners of a box.
type corners struct{ y1, x1, y2, x2 float32 }

// upright orders the corners.
func (b corners) upright() corners {
	return corners{min(b.y1, b.y2), min(b.x1, b.x2), max(b.y1, b.y2), max(b.x1, b.x2)}
}

func (b corners) area() float32 { return float32((b.y2 - b.y1) * (b.x2 - b.x1)) }

// overlap is the area that two upright boxes share over the area that they cover;
// 0 where one of them has none.
func (b corners) overlap(o corners) float32 {
	area, other := b.area(), o.area()
	if area <= 0 || other <= 0 {
		return 0
	}
	h, w := max(min(b.y2, o.y2)-max(b.y1, o.y1), 0), max(min(b.x2, o.x2)-max(b.x1, o.x1), 0)
	shared := float32(h * w) // rounded on every processor: none may fuse it with the sum
	return shared / (area + other - shared)
}

// candidate is a box that may be chosen: those chosen before begin have had their
// say about it.
type candidate struct {
	index, begin int32
	score        float32
}

// suppression is NON_MAX_SUPPRESSION_V4 and _V5 on one frame's numbers.
type suppression struct {
	boxes                []corners
	scores               []float32
	iou, threshold, soft float32
	queue                heap[candidate]
}

// planSuppression plans NON_MAX_SUPPRESSION_V4: boxes [n,4], scores [n], how many
// at most, the overlap and the score beyond which; V5: and the sigma by which
// overlapping boxes lose score. Places that are not taken are 0.
func planSuppression(c *opContext) error {
	most, err := c.ints(2)
	if err != nil {
		return err
	}
	boxes, scores := c.in[0], c.in[1]
	if len(most) != 1 || most[0] < 0 || len(boxes.shape) != 2 || boxes.shape[1] != 4 || len(scores.shape) != 1 || scores.shape[0] != boxes.shape[0] {
		return c.malformed("at most %v of boxes %v with scores %v", most, boxes.shape, scores.shape)
	}
	parameters := append([]*tensor{}, c.in[3:]...)
	for _, t := range append([]*tensor{boxes, scores}, parameters...) {
		if t.typ != model.TypeFloat32 {
			return c.types()
		}
	}
	for _, t := range parameters {
		if t.elems() != 1 {
			return c.malformed("a parameter of %d values", t.elems())
		}
	}
	chosen, count := c.out[0], c.out[len(c.out)-1]
	if chosen.typ != model.TypeInt32 || count.typ != model.TypeInt32 || len(c.out) == 3 && c.out[1].typ != model.TypeFloat32 {
		return c.types()
	}
	for i := range c.out {
		shape := []int{most[0]}
		if i == len(c.out)-1 {
			shape = nil
		}
		if err := c.shape(i, shape...); err != nil {
			return err
		}
	}
	n := scores.elems()
	area, err := c.private(n * int(unsafe.Sizeof(candidate{})))
	if err != nil {
		return err
	}
	c.emit("non-max suppression", 1, 64*n, append([]*tensor{boxes, scores}, parameters...), func(w *worker, _, _ int) {
		s := suppression{boxes: edged.View[corners](boxes.data), scores: scores.f32(), iou: parameters[0].f32()[0], threshold: parameters[1].f32()[0]}
		var soft []float32
		if len(parameters) == 3 {
			s.soft, soft = parameters[2].f32()[0], c.out[1].f32()
			clear(soft)
		}
		s.queue = heap[candidate]{v: part[candidate](area, w, n)[:0], less: lowerScore}
		clear(chosen.i32())
		count.i32()[0] = int32(s.run(chosen.i32(), soft))
	})
	return nil
}

func lowerScore(a, b candidate) bool { return a.score < b.score }

// run chooses boxes, the best first, and says how many.
func (s *suppression) run(chosen []int32, soft []float32) int {
	for i, v := range s.scores {
		if v > s.threshold {
			s.queue.push(candidate{index: int32(i), score: v})
		}
	}
	n, most := 0, min(len(s.queue.v), len(chosen))
	for n < most && len(s.queue.v) > 0 {
		next := s.queue.pop()
		was := next.score
		if s.suppressed(&next, chosen[:n]) {
			continue
		}
		next.begin = int32(n)
		if next.score == was {
			chosen[n] = next.index
			if soft != nil {
				soft[n] = was
			}
			n++
		}
		if next.score > s.threshold {
			s.queue.push(next)
		}
	}
	return n
}

// suppressed lowers the candidate's score by the boxes chosen since it was looked
// at, or says that one of them takes its place.
func (s *suppression) suppressed(next *candidate, chosen []int32) bool {
	box := s.boxes[next.index].upright()
	for j := len(chosen) - 1; j >= int(next.begin); j-- {
		iou := box.overlap(s.boxes[chosen[j]].upright())
		if iou >= s.iou {
			return true
		}
		if s.soft > 0 {
			scale := -0.5 / s.soft
			next.score *= float32(math.Exp(float64(scale * iou * iou)))
		}
		if next.score <= s.threshold {
			return false
		}
	}
	return false
}
