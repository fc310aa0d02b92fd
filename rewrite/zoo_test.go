package rewrite

import (
	"math"

	"edged/model"
)

// The nets that people have, in small: each is written the way its usual
// converter writes it.

func relu6(k, s int) win { return square(k, s).same().with(model.ActRelu6) }

// bare is the layer without a fused activation.
func (w win) bare() win { w.act = model.ActNone; return w }

// vggLike ends in a flattened map and two dense layers; VALID.
func vggLike(typ model.TensorType) *model.Model {
	b := newMaker(11, typ)
	x := b.input(26, 26, 3)
	x = b.conv(b.conv(x, 4, square(3, 1)), 4, square(3, 1))
	x = b.maxPool(x, square(2, 2))
	x = b.conv(x, 6, square(3, 1))
	x = b.maxPool(x, square(3, 2))
	s := b.Shape(x)
	x = b.fc(b.Reshape(x, 1, s[1]*s[2]*s[3]), 10)
	x = b.Softmax(b.fc(x, 4))
	if b.quantised() {
		b.Quant(x, 1.0/256, map[model.TensorType]int64{model.TypeInt8: -128, model.TypeUint8: 0}[typ])
	}
	return b.Model(b.Name(x, "probabilities"))
}

// mobileNetLike has depthwise blocks, SAME padding, global average pooling.
func mobileNetLike(typ model.TensorType, keepDims bool) *model.Model {
	b := newMaker(12, typ)
	x := b.conv(b.input(32, 32, 3), 4, relu6(3, 2))
	for i, s := range []int{1, 2, 1, 2} {
		x = b.depthwise(x, 1, relu6(3, s))
		x = b.conv(x, 4+2*i, relu6(1, 1))
	}
	x = b.q(b.Mean(x, keepDims, 1, 2))
	if keepDims {
		x = b.conv(x, 5, square(1, 1).bare())
		return b.Model(b.Name(b.Op(model.OpSqueeze, &model.SqueezeOptions{SqueezeDims: []int32{1, 2}}, x), "logits"))
	}
	return b.Model(b.Name(b.fc(x, 5), "logits"))
}

// validMobile is mobileNetLike without padding, as a patch classifier needs it.
func validMobile(typ model.TensorType, keepDims bool) *model.Model {
	b := newMaker(13, typ)
	x := b.conv(b.input(31, 31, 3), 4, square(3, 2).with(model.ActRelu6))
	x = b.conv(b.depthwise(x, 1, square(3, 1)), 6, square(1, 1))
	x = b.conv(b.depthwise(x, 1, square(3, 2)), 8, square(1, 1))
	x = b.q(b.Mean(x, keepDims, 1, 2))
	if keepDims {
		x = b.Reshape(x, 1, 8)
	}
	return b.Model(b.Name(b.fc(x, 5), "logits"))
}

// batchNorm is the unfused form: MUL and ADD by constants per channel.
func (b *maker) batchNorm(x model.Ref) model.Ref {
	c := b.channels(x)
	b.n++
	scale, shift := make([]float32, c), make([]float32, c)
	for i := range scale {
		scale[i], shift[i] = 0.5+b.r.Float32(), b.r.Float32()-0.5
	}
	name := string(rune('a' + b.n))
	x = b.Mul(x, model.Const(b.Builder, "bn_scale"+name, []int{c}, scale), model.ActNone)
	return b.Add(x, model.Const(b.Builder, "bn_shift"+name, []int{1, 1, 1, c}, shift), model.ActNone)
}

// resNetLike has explicit PAD before a VALID convolution, batch norm as MUL and
// ADD, strided shortcuts, PRELU; its output is a map.
func resNetLike() *model.Model {
	b := newMaker(14, model.TypeFloat32)
	x := b.Pad(b.input(37, 34, 3), [2]int{}, [2]int{3, 3}, [2]int{3, 3}, [2]int{})
	x = b.Relu(b.batchNorm(b.conv(x, 4, square(7, 2).bare())))
	x = b.maxPool(b.Pad(x, [2]int{}, [2]int{1, 1}, [2]int{1, 1}, [2]int{}), square(3, 2))
	for i := range 2 {
		c := 4 + 4*i
		main := b.batchNorm(b.conv(x, c, square(3, 1+i).same().bare()))
		main = b.batchNorm(b.conv(b.Relu(main), c, square(3, 1).same().bare()))
		short := x
		if i > 0 {
			short = b.batchNorm(b.conv(x, c, square(1, 2).same().bare()))
		}
		x = b.prelu(b.Add(main, short, model.ActNone))
	}
	return b.Model(b.Name(b.conv(x, 3, square(1, 1).bare()), "map"))
}

func (b *maker) prelu(x model.Ref) model.Ref {
	c := b.channels(x)
	a := make([]float32, c)
	for i := range a {
		a[i] = b.r.Float32() * 0.5
	}
	b.n++
	return b.Prelu(x, model.Const(b.Builder, "alpha"+string(rune('a'+b.n)), []int{1, 1, c}, a))
}

// uNetLike goes down by four and up again.
func uNetLike(up int) *model.Model {
	b := newMaker(15, model.TypeFloat32)
	x := b.conv(b.input(32, 32, 3), 4, square(3, 1).same())
	down := b.conv(b.maxPool(x, square(2, 2).same()), 6, square(3, 1).same())
	deep := b.conv(b.maxPool(down, square(2, 2).same()), 8, square(3, 1).same())
	y := b.Concat(3, b.resize(deep, 16, 16), down)
	y = b.conv(y, 6, square(3, 1).same())
	if up > 1 {
		y = b.Concat(3, b.resize(y, 32, 32), x)
		y = b.conv(y, 4, square(3, 1).same())
	}
	return b.Model(b.Name(b.Unary(model.OpLogistic, b.conv(y, 2, square(1, 1).bare())), "mask"))
}

func (b *maker) resize(x model.Ref, h, w int) model.Ref {
	return b.Op(model.OpResizeBilinear, &model.ResizeBilinearOptions{HalfPixelCenters: true}, x, b.Ints(h, w))
}

// squeezeExcite scales its channels by a statistic of the whole map.
func squeezeExcite() *model.Model {
	b := newMaker(16, model.TypeFloat32)
	x := b.conv(b.input(24, 24, 3), 6, square(3, 2).same())
	s := b.Mean(x, true, 1, 2)
	s = b.Unary(model.OpLogistic, b.conv(b.conv(s, 3, square(1, 1)), 6, square(1, 1).bare()))
	x = b.Unary(model.OpHardSwish, b.Mul(x, s, model.ActNone))
	x = b.conv(x, 6, square(3, 2).same())
	return b.Model(b.Name(x, "map"))
}

// torchLike keeps PyTorch's axes: an NCHW input, transposed, and a head
// flattened with the channels first.
func torchLike() *model.Model {
	b := newMaker(18, model.TypeFloat32)
	x := b.Transpose(b.Input("x", model.TypeFloat32, 1, 3, 24, 20), 0, 2, 3, 1)
	x = b.batchNorm(b.conv(x, 4, square(3, 2)))
	x = b.Op(model.OpLeakyRelu, &model.LeakyReluOptions{Alpha: 0.1}, x)
	x = b.maxPool(b.conv(x, 5, square(3, 1)), square(2, 2))
	x = b.Transpose(x, 0, 3, 1, 2)
	s := b.Shape(x)
	x = b.Reshape(x, 1, s[1]*s[2]*s[3])
	return b.Model(b.Name(b.fc(x, 4), "logits"))
}

// kerasLike flattens through SHAPE, STRIDED_SLICE and PACK, with separate
// bias and activation, between QUANTIZE and DEQUANTIZE or not.
func kerasLike() *model.Model {
	b := newMaker(20, model.TypeFloat32)
	x := b.conv(b.input(22, 22, 1), 4, square(5, 1).bare())
	x = b.Unary(model.OpRelu6, b.Add(x, model.Const(b.Builder, "extra", []int{4}, []float32{.1, -.2, .3, 0}), model.ActNone))
	x = b.maxPool(x, square(2, 2))
	x = b.maxPool(b.conv(x, 6, square(3, 1)), square(2, 2))
	s := b.Shape(x)
	n := b.StridedSlice(b.Op(model.OpShape, &model.ShapeOptions{OutType: model.TypeInt32}, x), []int{0}, []int{1}, []int{1}, model.StridedSliceOptions{ShrinkAxisMask: 1})
	to := b.Op(model.OpPack, &model.PackOptions{ValuesCount: 2}, n, model.Const(b.Builder, "features", nil, []int32{int32(s[1] * s[2] * s[3])}))
	x = b.Op(model.OpReshape, &model.ReshapeOptions{}, x, to)
	return b.Model(b.Name(b.Softmax(b.fc(b.Unary(model.OpRelu, b.fc(x, 8)), 3)), "probabilities"))
}

// halfWeights holds its weights as float16 behind DEQUANTIZE.
func halfWeights() *model.Model {
	b := newMaker(22, model.TypeFloat32)
	x := b.input(21, 22, 3)
	for i, s := range []int{2, 2} {
		c := b.channels(x)
		v := make([]float32, 5*9*c)
		for k := range v {
			v[k] = float32(b.r.NormFloat64() / math.Sqrt(float64(9*c)))
		}
		w := b.Float16s("half"+string(rune('0'+i)), []int{5, 3, 3, c}, v)
		x = b.Conv2D(x, w, model.Const(b.Builder, "bias"+string(rune('0'+i)), []int{5}, []float32{1, 0, -1, .5, .25}),
			model.Conv2DOptions{Padding: model.PaddingValid, StrideH: int32(s), StrideW: int32(s), Activation: model.ActRelu})
	}
	return b.Model(b.Name(x, "map"))
}

// twoHeads answers at two strides.
func twoHeads() *model.Model {
	b := newMaker(23, model.TypeFloat32)
	x := b.conv(b.input(36, 32, 3), 4, square(3, 2).same())
	y := b.conv(x, 6, square(3, 2).same())
	return b.Model(b.Name(b.conv(x, 2, square(1, 1).bare()), "fine"), b.Name(b.conv(y, 3, square(1, 1).bare()), "coarse"))
}

// shuffled mixes channels between groups by RESHAPE and TRANSPOSE.
func shuffled() *model.Model {
	b := newMaker(24, model.TypeFloat32)
	x := b.conv(b.input(20, 20, 3), 6, square(3, 2).same())
	s := b.Shape(x)
	y := b.Reshape(x, 1, s[1], s[2], 2, 3)
	y = b.Reshape(b.Transpose(y, 0, 1, 2, 4, 3), 1, s[1], s[2], 6)
	return b.Model(b.Name(b.conv(y, 4, square(3, 2).same()), "map"))
}

// boxes flattens its map into a list, as detectors do.
func boxes() *model.Model {
	b := newMaker(26, model.TypeFloat32)
	x := b.Name(b.conv(b.input(16, 16, 3), 8, square(3, 2).same()), "features")
	return b.Model(b.Name(b.Reshape(x, 1, 128, 4), "boxes"))
}

// hybrid has 8-bit weights behind a float input.
func hybrid() *model.Model {
	b := newMaker(73, model.TypeInt8)
	w, _ := b.weights([]int{4, 3, 3, 3}, 0)
	bias := model.Const(b.Builder, "bias", []int{4}, []float32{1, 0, -1, 2})
	x := b.Input("x", model.TypeFloat32, 1, 17, 18, 3)
	y := b.Conv2D(x, w, bias, model.Conv2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2})
	return b.Model(b.Name(y, "map"))
}
