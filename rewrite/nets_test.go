package rewrite

import (
	"fmt"
	"math"
	"math/rand/v2"

	"edged/model"
)

// maker builds nets for tests: float32 or integer, random or whole weights.
type maker struct {
	*model.Builder
	r     *rand.Rand
	typ   model.TensorType
	whole bool // small whole weights: results must agree bit for bit
	n     int
	zero  map[model.Ref]int64 // zero points of activations
}

func newMaker(seed uint64, typ model.TensorType) *maker {
	return &maker{Builder: model.NewBuilder(), r: newRandom(seed), typ: typ, zero: map[model.Ref]int64{}}
}

func (b *maker) quantised() bool { return b.typ != model.TypeFloat32 }

// q gives a tensor the scale and zero point of activations.
func (b *maker) q(x model.Ref) model.Ref {
	if !b.quantised() {
		return x
	}
	zero := int64(b.r.IntN(21) - 10)
	if b.typ == model.TypeUint8 {
		zero += 128
	}
	b.zero[x] = zero
	return b.Quant(x, 0.05, zero)
}

func (b *maker) input(h, w, c int) model.Ref { return b.q(b.Input("x", b.typ, 1, h, w, c)) }

// weights are a constant of the given shape and its bias over dimension axis.
func (b *maker) weights(shape []int, axis int) (w, bias model.Ref) {
	b.n++
	total := 1
	for _, s := range shape {
		total *= s
	}
	out := shape[axis]
	name := fmt.Sprintf("w%d", b.n)
	fan := float64(total/out) * 0.6
	switch b.typ {
	case model.TypeFloat32:
		v, o := make([]float32, total), make([]float32, out)
		for i := range v {
			v[i] = float32(b.r.NormFloat64() / math.Sqrt(fan))
			if b.whole {
				v[i] = float32(b.r.IntN(3) - 1)
			}
		}
		for i := range o {
			o[i] = float32(b.r.NormFloat64())
			if b.whole {
				o[i] = float32(b.r.IntN(5) - 2)
			}
		}
		return model.Const(b.Builder, name, shape, v), model.Const(b.Builder, name+"/bias", []int{out}, o)
	case model.TypeUint8:
		v := make([]uint8, total)
		for i := range v {
			v[i] = uint8(b.r.UintN(255) + 1)
		}
		scale := float32(1 / (64 * math.Sqrt(fan)))
		return b.Quant(model.Const(b.Builder, name, shape, v), scale, 128), b.Quant(b.bias(name, out), scale*0.05, 0)
	}
	v := make([]int8, total)
	for i := range v {
		v[i] = int8(b.r.IntN(255) - 127)
	}
	scale, bs, zero := make([]float32, out), make([]float32, out), make([]int64, out)
	for i := range scale {
		scale[i] = float32((0.5 + b.r.Float64()) / (64 * math.Sqrt(fan)))
		bs[i] = scale[i] * 0.05
	}
	return b.PerChannel(model.Const(b.Builder, name, shape, v), axis, scale, zero), b.PerChannel(b.bias(name, out), 0, bs, zero)
}

func (b *maker) bias(name string, out int) model.Ref {
	o := make([]int32, out)
	for i := range o {
		o[i] = int32(b.r.IntN(2001) - 1000)
	}
	return model.Const(b.Builder, name+"/bias", []int{out}, o)
}

func (b *maker) channels(x model.Ref) int { s := b.Shape(x); return s[len(s)-1] }

// win are a window's numbers in tests.
type win struct {
	k, s, d pair
	pad     model.Padding
	act     model.Activation
}

func square(k, s int) win {
	return win{pair{k, k}, pair{s, s}, pair{1, 1}, model.PaddingValid, model.ActRelu}
}

func (w win) same() win                   { w.pad = model.PaddingSame; return w }
func (w win) with(a model.Activation) win { w.act = a; return w }

func (b *maker) conv(x model.Ref, out int, w win) model.Ref {
	f, bias := b.weights([]int{out, w.k[0], w.k[1], b.channels(x)}, 0)
	return b.q(b.Conv2D(x, f, bias, model.Conv2DOptions{Padding: w.pad, StrideH: int32(w.s[0]), StrideW: int32(w.s[1]),
		DilationH: int32(w.d[0]), DilationW: int32(w.d[1]), Activation: w.act}))
}

func (b *maker) depthwise(x model.Ref, mult int, w win) model.Ref {
	f, bias := b.weights([]int{1, w.k[0], w.k[1], b.channels(x) * mult}, 3)
	return b.q(b.DepthwiseConv2D(x, f, bias, model.DepthwiseConv2DOptions{Padding: w.pad, StrideH: int32(w.s[0]), StrideW: int32(w.s[1]),
		DilationH: int32(w.d[0]), DilationW: int32(w.d[1]), Activation: w.act, DepthMultiplier: int32(mult)}))
}

func (w win) pool() model.Pool2DOptions {
	return model.Pool2DOptions{Padding: w.pad, StrideH: int32(w.s[0]), StrideW: int32(w.s[1]), FilterHeight: int32(w.k[0]), FilterWidth: int32(w.k[1])}
}

func (b *maker) maxPool(x model.Ref, w win) model.Ref { return b.MaxPool(x, w.pool()) }

func (b *maker) avgPool(x model.Ref, w win) model.Ref { return b.AvgPool(x, w.pool()) }

func (b *maker) add(x, y model.Ref) model.Ref { return b.q(b.Add(x, y, model.ActRelu)) }

func (b *maker) fc(x model.Ref, out int) model.Ref {
	s := b.Shape(x)
	in := 1
	for _, d := range s[1:] {
		in *= d
	}
	f, bias := b.fcWeights(out, in)
	return b.q(b.FullyConnected(x, f, bias, model.FullyConnectedOptions{}))
}

// fcWeights have one scale for the whole matrix, as TFLite's converter of 2.9
// writes them.
func (b *maker) fcWeights(out, in int) (w, bias model.Ref) {
	w, bias = b.weights([]int{out, in}, 0)
	if b.typ == model.TypeInt8 {
		b.Quant(w, 0.004, 0)
		b.Quant(bias, 0.004*0.05, 0)
	}
	return w, bias
}

// poolNet is the manner of factory nets: VALID convolutions and pools, stride 8.
func poolNet(seed uint64, typ model.TensorType, h, w int) *model.Model {
	b := newMaker(seed, typ)
	x := b.input(h, w, 3)
	x = b.maxPool(b.conv(x, 8, square(3, 1)), square(2, 2))
	x = b.maxPool(b.conv(x, 8, square(3, 1)), square(2, 2))
	x = b.maxPool(b.conv(x, 16, square(3, 1)), square(2, 2))
	x = b.conv(x, 5, square(1, 1).with(model.ActNone))
	return b.Model(b.Name(x, "logits"))
}
