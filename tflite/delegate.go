package tflite

import (
	"slices"

	"edged/model"
)

// fixPadding works around a fault of the packaged XNNPACK: a CONV_2D or
// DEPTHWISE_CONV_2D with SAME padding whose windows do not reach the input's
// last position (span < stride, as k=2 s=3 on 6) needs a negative amount of
// padding, which XNNPACK computes without a sign. It then reads padding alone
// and returns wrong values without an error. Such an operator pads nothing, so
// on both axes VALID means the same. It tells whether m was changed.
//
// Where one axis pads and the other needs a negative amount, no option says the
// same: refused then names the operator, and XNNPACK must not run the graph.
func fixPadding(m *model.Model) (changed bool, refused string) {
	for s, sg := range m.Subgraphs {
		for i, op := range sg.Operators {
			w, ok := convolution(m, sg, op)
			if !ok || w.Padding != model.PaddingSame {
				continue
			}
			in := sg.Tensors[op.Inputs[0]].Shape
			h, wide := w.SameTotal(0, int64(in[1])), w.SameTotal(1, int64(in[2]))
			switch {
			case h >= 0 && wide >= 0:
			case h <= 0 && wide <= 0:
				w.Padding = model.PaddingValid
				w.Set(op)
				changed = true
			default:
				return false, place(m, s) + operatorName(m, op, i)
			}
		}
	}
	return changed, ""
}

// unread finds an operator whose results nothing reads. The packaged XNNPACK
// follows a null pointer in some graphs with one, so it gets none of them.
func unread(m *model.Model) string {
	sg := m.Subgraphs[0]
	read := make([]bool, len(sg.Tensors))
	for _, y := range sg.Outputs {
		read[y] = true
	}
	for _, op := range sg.Operators {
		for _, x := range op.Inputs {
			if x >= 0 {
				read[x] = true
			}
		}
	}
	for i, op := range sg.Operators {
		if !slices.ContainsFunc(op.Outputs, func(y int32) bool { return read[y] }) {
			return operatorName(m, op, i)
		}
	}
	return ""
}

// oneSlope finds a PRELU with a single slope for several channels. The packaged
// XNNPACK takes it and reads as many slopes as there are channels, beyond the
// constant's end: other values in every run.
func oneSlope(m *model.Model) string {
	sg := m.Subgraphs[0]
	for i, op := range sg.Operators {
		if m.Code(op).Builtin != model.OpPrelu || len(op.Inputs) < 2 || op.Inputs[0] < 0 || op.Inputs[1] < 0 {
			continue
		}
		x, slope := sg.Tensors[op.Inputs[0]].Shape, sg.Tensors[op.Inputs[1]].Shape
		if len(x) > 0 && (len(slope) == 0 || slope[len(slope)-1] != x[len(x)-1]) {
			return operatorName(m, op, i)
		}
	}
	return ""
}

// shortWindows tells whether some input size brings fixPadding's case about.
func shortWindows(m *model.Model) bool {
	for _, sg := range m.Subgraphs {
		for _, op := range sg.Operators {
			w, ok := convolution(m, sg, op)
			if ok && w.Padding == model.PaddingSame && (w.Span(0) < int64(w.Stride[0]) || w.Span(1) < int64(w.Stride[1])) {
				return true
			}
		}
	}
	return false
}

// convolution is the window of an operator that XNNPACK pads itself.
func convolution(m *model.Model, sg *model.Subgraph, op *model.Operator) (model.Window, bool) {
	w, ok := model.WindowOf(m, sg, op)
	if !ok || w.Pool || len(op.Inputs) < 2 || op.Inputs[0] < 0 || op.Inputs[1] < 0 {
		return w, false
	}
	xt, wt := sg.Tensors[op.Inputs[0]], sg.Tensors[op.Inputs[1]]
	if xt.Type == model.TypeUint8 || xt.Type == model.TypeFloat32 && wt.Type == model.TypeInt8 {
		return w, false // stays with the builtin kernels
	}
	return w, len(xt.Shape) == 4 && len(wt.Shape) == 4 && min(w.Stride[0], w.Stride[1]) >= 1
}
