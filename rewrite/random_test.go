package rewrite

import (
	"edged/model"
)

// randomNet draws a net: windows of 1 to 5, even and odd, strides 1 to 3 that
// may differ per axis, own dilation, VALID, SAME and explicit pads,
// convolutions, depthwise, both pools, residual and dense joins, and sometimes
// a classifier's head.
type randomNet struct {
	*maker
	x model.Ref
	e pair
}

// draw makes net number seed, nil where the draw does not fit its frame.
func draw(seed uint64) *model.Model {
	types := []model.TensorType{model.TypeFloat32, model.TypeFloat32, model.TypeInt8, model.TypeUint8}
	b := newMaker(seed, model.TypeFloat32)
	b.typ = types[b.r.IntN(len(types))]
	b.whole = b.typ == model.TypeFloat32 && b.r.IntN(2) == 0
	n := &randomNet{maker: b, e: pair{1, 1}}
	allowPads := b.r.IntN(2) == 0
	n.x = b.input(9+b.r.IntN(22), 9+b.r.IntN(22), 1+b.r.IntN(3))
	for range 2 + b.r.IntN(4) {
		n.layer(allowPads)
	}
	if b.Err() == nil && b.r.IntN(3) == 0 {
		n.head()
	}
	m, err := b.Build(n.x)
	if err != nil {
		return nil
	}
	return m
}

func (n *randomNet) window(allowPads bool) win {
	w := win{k: pair{1 + n.r.IntN(4), 1 + n.r.IntN(4)}, s: pair{1, 1}, d: pair{1, 1}, pad: model.PaddingValid, act: model.Activation(n.r.IntN(2))}
	for i := range w.s {
		if n.r.IntN(2) == 0 && n.e[i] < 5 {
			w.s[i] = 1 + n.r.IntN(3)
		}
	}
	if w.s == (pair{1, 1}) && n.r.IntN(4) == 0 {
		w.d = pair{1 + n.r.IntN(2), 1 + n.r.IntN(2)}
	}
	if allowPads && n.r.IntN(2) == 0 {
		w.pad = model.PaddingSame
	}
	return w
}

func (n *randomNet) note(w win) {
	n.e[0], n.e[1] = n.e[0]*w.s[0], n.e[1]*w.s[1]
}

// layer adds one random layer that still fits, or none.
func (n *randomNet) layer(allowPads bool) {
	w := n.window(allowPads)
	s := n.Shape(n.x)
	if len(s) != 4 {
		return
	}
	if w.pad == model.PaddingValid {
		for i := range w.k {
			w.k[i] = min(w.k[i], s[1+i])
			if (w.k[i]-1)*w.d[i]+1 > s[1+i] {
				w.d[i] = 1
			}
		}
	}
	if s[1] < 3 || s[2] < 3 {
		w.s = pair{1, 1}
	}
	switch n.r.IntN(8) {
	case 0, 1:
		n.x = n.conv(n.x, 1+n.r.IntN(5), w)
	case 2:
		n.x = n.depthwise(n.x, 1+n.r.IntN(2), w)
	case 3:
		w.d = pair{1, 1}
		n.x = n.maxPool(n.x, w)
	case 4:
		w.d = pair{1, 1}
		if n.whole {
			n.x = n.maxPool(n.x, w)
		} else {
			n.x = n.avgPool(n.x, w)
		}
	case 5:
		n.join(w)
	case 6:
		n.explicitPad(allowPads, w)
	case 7:
		n.subsample(&w)
	}
	n.note(w)
}

// join is a residual unit or a dense one: two branches of equal stride whose
// shortcut is a strided 1x1 convolution.
func (n *randomNet) join(w win) {
	out := 1 + n.r.IntN(4)
	main := n.conv(n.x, out, w)
	short := win{k: pair{1, 1}, s: w.s, d: pair{1, 1}, pad: w.pad, act: model.ActNone}
	side := n.conv(n.x, out, short)
	a, b := n.Shape(main), n.Shape(side)
	if len(a) != 4 || len(b) != 4 {
		return
	}
	if a[1] != b[1] || a[2] != b[2] {
		side = n.Slice(side, []int{0, 0, 0, 0}, []int{1, a[1], a[2], out})
	}
	if n.r.IntN(2) == 0 {
		n.x = n.add(main, side)
		return
	}
	if n.quantised() {
		n.x = n.add(main, side)
		return
	}
	n.x = n.Concat(3, main, side)
}

func (n *randomNet) explicitPad(allowPads bool, w win) {
	if allowPads {
		n.x = n.Pad(n.x, [2]int{}, [2]int{n.r.IntN(2), n.r.IntN(3)}, [2]int{n.r.IntN(3), n.r.IntN(2)}, [2]int{})
	}
	w.pad = model.PaddingValid
	n.x = n.conv(n.x, 1+n.r.IntN(4), w)
}

// subsample takes every s-th element by a strided slice.
func (n *randomNet) subsample(w *win) {
	s := n.Shape(n.x)
	begin := pair{n.r.IntN(2), n.r.IntN(2)}
	for i := range begin {
		begin[i] = min(begin[i], s[1+i]-1)
	}
	w.pad = model.PaddingValid
	n.x = n.StridedSlice(n.x, []int{0, begin[0], begin[1], 0}, []int{1, s[1], s[2], s[3]}, []int{1, w.s[0], w.s[1], 1}, model.StridedSliceOptions{BeginMask: 9, EndMask: 9})
}

func (n *randomNet) head() {
	s := n.Shape(n.x)
	if len(s) != 4 || s[1]*s[2] > 36 {
		return
	}
	switch n.r.IntN(3) {
	case 0:
		n.x = n.fc(n.Reshape(n.x, 1, s[1]*s[2]*s[3]), 1+n.r.IntN(4))
	case 1:
		if n.whole {
			return
		}
		n.x = n.fc(n.Mean(n.x, false, 1, 2), 1+n.r.IntN(4))
	case 2:
		if n.whole {
			return
		}
		n.x = n.fc(n.Reshape(n.Mean(n.x, true, 1, 2), 1, s[3]), 1+n.r.IntN(4))
	}
}

// opened is m as a converter writes a net whose size is open: the input's shape
// is a place-holder, and so are all that follow from it.
func opened(m *model.Model) *model.Model {
	c := m.Clone()
	g := c.Subgraphs[0]
	for _, t := range g.Tensors {
		if len(t.Shape) == 4 && c.Data(t) == nil {
			t.Shape, t.ShapeSignature = []int32{1, 1, 1, t.Shape[3]}, []int32{-1, -1, -1, t.Shape[3]}
		}
	}
	return c
}
