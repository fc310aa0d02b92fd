package rewrite

import "slices"

// atom is an axis of a map, whatever dimension of a tensor holds it.
type atom uint8

const (
	atomY atom = iota
	atomX
	atomC
)

// layout tells how a tensor of the baseline holds a map: dims[i] are the atoms
// that dimension i runs through, slowest first. Atoms of size 1 do not appear.
type layout struct {
	val   *value
	dims  [][]atom
	block pair // the map lies split in the batch, see lift_block.go; zero: it does not
}

func (v *value) size(a atom) int {
	if a == atomC {
		return v.ch
	}
	return v.n[a]
}

// newLayout drops the atoms of size 1.
func newLayout(v *value, dims [][]atom) *layout {
	l := &layout{val: v, dims: make([][]atom, len(dims))}
	for i, d := range dims {
		for _, a := range d {
			if v.size(a) > 1 {
				l.dims[i] = append(l.dims[i], a)
			}
		}
	}
	return l
}

func nhwc() [][]atom { return [][]atom{nil, {atomY}, {atomX}, {atomC}} }

func sameDims(a, b [][]atom) bool { return slices.EqualFunc(a, b, slices.Equal[[]atom]) }

// canonical reports whether the tensor is the map itself, [1, h, w, c].
func (l *layout) canonical(shape []int32) bool {
	b := l.blockOf()
	return len(shape) == 4 && int(shape[1])*b[0] == l.val.n[0] && int(shape[2])*b[1] == l.val.n[1] && int(shape[3]) == l.val.ch &&
		sameDims(l.dims, newLayout(l.val, nhwc()).dims)
}

// sequence is the order in which the tensor's memory runs through the map.
func (l *layout) sequence() []atom { return slices.Concat(l.dims...) }

// reshape is the layout of the same memory under another shape; ok is false
// where a dimension would hold part of an axis.
func (l *layout) reshape(shape []int32) (_ *layout, ok bool) {
	rest := l.sequence()
	dims := make([][]atom, len(shape))
	for i, s := range shape {
		have := 1
		for have < int(s) && len(rest) > 0 {
			have *= l.val.size(rest[0])
			dims[i], rest = append(dims[i], rest[0]), rest[1:]
		}
		if have != int(s) {
			return nil, false
		}
	}
	return &layout{val: l.val, dims: dims}, len(rest) == 0
}

// transpose is the layout after the dimensions were permuted.
func (l *layout) transpose(perm []int) *layout {
	dims := make([][]atom, len(perm))
	for i, p := range perm {
		dims[i] = l.dims[p]
	}
	return &layout{val: l.val, dims: dims}
}

// only reports whether dimension i runs through atom a alone.
func (l *layout) only(i int, a atom) bool {
	if i < 0 || i >= len(l.dims) {
		return false
	}
	d := l.dims[i]
	if l.val.size(a) == 1 {
		return len(d) == 0 && i == len(l.dims)-1
	}
	return len(d) == 1 && d[0] == a
}
