package quantize

import (
	"math"

	"edged/model"
)

// rescale multiplies the output channels of one operator and divides what the
// depthwise convolution behind it makes of them, which changes nothing but that
// all channels use the 256 steps that they share. Source: Nagel et al., "Data-Free
// Quantization Through Weight Equalization and Bias Correction", 2019, with
// activations that were measured.
type rescale struct {
	op, next int // operators
	by       []float64
}

// Factors below leastRescale are not worth it; above mostRescale they are those of
// a channel that hardly lives.
const (
	leastRescale = 2
	mostRescale  = 1e5
)

// rescales finds what can be equalised in m, by what was seen of its tensors.
func rescales(m *model.Model, seen map[string]*stats) (list []rescale) {
	g := m.Subgraphs[0]
	for i, op := range g.Operators {
		r := rules[m.Code(op).Builtin]
		if r.weights == nil || r.weights.whole || m.Code(op).Builtin == model.OpTransposeConv {
			continue
		}
		switch model.ActivationOf(op.Options) {
		case model.ActNone, model.ActRelu, model.ActRelu6: // a factor that keeps below 6 passes through
		default:
			continue
		}
		next := depthwiseBehind(m, op.Outputs[0])
		s := seen[g.Tensors[op.Outputs[0]].Name]
		if next < 0 || s == nil || !s.seen {
			continue
		}
		by, most := make([]float64, len(s.top)), 0.0
		for _, t := range s.top {
			most = max(most, t)
		}
		worth := false
		for c, t := range s.top {
			if by[c] = 1; t > 0 {
				by[c] = powerOfTwo(min(most/t, mostRescale))
			}
			worth = worth || by[c] >= leastRescale
		}
		if worth {
			list = append(list, rescale{i, next, by})
		}
	}
	return list
}

// powerOfTwo rounds down, so that weights are multiplied exactly.
func powerOfTwo(v float64) float64 { return math.Exp2(math.Floor(math.Log2(v))) }

// depthwiseBehind is the depthwise convolution that alone reads t, at once or
// through paddings and pools, which treat each channel by itself; -1: there is none.
func depthwiseBehind(m *model.Model, t int32) int {
	g := m.Subgraphs[0]
	for range len(g.Operators) {
		reader := -1
		for _, o := range g.Outputs {
			if o == t {
				return -1
			}
		}
		for i, op := range g.Operators {
			for _, x := range op.Inputs {
				if x == t && reader >= 0 {
					return -1
				} else if x == t {
					reader = i
				}
			}
		}
		if reader < 0 {
			return -1
		}
		op := g.Operators[reader]
		switch m.Code(op).Builtin {
		case model.OpDepthwiseConv2D:
			return reader
		case model.OpPad, model.OpMaxPool2D, model.OpAveragePool2D:
			if model.ActivationOf(op.Options) != model.ActNone {
				return -1
			}
			t = op.Outputs[0]
		default:
			return -1
		}
	}
	return -1
}

// equalise rescales the weights of m.
func equalise(m *model.Model, list []rescale) error {
	g := m.Subgraphs[0]
	for _, r := range list {
		op, next := g.Operators[r.op], g.Operators[r.next]
		at := rules[m.Code(op).Builtin].weights
		n := len(r.by)
		filter := g.Tensors[op.Inputs[at.filter]]
		c := at.channels(filter)
		if err := multiply(m, op, at.filter, func(i, elems int) float64 { return r.by[c.of(i, elems)%n] }); err != nil {
			return err
		}
		if at.biasOf(op) >= 0 {
			if err := multiply(m, op, at.bias, func(i, _ int) float64 { return r.by[i%n] }); err != nil {
				return err
			}
		}
		out := int(g.Tensors[next.Inputs[1]].Shape[3])
		if err := multiply(m, next, 1, func(i, _ int) float64 { return 1 / r.by[i%out*n/out] }); err != nil {
			return err
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
