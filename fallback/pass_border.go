package fallback

import (
	"slices"
)

// border is the halo of a tensor in memory, in pixels around each of its images:
// the padding that its readers want is then there, and nobody copies the tensor.
// The step that writes the tensor fills the border in every frame, since the memory
// has other uses meanwhile.
type border struct{ top, bottom, left, right int }

// pitch says where the elements of a tensor [n, h, w, c] lie: (n, y, x, c) at
// base + n*image + y*row + x*pix + c.
type pitch struct{ base, image, row, pix int }

// pitch is where t's images of h x w x c lie.
func (t *tensor) pitch(h, w, c int) pitch {
	if t.strided() {
		r := t.root
		return r.pitch(r.shape[1], r.shape[2], r.shape[3])
	}
	b := t.border
	row := (b.left + w + b.right) * c
	return pitch{base: b.top*row + b.left*c, image: (b.top + h + b.bottom) * row, row: row, pix: c}
}

// at is the element that (y, x) of an image begins with.
func (l pitch) at(image, y, x int) int { return l.base + image*l.image + y*l.row + x*l.pix }

// edge fills the border beside rows [lo, hi) of an image with value, and the
// one above the first row and below the last.
func edge[T any](t *tensor, data []T, h, w, c, image, lo, hi int, value T) {
	b := t.border
	if b == (border{}) {
		return
	}
	l := t.pitch(h, w, c)
	from := image * l.image
	if lo == 0 {
		fill(data[from:][:b.top*l.row], value)
	}
	for y := lo; y < hi; y++ {
		row := data[from+(b.top+y)*l.row:][:l.row]
		fill(row[:b.left*c], value)
		fill(row[(b.left+w)*c:], value)
	}
	if hi == h {
		fill(data[from+(b.top+h)*l.row:][:b.bottom*l.row], value)
	}
}

// border is p as a halo; ok: nothing is cropped.
func (f padded) border() (b border, ok bool) {
	return border{f.top, f.bottom, f.left, f.right}, min(f.top, f.bottom, f.left, f.right) >= 0
}

// around is the least border that holds both.
func (b border) around(o border) border {
	return border{max(b.top, o.top), max(b.bottom, o.bottom), max(b.left, o.left), max(b.right, o.right)}
}

// borders gives tensors the halo that their readers want as padding, and drops the
// steps that copied them into one. It needs a single writer that fills borders, and
// readers that can all do with one.
func (p *plan) borders() {
	readers, writers := p.users()
	viewed := map[*tensor]bool{} // in another shape, which has no place for a border
	for _, t := range p.tensors {
		if t.root != nil {
			viewed[t.memory()] = true
		}
	}
	for _, t := range p.tensors {
		if t.index >= 0 && len(t.shape) == 4 && !t.input && !t.output && !viewed[t] && t.root == nil && len(writers[t]) == 1 && writers[t][0].can.writes.border {
			p.giveBorder(t, readers[t])
		}
	}
	p.steps = slices.DeleteFunc(p.steps, func(s step) bool { return s.pads != nil && s.pads.area == nil })
	p.settle()
}

// users lists the steps that read and write each memory.
func (p *plan) users() (readers, writers map[*tensor][]*step) {
	readers, writers = map[*tensor][]*step{}, map[*tensor][]*step{}
	for i := range p.steps {
		s := &p.steps[i]
		for _, t := range s.reads {
			readers[t.memory()] = append(readers[t.memory()], s)
		}
		for _, t := range s.writes {
			writers[t.memory()] = append(writers[t.memory()], s)
		}
	}
	return readers, writers
}

// settle lays the convolutions out as the tensors lie.
func (p *plan) settle() {
	for i := range p.steps {
		if b := p.steps[i].conv; b != nil {
			b.settle()
			p.steps[i].units, p.steps[i].reads = b.units(), b.reads()
		}
	}
}

// giveBorder sets t's border to the largest that a reader wants, if all can do with
// it.
func (p *plan) giveBorder(t *tensor, readers []*step) {
	var want border
	for _, s := range readers {
		if s.pads == nil && !slices.Contains(s.can.reads.border, t) {
			return
		}
		if s.pads != nil {
			b, ok := s.pads.s.border().border()
			if !ok {
				return
			}
			want = want.around(b)
		}
	}
	if want == (border{}) {
		return
	}
	before := t.border
	t.border = want
	bytes := int64(t.shape[0]) * int64(t.pitch(t.shape[1], t.shape[2], t.shape[3]).image) * int64(t.elem())
	if bytes > p.limit {
		t.border = before
		return
	}
	t.bytes = bytes
	for _, s := range readers {
		if s.pads != nil {
			s.pads.area = nil
		}
	}
}
