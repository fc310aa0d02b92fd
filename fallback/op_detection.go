package fallback

import (
	"errors"
	"math"

	"edged"
	"edged/model"
)

// errBoxes fails a frame whose anchors or sizes give boxes inside out, or that are
// no numbers.
var errBoxes = errors.New("go engine: TFLite_Detection_PostProcess: a box whose end lies before its beginning")

// detection is one TFLite_Detection_PostProcess, with memory for a frame.
type detection struct {
	model.DetectionOptions
	boxes, classes int // classes: with a background
	encoding       int // values of one box
	in             [3]*tensor

	decoded, scores            *tensor // corners of every box; scores, where they are stored as bytes
	class, kept, order, active *tensor // of one class: scores, places above the threshold, their order
	best, chosen, pool, merged *tensor
	values                     *tensor   // scores of those kept
	areas                      []*tensor // all of them
}

// planDetection plans TFLite_Detection_PostProcess: box encodings, class scores,
// anchors, in floats or uint8.
func planDetection(c *opContext) error {
	o, err := model.DetectionOptionsOf(c.n.op)
	if err != nil {
		return c.malformed("%v", err)
	}
	box, class, anchors := c.in[0].shape, c.in[1].shape, c.in[2].shape
	if len(box) != 3 || len(class) != 3 || len(anchors) != 2 || box[0] != 1 || class[0] != 1 || box[1] != class[1] || anchors[0] != box[1] ||
		box[2] < 4 || anchors[1] != 4 || class[2] < o.Classes || class[2] > o.Classes+1 || box[1] < 1 {
		return c.malformed("boxes %v, scores %v of %d classes, anchors %v", box, class, o.Classes, anchors)
	}
	if !isType(model.TypeFloat32, c.out...) || c.in[0].typ != c.in[2].typ {
		return c.types()
	}
	for _, t := range c.in {
		if t.typ == model.TypeUint8 {
			if err := c.scaled(t); err != nil {
				return err
			}
		} else if t.typ != model.TypeFloat32 {
			return c.types()
		}
	}
	n := o.MaxDetections * o.MaxClasses
	for i, shape := range [][]int{{1, n, 4}, {1, n}, {1, n}, {1}} {
		if err := c.shape(i, shape...); err != nil {
			return err
		}
	}
	d := &detection{DetectionOptions: o, boxes: box[1], classes: class[2], encoding: box[2], in: [3]*tensor(c.in)}
	if err := d.claim(c); err != nil {
		return err
	}
	c.emit("detections", 1, 32*d.boxes*d.classes, c.in, func(w *worker, _, _ int) {
		if err := d.run(c.out); err != nil {
			w.err = err
		}
	})
	return nil
}

// claim takes the memory of a frame.
func (d *detection) claim(c *opContext) error {
	pool := d.boxes + d.MaxDetections
	for _, a := range []struct {
		t     **tensor
		bytes int
	}{{&d.decoded, 16 * d.boxes}, {&d.scores, 4 * d.boxes * d.classes}, {&d.class, 4 * d.boxes}, {&d.kept, 4 * d.boxes},
		{&d.order, 4 * d.boxes}, {&d.active, d.boxes}, {&d.best, 4 * d.boxes * d.Classes}, {&d.chosen, 4 * d.boxes},
		{&d.pool, 4 * pool}, {&d.merged, 4 * pool}, {&d.values, 4 * d.boxes}} {
		var err error
		if *a.t, err = c.private(a.bytes); err != nil {
			return err
		}
		d.areas = append(d.areas, *a.t)
	}
	return nil
}

// run computes one frame.
func (d *detection) run(out []*tensor) error {
	for _, t := range d.areas {
		if t.data == nil { // of constants, before there is memory
			t.data = aligned(t.bytes)
		}
	}
	if !d.decode() {
		return errBoxes
	}
	for _, t := range out {
		clear(t.data)
	}
	r := results{edged.View[corners](out[0].data), out[1].f32(), out[2].f32()}
	n := 0
	if d.Regular {
		n = d.regular(&r)
	} else {
		n = d.fast(&r)
	}
	out[3].f32()[0] = float32(n)
	return nil
}

type results struct {
	boxes           []corners
	classes, scores []float32
}

// real reads element i of an input.
func (d *detection) real(input, i int) float32 {
	t := d.in[input]
	if t.typ == model.TypeFloat32 {
		return t.f32()[i]
	}
	return (float32(t.data[i]) - float32(t.quant.zero0())) * t.quant.scale[0]
}

// decode makes corners of encodings relative to anchors, in float64 as TFLite
// does, and reads the scores.
func (d *detection) decode() bool {
	boxes := edged.View[corners](d.decoded.data)[:d.boxes]
	for i := range boxes {
		at := func(input, width, k int) float64 { return float64(d.real(input, i*width+k)) }
		y, x := at(0, d.encoding, 0)/float64(d.ScaleY), at(0, d.encoding, 1)/float64(d.ScaleX)
		h, w := math.Exp(at(0, d.encoding, 2)/float64(d.ScaleH)), math.Exp(at(0, d.encoding, 3)/float64(d.ScaleW))
		high, wide := at(2, 4, 2), at(2, 4, 3)
		cy, cx := float32(float64(y*high)+at(2, 4, 0)), float32(float64(x*wide)+at(2, 4, 1))
		hh, hw := float32(0.5*h*high), float32(0.5*w*wide)
		boxes[i] = corners{cy - hh, cx - hw, cy + hh, cx + hw}
		if boxes[i].y1 > boxes[i].y2 || boxes[i].x1 > boxes[i].x2 {
			return false
		}
	}
	scores := d.scores.f32()[:d.boxes*d.classes]
	for i := range scores {
		scores[i] = d.real(1, i)
	}
	return true
}

// of is the first n values of one of the areas.
func of[T any](t *tensor, n int) []T { return edged.View[T](t.data)[:n] }

// single chooses boxes of one class, the best first, at most so many.
func (d *detection) single(scores []float32, most int) []int32 {
	kept := of[int32](d.kept, d.boxes)[:0]
	for i, v := range scores {
		if v >= d.ScoreThreshold {
			kept = append(kept, int32(i))
		}
	}
	order := of[int32](d.order, len(kept))
	values := of[float32](d.values, len(kept))
	for i, k := range kept {
		values[i] = scores[k]
	}
	(&best[float32]{values, order}).run()
	active := of[byte](d.active, len(kept))
	fill(active, 1)
	boxes := of[corners](d.decoded, d.boxes)
	chosen := of[int32](d.chosen, d.boxes)[:0]
	for i, k := range order {
		if len(chosen) >= most {
			break
		}
		if active[i] == 0 {
			continue
		}
		chosen = append(chosen, kept[k])
		for j := i + 1; j < len(order); j++ {
			if active[j] == 1 && boxes[kept[k]].overlap(boxes[kept[order[j]]]) > d.IoUThreshold {
				active[j] = 0
			}
		}
	}
	return chosen
}

// greatest puts the places of the k greatest values in front, in the order in
// which TFLite's sort leaves equal ones.
func greatest(places []int32, values []float32, k int) {
	for i := range places {
		places[i] = int32(i)
	}
	if k == 1 {
		for i, v := range values {
			if v > values[places[0]] {
				places[0] = int32(i)
			}
		}
		return
	}
	(&heap[int32]{places, func(a, b int32) bool { return values[a] > values[b] }}).partialSort(k)
}

// fast suppresses by each box's best class, and gives each box its best classes.
func (d *detection) fast(r *results) int {
	background, n := d.classes-d.Classes, min(d.MaxClasses, d.Classes)
	scores, top := of[float32](d.scores, d.boxes*d.classes), of[float32](d.class, d.boxes)
	row := func(i int) ([]float32, []int32) {
		return scores[i*d.classes+background:][:d.Classes], of[int32](d.best, d.boxes*d.Classes)[i*d.Classes:][:d.Classes]
	}
	for i := range top {
		values, places := row(i)
		greatest(places, values, n)
		top[i] = values[places[0]]
	}
	chosen := d.single(top, d.MaxDetections)
	for k, i := range chosen {
		values, places := row(int(i))
		for m, class := range places[:n] {
			at := k*d.MaxClasses + m
			r.boxes[at] = of[corners](d.decoded, d.boxes)[i]
			r.classes[at], r.scores[at] = float32(class), values[class]
		}
	}
	return len(chosen)
}

// regular suppresses class by class, and keeps the best of all that is left.
func (d *detection) regular(r *results) int {
	background, size := d.classes-d.Classes, d.boxes+d.MaxDetections
	scores, class := of[float32](d.scores, d.boxes*d.classes), of[float32](d.class, d.boxes)
	pool, merged := of[int32](d.pool, size), of[int32](d.merged, size)
	n := 0
	for col := background; col < d.classes; col++ {
		for i := range class {
			class[i] = scores[i*d.classes+col]
		}
		chosen := d.single(class, min(d.PerClass, d.MaxDetections))
		for i := range chosen {
			chosen[i] = chosen[i]*int32(d.classes) + int32(col)
		}
		n = min(mergeBest(merged, pool[:n], chosen, scores), d.MaxDetections)
		copy(pool, merged[:n])
	}
	for i, p := range pool[:n] {
		box := int(p) / d.classes
		r.boxes[i] = of[corners](d.decoded, d.boxes)[box]
		r.classes[i], r.scores[i] = float32(int(p)%d.classes-background), scores[p]
	}
	return n
}

// mergeBest merges two lists of places, each with the greatest score first. Of
// equal scores that of the second list, the later class, comes first, as in TFLite.
func mergeBest(dst, first, second []int32, scores []float32) int {
	n := 0
	for ; len(first) > 0 || len(second) > 0; n++ {
		if len(first) == 0 || len(second) > 0 && scores[second[0]] >= scores[first[0]] {
			dst[n], second = second[0], second[1:]
		} else {
			dst[n], first = first[0], first[1:]
		}
	}
	return n
}
