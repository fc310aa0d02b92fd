package enginetest

import (
	"slices"

	"edged/model"
)

// window is the geometry that convolutions and pools share.
type window struct {
	shape            []int32 // of the input
	kh, kw, sh, sw   int32
	dh, dw           int32
	padding          model.Padding
	outputH, outputW int32
}

// window draws a geometry whose output is not empty.
func (g *graph) window(maxDilation int32) window {
	w := window{
		shape: g.image(), kh: g.between(1, 5), kw: g.between(1, 5),
		sh: pick[int32](g, 1, 1, 2, 3), sw: pick[int32](g, 1, 1, 2, 3), dh: 1, dw: 1,
	}
	if g.chance(0.4) {
		w.dh, w.dw = g.between(1, maxDilation), g.between(1, maxDilation)
	}
	if w.span(1) > w.shape[1] || w.span(2) > w.shape[2] || g.chance(0.5) {
		w.padding = model.PaddingSame
	} else {
		w.padding = model.PaddingValid
	}
	w.outputH, w.outputW = w.output(1, w.sh), w.output(2, w.sw)
	return w
}

// span is how many input positions the window covers on an axis.
func (w window) span(axis int) int32 {
	if axis == 1 {
		return (w.kh-1)*w.dh + 1
	}
	return (w.kw-1)*w.dw + 1
}

func (w window) output(axis int, stride int32) int32 {
	if w.padding == model.PaddingSame {
		return (w.shape[axis] + stride - 1) / stride
	}
	return (w.shape[axis]-w.span(axis))/stride + 1
}

func (g *graph) activation() model.Activation {
	return pick(g, model.ActNone, model.ActNone, model.ActRelu, model.ActRelu6, model.ActReluN1To1)
}

func genConv2D(g *graph) {
	w := g.window(3)
	out, in := g.channels(), w.shape[3]
	x := g.input(w.shape)
	g.terms = int(w.kh*w.kw*in) + 1
	weights, scales := g.weights([]int32{out, w.kh, w.kw, in}, 0)
	inputs := []int32{x, weights, g.bias(out, x, scales)}
	g.op(model.OpConv2D, &model.Conv2DOptions{
		Padding: w.padding, StrideH: w.sh, StrideW: w.sw, DilationH: w.dh, DilationW: w.dw, Activation: g.activation(),
	}, inputs, g.accumulated(x, scales))
}

func genDepthwise(g *graph) {
	w := g.window(3)
	multiplier := pick[int32](g, 1, 1, 1, 2, 3)
	out := w.shape[3] * multiplier
	x := g.input(w.shape)
	g.terms = int(w.kh*w.kw) + 1
	weights, scales := g.weights([]int32{1, w.kh, w.kw, out}, 3)
	inputs := []int32{x, weights, g.bias(out, x, scales)}
	g.op(model.OpDepthwiseConv2D, &model.DepthwiseConv2DOptions{
		Padding: w.padding, StrideH: w.sh, StrideW: w.sw, DilationH: w.dh, DilationW: w.dw,
		DepthMultiplier: multiplier, Activation: g.activation(),
	}, inputs, g.accumulated(x, scales))
}

func genTransposeConv(g *graph) {
	w := g.window(1)
	w.dh, w.dw = 1, 1
	out := g.channels()
	h, wide := w.shape[1]*w.sh, w.shape[2]*w.sw
	if w.padding == model.PaddingValid {
		h, wide = (w.shape[1]-1)*w.sh+w.kh, (w.shape[2]-1)*w.sw+w.kw
	}
	size := g.ints(w.shape[0], h, wide, out)
	g.terms = int(w.kh*w.kw*w.shape[3]) + 1
	weights, scales := g.weights([]int32{out, w.kh, w.kw, w.shape[3]}, 0)
	x := g.input(w.shape)
	inputs := []int32{size, weights, x}
	if g.chance(0.6) {
		inputs = append(inputs, g.bias(out, x, scales))
	}
	g.op(model.OpTransposeConv, &model.TransposeConvOptions{Padding: w.padding, StrideH: w.sh, StrideW: w.sw},
		inputs, g.accumulated(x, scales))
}

func genFullyConnected(g *graph) {
	in, out := g.channels()*g.between(1, 4), g.channels()
	shape, keep := []int32{g.between(1, 9), in}, false
	if g.chance(0.4) {
		shape, keep = []int32{g.between(1, 3), g.between(1, 5), in}, g.chance(0.5)
	}
	x := g.input(shape)
	g.terms = int(in) + 1
	weights, scales := g.weights([]int32{out, in}, 0)
	bias := int32(-1)
	if g.chance(0.8) {
		bias = g.bias(out, x, scales)
	}
	options := &model.FullyConnectedOptions{Activation: g.activation(), KeepNumDims: keep}
	if g.kind.form == hybrid && g.chance(0.5) {
		options.AsymmetricQuantizeInputs = true
	}
	g.op(model.OpFullyConnected, options, []int32{x, weights, bias}, g.accumulated(x, scales))
}

func genPool(code model.BuiltinOperator) func(*graph) {
	return func(g *graph) {
		w := g.window(1)
		g.terms = int(w.kh*w.kw) + 1
		x := g.input(w.shape)
		g.op(code, &model.Pool2DOptions{
			Padding: w.padding, StrideH: w.sh, StrideW: w.sw, FilterHeight: w.kh, FilterWidth: w.kw, Activation: g.activation(),
		}, []int32{x}, g.like(x))
	}
}

// genBatchMatMul draws attention's products: both operands computed, the right
// one now and then constant. With dynamic range TFLite 2.9 reads memory that
// nobody wrote: fallback compares that with FULLY_CONNECTED.
func genBatchMatMul(g *graph) {
	batch := g.shape(0, 2)
	rows, inner, cols := g.between(1, 20), g.channels(), g.channels()
	o := &model.BatchMatMulOptions{AdjX: g.chance(0.4), AdjY: g.chance(0.4)}
	sa, sb := []int32{rows, inner}, []int32{inner, cols}
	if o.AdjX {
		sa = []int32{inner, rows}
	}
	if o.AdjY {
		sb = []int32{cols, inner}
	}
	g.terms = int(inner) + 1
	other := slices.Clone(batch)
	for i := range other {
		if g.chance(0.25) {
			other[i] = 1
		} else if g.chance(0.25) {
			batch[i] = 1
		}
	}
	x := g.input(append(batch, sa...))
	q := g.quant()
	y := g.operand(append(other, sb...), q, -2, 2)
	g.op(model.OpBatchMatMul, o, []int32{x, y}, g.accumulated(x, []float32{scaleOf(q)}))
}
