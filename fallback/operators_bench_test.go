package fallback

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"edged"
	"edged/model"
	"edged/tflite"
)

// BenchmarkOperators measures every small operator by itself, on one thread and
// a map of 56x56x64 where it has one, in float32 and int8; where TFLite is
// linked, on its built-in kernels and on XNNPACK too.
func BenchmarkOperators(b *testing.B) {
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		for _, op := range operatorList {
			g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(7, 7))}
			data := file(b, g.Builder, op.build(g)...)
			b.Run(typ.String()+"/"+op.name+"/fallback", func(b *testing.B) { benchEngine(b, Open, data) })
			if tflite.Linked() {
				b.Run(typ.String()+"/"+op.name+"/builtin", func(b *testing.B) { benchEngine(b, tflite.OpenBuiltin, data) })
				b.Run(typ.String()+"/"+op.name+"/xnnpack", func(b *testing.B) { benchEngine(b, tflite.Open, data) })
			}
		}
	}
}

func benchEngine(b *testing.B, open edged.Opener, data []byte) {
	e, err := open(data, edged.Options{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	r, bytes := rand.New(rand.NewPCG(9, 9)), 0
	for i, s := range e.Inputs() {
		bytes += len(e.Input(i))
		fillRandom(r, e.Input(i), s.Type)
	}
	for i := range e.Outputs() {
		bytes += len(e.Output(i))
	}
	b.SetBytes(int64(bytes))
	for b.Loop() {
		if err := e.Run(); err != nil {
			b.Fatal(err)
		}
	}
}

func fillRandom(r *rand.Rand, data []byte, typ edged.DType) {
	for i := range data {
		if typ != edged.Float32 {
			data[i] = byte(r.Uint32())
		} else if i%4 == 0 {
			binary.LittleEndian.PutUint32(data[i:], math.Float32bits(float32(2*r.NormFloat64())))
		}
	}
}

// operatorList builds one operator each.
var operatorList = []struct {
	name  string
	build func(g *grapher) []model.Ref
}{
	{"add", func(g *grapher) []model.Ref { return one(g.q(g.Add(g.picture(), g.picture(), model.ActNone))) }},
	{"add relu", func(g *grapher) []model.Ref { return one(g.q(g.Add(g.picture(), g.picture(), model.ActRelu))) }},
	{"add channel", func(g *grapher) []model.Ref { return one(g.q(g.Add(g.picture(), g.weights(64), model.ActNone))) }},
	{"add scalar", func(g *grapher) []model.Ref { return one(g.q(g.Add(g.picture(), g.weights(1), model.ActNone))) }},
	{"sub", func(g *grapher) []model.Ref { return one(g.q(g.Sub(g.picture(), g.picture(), model.ActNone))) }},
	{"sub scalar", func(g *grapher) []model.Ref { return one(g.q(g.Sub(g.picture(), g.weights(1), model.ActNone))) }},
	{"mul", func(g *grapher) []model.Ref { return one(g.q(g.Mul(g.picture(), g.picture(), model.ActNone))) }},
	{"mul channel", func(g *grapher) []model.Ref { return one(g.q(g.Mul(g.picture(), g.in(1, 1, 1, 64), model.ActNone))) }},
	{"mul scalar", func(g *grapher) []model.Ref { return one(g.q(g.Mul(g.picture(), g.weights(1), model.ActNone))) }},
	{"maximum", func(g *grapher) []model.Ref { return one(g.q(g.Maximum(g.picture(), g.picture()))) }},
	{"prelu", func(g *grapher) []model.Ref { return one(g.q(g.Prelu(g.picture(), g.weights(1, 1, 64)))) }},
	{"relu", func(g *grapher) []model.Ref { return one(g.q(g.Unary(model.OpRelu, g.picture()))) }},
	{"relu6", func(g *grapher) []model.Ref { return one(g.q(g.Unary(model.OpRelu6, g.picture()))) }},
	{"leaky relu", func(g *grapher) []model.Ref { return one(g.q(g.LeakyRelu(g.picture(), 0.2))) }},
	{"hard swish", func(g *grapher) []model.Ref { return one(g.q(g.Unary(model.OpHardSwish, g.picture()))) }},
	{"logistic", func(g *grapher) []model.Ref {
		return one(g.fixed(g.Unary(model.OpLogistic, g.picture()), 1.0/256, -128))
	}},
	{"tanh", func(g *grapher) []model.Ref { return one(g.fixed(g.Unary(model.OpTanh, g.picture()), 1.0/128, 0)) }},
	{"elu", func(g *grapher) []model.Ref { return one(g.q(g.Unary(model.OpElu, g.picture()))) }},
	{"softmax", func(g *grapher) []model.Ref { return one(g.fixed(g.Softmax(g.picture()), 1.0/256, -128)) }},
	{"softmax 1000", func(g *grapher) []model.Ref { return one(g.fixed(g.Softmax(g.in(1, 1000)), 1.0/256, -128)) }},
	{"softmax 3", func(g *grapher) []model.Ref { return one(g.fixed(g.Softmax(g.in(1, 128, 128, 3)), 1.0/256, -128)) }},
	{"resize bilinear", func(g *grapher) []model.Ref {
		return one(g.q(g.ResizeBilinear(g.picture(), 112, 112, model.ResizeBilinearOptions{HalfPixelCenters: true})))
	}},
	{"resize nearest", func(g *grapher) []model.Ref {
		return one(g.q(g.ResizeNearest(g.picture(), 112, 112, model.ResizeNearestNeighborOptions{})))
	}},
	{"resize nearest 8", func(g *grapher) []model.Ref {
		return one(g.q(g.ResizeNearest(g.in(1, 56, 56, 8), 112, 112, model.ResizeNearestNeighborOptions{})))
	}},
	{"max pool 2x2 s1", func(g *grapher) []model.Ref { return one(g.q(g.MaxPool(g.picture(), square(2, 1)))) }},
	{"max pool 2x2 s2", func(g *grapher) []model.Ref { return one(g.q(g.MaxPool(g.picture(), square(2, 2)))) }},
	{"max pool 3x3 s2", func(g *grapher) []model.Ref { return one(g.q(g.MaxPool(g.picture(), square(3, 2)))) }},
	{"average pool 2x2 s2", func(g *grapher) []model.Ref { return one(g.q(g.AvgPool(g.picture(), square(2, 2)))) }},
	{"average pool 3x3 s1", func(g *grapher) []model.Ref { return one(g.q(g.AvgPool(g.picture(), square(3, 1)))) }},
	{"average pool global", func(g *grapher) []model.Ref {
		o := square(7, 1)
		o.Padding = model.PaddingValid
		return one(g.q(g.AvgPool(g.in(1, 7, 7, 1024), o)))
	}},
	{"mean global", func(g *grapher) []model.Ref { return one(g.q(g.Mean(g.in(1, 7, 7, 1024), false, 1, 2))) }},
	{"mean keep", func(g *grapher) []model.Ref { return one(g.q(g.Mean(g.picture(), true, 1, 2))) }},
	{"mean channels", func(g *grapher) []model.Ref { return one(g.q(g.Mean(g.picture(), true, 3))) }},
	{"reduce max", func(g *grapher) []model.Ref { return one(g.q(g.Reduce(model.OpReduceMax, g.picture(), true, 1, 2))) }},
	{"arg max", func(g *grapher) []model.Ref {
		return one(g.Op(model.OpArgMax, &model.ArgMaxOptions{OutputType: model.TypeInt32}, g.in(1, 128, 128, 8), g.Ints(3)))
	}},
	{"pad", func(g *grapher) []model.Ref {
		return one(g.q(g.Pad(g.picture(), [2]int{0, 0}, [2]int{1, 1}, [2]int{1, 1}, [2]int{0, 0})))
	}},
	{"pad 3", func(g *grapher) []model.Ref {
		return one(g.q(g.Pad(g.in(1, 224, 224, 3), [2]int{0, 0}, [2]int{1, 1}, [2]int{1, 1}, [2]int{0, 0})))
	}},
	{"transpose nchw", func(g *grapher) []model.Ref { return one(g.q(g.Transpose(g.picture(), 0, 3, 1, 2))) }},
	{"transpose hw", func(g *grapher) []model.Ref { return one(g.q(g.Transpose(g.picture(), 0, 2, 1, 3))) }},
	{"concatenation", func(g *grapher) []model.Ref { return one(g.q(g.Concat(3, g.in(1, 56, 56, 32), g.in(1, 56, 56, 32)))) }},
	{"strided slice", func(g *grapher) []model.Ref {
		return one(g.q(g.StridedSlice(g.picture(), []int{0, 0, 0, 0}, []int{1, 56, 56, 64}, []int{1, 2, 2, 1}, model.StridedSliceOptions{})))
	}},
	{"depth to space", func(g *grapher) []model.Ref {
		return one(g.q(g.Op(model.OpDepthToSpace, &model.DepthToSpaceOptions{BlockSize: 2}, g.picture())))
	}},
	{"space to depth", func(g *grapher) []model.Ref {
		return one(g.q(g.Op(model.OpSpaceToDepth, &model.SpaceToDepthOptions{BlockSize: 2}, g.picture())))
	}},
	{"fully connected", func(g *grapher) []model.Ref {
		return one(g.q(g.FullyConnected(g.in(1, 1024), g.weights(1000, 1024), g.bias(1000), model.FullyConnectedOptions{})))
	}},
	{"fully connected small", func(g *grapher) []model.Ref {
		return one(g.q(g.FullyConnected(g.in(1, 64), g.weights(10, 64), g.bias(10), model.FullyConnectedOptions{})))
	}},
	{"quantize", func(g *grapher) []model.Ref {
		if g.typ == model.TypeFloat32 {
			return one(g.Quantize(g.picture(), model.TypeInt8, 0.05, 3))
		}
		return one(g.Quantize(g.picture(), model.TypeInt8, 0.07, 9))
	}},
	{"dequantize or abs", func(g *grapher) []model.Ref {
		if g.typ == model.TypeFloat32 {
			return one(g.Unary(model.OpAbs, g.picture()))
		}
		return one(g.Dequantize(g.picture()))
	}},
}

func (g *grapher) picture() model.Ref { return g.in(1, 56, 56, 64) }

func square(k, stride int32) model.Pool2DOptions {
	return model.Pool2DOptions{FilterHeight: k, FilterWidth: k, StrideH: stride, StrideW: stride}
}
