package rewrite

import (
	"fmt"
	"strings"

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
func draw(seed uint64) *model.Model { return drawAs(seed, trait{}) }

// trait is what sets a net of the field apart from the plain ones.
type trait struct {
	hybrid bool // convolutions of floats with weights of 8 bits
	heads  bool // a second output, from a map on the way
	front  bool // planes first: the input is [1, c, h, w]
	behind bool // and so are the outputs that are maps
}

// drawAs is draw with a trait.
func drawAs(seed uint64, kind trait) *model.Model {
	types := []model.TensorType{model.TypeFloat32, model.TypeFloat32, model.TypeInt8, model.TypeUint8}
	b := newMaker(seed, model.TypeFloat32)
	b.typ = types[b.r.IntN(len(types))]
	b.whole = b.typ == model.TypeFloat32 && b.r.IntN(2) == 0
	n := &randomNet{maker: b, e: pair{1, 1}}
	allowPads := b.r.IntN(2) == 0
	n.x = b.input(9+b.r.IntN(22), 9+b.r.IntN(22), 1+b.r.IntN(3))
	var second []model.Ref
	for k := range 2 + b.r.IntN(4) {
		n.layer(allowPads)
		if kind.hybrid && k == 1 {
			n.dynamicRange()
		}
		if kind.heads && k == 1 && b.Err() == nil {
			second = []model.Ref{n.conv(n.x, 2, square(1, 1).bare())}
		}
	}
	if b.Err() == nil && b.r.IntN(3) == 0 {
		n.head()
	}
	m, err := b.Build(append([]model.Ref{n.x}, second...)...)
	if err != nil {
		return nil
	}
	if kind.front {
		planesInFront(m)
	}
	if kind.behind {
		planesBehind(m)
	}
	return m
}

// planesInFront makes the input [1, c, h, w], and turns it to where the net
// expects it, as converters of nets from PyTorch do.
func planesInFront(m *model.Model) {
	g := m.Subgraphs[0]
	was := g.Inputs[0]
	t := *g.Tensors[was]
	t.Name += "/planes"
	t.Shape = []int32{t.Shape[0], t.Shape[3], t.Shape[1], t.Shape[2]}
	if s := t.ShapeSignature; s != nil {
		t.ShapeSignature = []int32{s[0], s[3], s[1], s[2]}
	}
	g.Tensors = append(g.Tensors, &t)
	g.Inputs[0] = int32(len(g.Tensors) - 1)
	g.Operators = append([]*model.Operator{transposition(m, g.Inputs[0], was, 0, 2, 3, 1)}, g.Operators...)
}

// planesBehind turns every output that is a map to [1, c, h, w].
func planesBehind(m *model.Model) {
	g := m.Subgraphs[0]
	for i, was := range g.Outputs {
		t := *g.Tensors[was]
		if len(t.Shape) != 4 {
			continue
		}
		t.Name += "/planes"
		t.Shape = []int32{t.Shape[0], t.Shape[3], t.Shape[1], t.Shape[2]}
		g.Tensors = append(g.Tensors, &t)
		g.Outputs[i] = int32(len(g.Tensors) - 1)
		g.Operators = append(g.Operators, transposition(m, was, g.Outputs[i], 0, 3, 1, 2))
	}
}

func transposition(m *model.Model, from, to int32, perm ...int) *model.Operator {
	g := m.Subgraphs[0]
	m.Buffers = append(m.Buffers, &model.Buffer{Data: int32Bytes(perm...)})
	g.Tensors = append(g.Tensors, &model.Tensor{Name: fmt.Sprint("perm", to), Type: model.TypeInt32, Shape: []int32{4}, Buffer: uint32(len(m.Buffers) - 1)})
	return &model.Operator{OpcodeIndex: m.CodeIndex(model.OperatorCode{Builtin: model.OpTranspose, Version: 2}), Options: &model.TransposeOptions{},
		Inputs: []int32{from, int32(len(g.Tensors) - 1)}, Outputs: []int32{to}}
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
		switch {
		case len(t.Shape) != 4 || c.Data(t) != nil:
		case strings.HasSuffix(t.Name, "/planes"):
			t.Shape, t.ShapeSignature = []int32{1, t.Shape[1], 1, 1}, []int32{-1, t.Shape[1], -1, -1}
		default:
			t.Shape, t.ShapeSignature = []int32{1, 1, 1, t.Shape[3]}, []int32{-1, -1, -1, t.Shape[3]}
		}
	}
	return c
}
