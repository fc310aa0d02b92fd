package quantize

import (
	"math"
	"slices"

	"edged/model"
)

// rescale multiplies the channels that some operators write and divides what
// others make of them, which changes nothing but how the channels share the 256
// steps of their tensors. Source: Nagel et al., "Data-Free Quantization Through
// Weight Equalization and Bias Correction", 2019, with activations that were
// measured.
type rescale struct {
	writers, readers []int // operators
	by               []float64
}

// Factors below leastRescale are not worth it; above mostRescale they are those of
// a channel that hardly lives.
const (
	leastRescale = 2
	mostRescale  = 1e5
)

// stretch is a set of tensors whose channels can only be rescaled together: those
// between the operators with weights that write them and the ones that read them.
type stretch struct {
	tensors          []int32
	writers, readers []int
	convolved        bool // a reader is no depthwise convolution
}

// rescales finds what can be equalised in m, by what was seen of its tensors: where
// depthwise convolutions alone read, which have a scale of their own for each
// channel and take any factor for nothing. Other weights share one between their
// inputs; what activations win there, they lose.
func rescales(m *model.Model, seen map[string]*stats) (list []rescale) {
	for _, s := range stretches(m) {
		if s.convolved {
			continue
		}
		by := s.factors(m, seen)
		worth := false
		for _, f := range by {
			worth = worth || f >= leastRescale
		}
		if worth {
			list = append(list, rescale{s.writers, s.readers, by})
		}
	}
	return list
}

// stretches are found by joining what each operator ties together; those that touch
// what no factor passes through are left out.
func stretches(m *model.Model) (list []*stretch) {
	g := m.Subgraphs[0]
	joined := newGroups(len(g.Tensors))
	closed := map[int32]bool{}
	for _, t := range append(append([]int32{}, g.Inputs...), g.Outputs...) {
		closed[t] = true
	}
	for _, op := range g.Operators {
		ts := data(m, op)
		switch {
		case canRescale(m, op):
			continue
		case passes(m, op):
			for _, t := range ts {
				joined.join(ts[0], t)
			}
		default:
			for _, t := range ts {
				closed[t] = true
			}
		}
	}
	at := map[int32]*stretch{}
	for t := range g.Tensors {
		root := joined.root(int32(t))
		if !isFloat(g, int32(t)) || m.Data(g.Tensors[t]) != nil {
			continue
		}
		if at[root] == nil {
			at[root] = &stretch{}
			list = append(list, at[root])
		}
		at[root].tensors = append(at[root].tensors, int32(t))
	}
	for i, op := range g.Operators {
		if canRescale(m, op) {
			behind, before := at[joined.root(op.Outputs[0])], at[joined.root(op.Inputs[0])]
			behind.writers = append(behind.writers, i)
			before.readers = append(before.readers, i)
			before.convolved = before.convolved || m.Code(op).Builtin != model.OpDepthwiseConv2D
		}
	}
	open := list[:0]
	for _, s := range list {
		if s.open(g, closed) {
			open = append(open, s)
		}
	}
	return open
}

// data are the computed floats that op reads and writes.
func data(m *model.Model, op *model.Operator) (list []int32) {
	g := m.Subgraphs[0]
	for _, t := range append(append([]int32{}, op.Inputs...), op.Outputs...) {
		if isFloat(g, t) && m.Data(g.Tensors[t]) == nil {
			list = append(list, t)
		}
	}
	return list
}

// canRescale tells whether op's weights can take a factor for each channel on
// either side: an activation that a factor passes through, and no groups.
func canRescale(m *model.Model, op *model.Operator) bool {
	code := m.Code(op).Builtin
	if code != model.OpConv2D && code != model.OpDepthwiseConv2D || !scalable(op) {
		return false
	}
	g := m.Subgraphs[0]
	x, w := g.Tensors[op.Inputs[0]].Shape, g.Tensors[op.Inputs[1]].Shape
	if len(x) != 4 || len(w) != 4 || x[3] < 1 {
		return false
	}
	return code == model.OpConv2D && x[3] == w[3] || code == model.OpDepthwiseConv2D && w[3]%x[3] == 0
}

// passes tells whether op treats each channel by itself, so that a factor of its
// inputs is one of its output.
func passes(m *model.Model, op *model.Operator) bool {
	if !scalable(op) {
		return false
	}
	g := m.Subgraphs[0]
	switch m.Code(op).Builtin {
	case model.OpMaxPool2D, model.OpAveragePool2D, model.OpResizeBilinear, model.OpResizeNearestNeighbor, model.OpRelu, model.OpLeakyRelu:
		return true
	case model.OpAdd, model.OpSub:
		y := g.Tensors[op.Outputs[0]].Shape
		return len(data(m, op)) == 3 && slices.Equal(g.Tensors[op.Inputs[0]].Shape, y) && slices.Equal(g.Tensors[op.Inputs[1]].Shape, y)
	case model.OpPad:
		x, y := g.Tensors[op.Inputs[0]].Shape, g.Tensors[op.Outputs[0]].Shape
		return len(x) == 4 && x[3] == y[3]
	}
	return false
}

// scalable tells whether a factor passes through op's activation.
func scalable(op *model.Operator) bool {
	switch model.ActivationOf(op.Options) {
	case model.ActNone, model.ActRelu, model.ActRelu6:
		return true
	}
	return false
}

// open tells whether the stretch begins and ends at weights, with the same channels
// all along.
func (s *stretch) open(g *model.Subgraph, closed map[int32]bool) bool {
	if len(s.writers) == 0 || len(s.readers) == 0 {
		return false
	}
	first := g.Tensors[s.tensors[0]].Shape
	for _, t := range s.tensors {
		shape := g.Tensors[t].Shape
		if closed[t] || len(shape) != 4 || shape[3] != first[3] {
			return false
		}
	}
	return true
}

// factors are powers of two, so that weights are multiplied exactly; nil where too
// little was seen. None takes a channel above the largest of its tensor, so that an
// activation that ends at 6 lets all pass.
func (s *stretch) factors(m *model.Model, seen map[string]*stats) []float64 {
	g := m.Subgraphs[0]
	n := int(g.Tensors[s.tensors[0]].Shape[3])
	share := make([]float64, n) // of the steps that the channel uses, where it uses most
	for _, t := range s.tensors {
		x := seen[g.Tensors[t].Name]
		if x == nil || !x.seen || len(x.top) != n {
			return nil
		}
		most := maxOf(x.top)
		for c, top := range x.top {
			if most > 0 {
				share[c] = max(share[c], top/most)
			}
		}
	}
	by := make([]float64, n)
	for c := range by {
		if by[c] = 1; share[c] > 0 {
			by[c] = powerOfTwo(min(1/share[c], mostRescale))
		}
	}
	return by
}

func maxOf(v []float64) (most float64) {
	for _, x := range v {
		most = max(most, x)
	}
	return most
}

// powerOfTwo rounds down.
func powerOfTwo(v float64) float64 { return math.Exp2(math.Floor(math.Log2(v))) }

// equalise rescales the weights of m.
func equalise(m *model.Model, list []rescale) error {
	g := m.Subgraphs[0]
	for _, r := range list {
		n := len(r.by)
		for _, i := range r.writers {
			op := g.Operators[i]
			at := rules[m.Code(op).Builtin].weights
			c := at.channels(g.Tensors[op.Inputs[at.filter]])
			if err := multiply(m, op, at.filter, func(i, elems int) float64 { return r.by[c.of(i, elems)%n] }); err != nil {
				return err
			}
			if at.biasOf(op) >= 0 {
				if err := multiply(m, op, at.bias, func(i, _ int) float64 { return r.by[i%n] }); err != nil {
					return err
				}
			}
		}
		for _, i := range r.readers {
			op := g.Operators[i]
			of := func(i int) int { return i % n }
			if m.Code(op).Builtin == model.OpDepthwiseConv2D {
				out := int(g.Tensors[op.Inputs[1]].Shape[3])
				of = func(i int) int { return i % out * n / out }
			}
			if err := multiply(m, op, 1, func(i, _ int) float64 { return 1 / r.by[of(i)] }); err != nil {
				return err
			}
		}
	}
	return nil
}

// multiply gives op a constant of its own in the place of input k.
func multiply(m *model.Model, op *model.Operator, k int, by func(i, elems int) float64) error {
	g := m.Subgraphs[0]
	t := *g.Tensors[op.Inputs[k]]
	v, err := model.Floats(t.Type, m.Data(&t))
	if err != nil {
		return err
	}
	for i := range v {
		v[i] = float32(float64(v[i]) * by(i, len(v)))
	}
	t.Buffer = addBuffer(m, floatBytes(v))
	g.Tensors = append(g.Tensors, &t)
	op.Inputs[k] = int32(len(g.Tensors) - 1)
	return nil
}
