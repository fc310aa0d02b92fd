package rewrite

import (
	"slices"

	"edged/model"
)

// Place says where a tensor lies on the input's pixels, per axis y, x.
// Element j looks at pixels j*EST - Before ... j*EST - Before + Field - 1, and
// the centre of its view is j*EST - Before + (Field-1)/2.
type Place struct {
	Tensor  int    // index in the main graph
	EST     [2]int // equivalent stride: input pixels from one element to the next
	Before  [2]int // pixels that element 0 looks at before the input begins
	Field   [2]int // receptive field, input pixels; a bound behind a decoder
	Length  [2]int // elements
	Padded  [2]bool
	Global  bool // looks at the whole input as well: Field says nothing
	Vector  bool // a single position: the head of a classifier
	Channel int
}

// OpFacts is what is known about one operator.
type OpFacts struct {
	Index int
	Op    string
	MACs  int64
	Out   *Place  // of the first output, nil where it has no grid
	EST   *[2]int // of the first output, also where only that is known of its place
}

// Analysis is a graph placed on its input. Places[i] is nil for a tensor that
// has no grid: a constant, a list, something behind an unknown operator.
type Analysis struct {
	Places  []*Place
	Ops     []OpFacts
	Outputs []*Place // as the graph's outputs, nil where an output is no grid
	Why     []string // as Outputs: why there is no grid, else empty
	Field   [2]int   // of the first output that has a grid
	Stride  [2]int
	MACs    int64
}

// Analyse places every tensor of m's main graph at the compiled size. It never
// fails: what cannot be placed stays nil.
func Analyse(m *model.Model) *Analysis {
	a := &Analysis{}
	if len(m.Subgraphs) == 0 {
		return a
	}
	g := m.Subgraphs[0]
	a.Places = make([]*Place, len(g.Tensors))
	if err := a.place(m); err != nil {
		a.Places = make([]*Place, len(g.Tensors))
		a.unplaced(g, err)
	}
	for i, op := range g.Operators {
		f := OpFacts{Index: i, Op: (&net{m: m}).opName(op), MACs: opMACs(m, g, op)}
		if len(op.Outputs) > 0 && op.Outputs[0] >= 0 && int(op.Outputs[0]) < len(a.Places) {
			f.Out = a.Places[op.Outputs[0]]
		}
		a.MACs += f.MACs
		a.Ops = append(a.Ops, f)
	}
	a.follow(m, g)
	return a
}

func (a *Analysis) place(m *model.Model) (err error) {
	defer noPanic(&err)
	n, err := lift(m)
	if err != nil {
		return err
	}
	if err := n.place(n.input.n); err != nil {
		return err
	}
	a.fill(n)
	return nil
}

func (a *Analysis) unplaced(g *model.Subgraph, err error) {
	a.Outputs, a.Why = nil, nil
	for range g.Outputs {
		a.Outputs = append(a.Outputs, nil)
		a.Why = append(a.Why, err.Error())
	}
}

func (a *Analysis) fill(n *net) {
	for t, l := range n.layouts {
		if l.blockOf() == (pair{1, 1}) { // what lies split in the batch has no places of its own
			a.Places[t] = placeOf(int(t), l.val)
		}
	}
	for _, o := range n.outputs {
		var p *Place
		why := ""
		if o.val != nil {
			p = a.Places[o.tensor]
		} else {
			why = n.suggestCut(o).Error()
		}
		a.Outputs = append(a.Outputs, p)
		a.Why = append(a.Why, why)
		if p != nil && a.Stride == [2]int{} {
			a.Field, a.Stride = p.Field, p.EST
		}
	}
}

// placeOf is nil where the map has no regular grid.
func placeOf(t int, v *value) *Place {
	p := &Place{Tensor: t, Vector: v.n == pair{1, 1}, Channel: v.ch}
	for i, g := range v.grid {
		if g.bad {
			return nil
		}
		p.EST[i], p.Before[i], p.Field[i], p.Length[i] = g.e, g.o, g.r, g.n
		p.Padded[i] = g.padded
		p.Global = p.Global || g.global
	}
	return p
}

// mostMACs is what an operator counts as at most: nothing computes more in a
// day, and the sum of a file's operators stays a number.
const mostMACs = 1 << 46

// macs multiplies a tensor's elements by the extents of a filter. Shapes that a
// file only claims may be anything: it ends at mostMACs, and an open or negative
// size counts as none.
func macs(of []int32, by ...int32) int64 {
	n := int64(1)
	for _, d := range append(slices.Clone(of), by...) {
		if d <= 0 {
			return 0
		}
		if int64(d) > mostMACs/n {
			return mostMACs
		}
		n *= int64(d)
	}
	return n
}

// opMACs counts the multiplications of a convolution or matrix operator at
// the compiled shapes; others count as none.
func opMACs(m *model.Model, g *model.Subgraph, op *model.Operator) int64 {
	shape := func(list []int32, i int) []int32 {
		if i >= len(list) || list[i] < 0 || int(list[i]) >= len(g.Tensors) {
			return nil
		}
		return g.Tensors[list[i]].Shape
	}
	f, out := shape(op.Inputs, 1), shape(op.Outputs, 0)
	switch m.Code(op).Builtin {
	case model.OpConv2D:
		if len(f) == 4 {
			return macs(out, f[1:]...)
		}
	case model.OpDepthwiseConv2D:
		if len(f) == 4 {
			return macs(out, f[1:3]...)
		}
	case model.OpTransposeConv:
		if in := shape(op.Inputs, 2); len(f) == 4 {
			return macs(in, f[:3]...)
		}
	case model.OpFullyConnected:
		if len(f) == 2 {
			return macs(out, f[1])
		}
	}
	return 0
}
