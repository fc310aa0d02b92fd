package quantize

import "edged/model"

// correct takes from each bias what the rounding of the weights adds to the
// channel's mean: sum over the weights of their error times the mean of what they
// meet. Source: Nagel et al., "Data-Free Quantization Through Weight Equalization
// and Bias Correction", 2019, with means that were measured.
func (q *quantiser) correct(op *model.Operator, at *weighted, w []float32, small []int8, scales []float32, bias []float32) {
	mean := q.meanOf(op.Inputs[at.data])
	if mean == nil || q.m.Code(op).Builtin == model.OpTransposeConv {
		return
	}
	c := at.channels(q.g.Tensors[op.Inputs[at.filter]])
	out := len(bias)
	shift := make([]float64, out)
	depthwise := at.axis == 3
	for i, v := range w {
		wrong := float64(small[i])*float64(scales[c.of(i, len(w))]) - float64(v)
		if depthwise {
			k := i % out
			shift[k] += wrong * mean[k*len(mean)/out%len(mean)]
		} else {
			part := len(w) / out
			shift[i/part] += wrong * mean[i%part%len(mean)]
		}
	}
	for k := range bias {
		bias[k] -= float32(shift[k])
	}
}

// meanOf is the mean of tensor t by channel, looked up through reshapes: what is
// flattened keeps its channels innermost.
func (q *quantiser) meanOf(t int32) []float64 {
	for range len(q.g.Operators) + 1 {
		if m := q.means[q.g.Tensors[t].Name]; len(m) > 0 {
			return m
		}
		op := q.made[t]
		if op == nil {
			return nil
		}
		switch q.m.Code(op).Builtin {
		case model.OpReshape, model.OpSqueeze, model.OpExpandDims:
			t = op.Inputs[0]
		default:
			return nil
		}
	}
	return nil
}
