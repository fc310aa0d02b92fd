package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"edged/model"
)

// net builds one graph, float32 or full int8, with reproducible weights.
type net struct {
	*model.Builder
	r     *rand.Rand
	int8  bool
	input model.Ref
	scale float32 // of the activations made last
	count int
}

func newNet(int8 bool, size int) *net {
	n := &net{Builder: model.NewBuilder(), r: rand.New(rand.NewPCG(1, 2)), int8: int8, scale: 1. / 128}
	t := model.TypeFloat32
	if int8 {
		t = model.TypeInt8
	}
	n.input = n.Input("input", t, 1, size, size, 3)
	if int8 {
		n.Quant(n.input, n.scale, 0)
	}
	return n
}

// weights makes a filter whose outputs keep their inputs' spread: fan is the
// number of products in one sum, axis that of the output channels.
func (n *net) weights(fan, axis int, shape ...int) (w, bias model.Ref) {
	n.count++
	size, channels := 1, shape[axis]
	for _, d := range shape {
		size *= d
	}
	if n.int8 {
		return n.quantised(fan, axis, size, channels, shape)
	}
	v := make([]float32, size)
	for i := range v {
		v[i] = float32(n.r.NormFloat64() * math.Sqrt(2/float64(fan)))
	}
	return model.Const(n.Builder, fmt.Sprintf("weights%d", n.count), shape, v),
		model.Const(n.Builder, fmt.Sprintf("bias%d", n.count), []int{channels}, make([]float32, channels))
}

// quantised is weights in int8, a scale a channel.
func (n *net) quantised(fan, axis, size, channels int, shape []int) (w, bias model.Ref) {
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
	if !n.int8 {
		return x
	}
	zero := int64(0)
	n.scale = 4. / 128
	if relu {
		zero, n.scale = -128, 4./255
	}
	return n.Quant(x, n.scale, zero)
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
	y := n.MaxPool(x, model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 2, FilterWidth: 2, StrideH: 2, StrideW: 2})
	if n.int8 {
		n.Quant(y, n.scale, -128)
	}
	return y
}
