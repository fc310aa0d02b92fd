package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"edged/model"
)

// net builds one graph, float32, full int8 or full uint8, with reproducible weights.
type net struct {
	*model.Builder
	r     *rand.Rand
	typ   model.TensorType
	input model.Ref
	scale float32 // of the activations made last
	zero  int64   // likewise
	count int
}

func newNet(typ model.TensorType, size int) *net {
	n := &net{Builder: model.NewBuilder(), r: rand.New(rand.NewPCG(1, 2)), typ: typ}
	n.input = n.quant(n.Input("input", typ, 1, size, size, 3), 1./128, 0)
	return n
}

func (n *net) quantised() bool { return n.typ != model.TypeFloat32 }

// quant gives activations, unless they are floats, their scale and the zero
// point that they have in int8.
func (n *net) quant(x model.Ref, scale float32, zero int64) model.Ref {
	if !n.quantised() {
		return x
	}
	if n.typ == model.TypeUint8 {
		zero += 128
	}
	n.scale, n.zero = scale, zero
	return n.Quant(x, scale, zero)
}

// weights makes a filter whose outputs keep their inputs' spread: fan is the
// number of products in one sum, axis that of the output channels.
func (n *net) weights(fan, axis int, shape ...int) (w, bias model.Ref) {
	n.count++
	size, channels := 1, shape[axis]
	for _, d := range shape {
		size *= d
	}
	switch n.typ {
	case model.TypeInt8:
		return n.weightsInt8(fan, axis, size, channels, shape)
	case model.TypeUint8:
		return n.weightsUint8(fan, size, channels, shape)
	}
	v := make([]float32, size)
	for i := range v {
		v[i] = float32(n.r.NormFloat64() * math.Sqrt(2/float64(fan)))
	}
	return model.Const(n.Builder, fmt.Sprintf("weights%d", n.count), shape, v),
		model.Const(n.Builder, fmt.Sprintf("bias%d", n.count), []int{channels}, make([]float32, channels))
}

// weightsUint8 is weights in uint8, with one scale and one zero point.
func (n *net) weightsUint8(fan, size, channels int, shape []int) (w, bias model.Ref) {
	const zero = 131
	v := make([]uint8, size)
	for i := range v {
		v[i] = uint8(zero - 124 + n.r.IntN(249)) // as many below as above
	}
	scale := float32(math.Sqrt(6/float64(fan)) / 127)
	w = n.Quant(model.Const(n.Builder, fmt.Sprintf("weights%d", n.count), shape, v), scale, zero)
	b := model.Const(n.Builder, fmt.Sprintf("bias%d", n.count), []int{channels}, make([]int32, channels))
	return w, n.Quant(b, scale*n.scale, 0)
}

// weightsInt8 is weights in int8, a scale a channel.
func (n *net) weightsInt8(fan, axis, size, channels int, shape []int) (w, bias model.Ref) {
	v := make([]int8, size)
	for i := range v {
		v[i] = int8(n.r.IntN(255) - 127)
	}
	scales, biasScales := make([]float32, channels), make([]float32, channels)
	for i := range scales {
		scales[i] = float32(math.Sqrt(6/float64(fan))/127) * (0.8 + 0.4*n.r.Float32())
		biasScales[i] = scales[i] * n.scale
	}
	w = n.PerChannel(model.Const(n.Builder, fmt.Sprintf("weights%d", n.count), shape, v), axis, scales, make([]int64, channels))
	b := model.Const(n.Builder, fmt.Sprintf("bias%d", n.count), []int{channels}, make([]int32, channels))
	return w, n.PerChannel(b, 0, biasScales, make([]int64, channels))
}

// done gives a result its quantisation.
func (n *net) done(x model.Ref, relu bool) model.Ref {
	if relu {
		return n.quant(x, 4./255, -128)
	}
	return n.quant(x, 4./128, 0)
}

func activation(relu bool) model.Activation {
	if relu {
		return model.ActRelu
	}
	return model.ActNone
}

func (n *net) conv(x model.Ref, channels, k, stride int, p model.Padding, relu bool) model.Ref {
	in := n.Shape(x)[3]
	w, b := n.weights(k*k*in, 0, channels, k, k, in)
	return n.done(n.Conv2D(x, w, b, model.Conv2DOptions{Padding: p, StrideH: int32(stride), StrideW: int32(stride),
		DilationH: 1, DilationW: 1, Activation: activation(relu)}), relu)
}

func (n *net) depthwise(x model.Ref, stride int) model.Ref {
	in := n.Shape(x)[3]
	w, b := n.weights(9, 3, 1, 3, 3, in)
	return n.done(n.DepthwiseConv2D(x, w, b, model.DepthwiseConv2DOptions{Padding: model.PaddingSame, StrideH: int32(stride), StrideW: int32(stride),
		DepthMultiplier: 1, DilationH: 1, DilationW: 1, Activation: activation(true)}), true)
}

func (n *net) maxPool(x model.Ref) model.Ref {
	return n.quant(n.MaxPool(x, model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 2, FilterWidth: 2, StrideH: 2, StrideW: 2}), n.scale, -128)
}
