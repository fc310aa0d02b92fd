//go:build tflite && cgo

package fallback

import (
	"bytes"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"edged"
	"edged/model"
)

// familyNet writes nets of our own in the shapes of families that no registry
// holds: small, with random weights.
type familyNet struct {
	*model.Builder
	r *rand.Rand
}

func (f *familyNet) floats(name string, shape []int, scale float32) model.Ref {
	v := make([]float32, product(shape))
	for i := range v {
		v[i] = scale * (2*f.r.Float32() - 1)
	}
	return model.Const(f.Builder, name, shape, v)
}

func (f *familyNet) value(v float32) model.Ref {
	return model.Const(f.Builder, "v", []int{1}, []float32{v})
}
func (f *familyNet) int(v int32) model.Ref { return model.Const(f.Builder, "i", nil, []int32{v}) }

func (f *familyNet) conv(x model.Ref, out, k, stride int, a model.Activation) model.Ref {
	in := f.Shape(x)[3]
	return f.Conv2D(x, f.floats("w", []int{out, k, k, in}, float32(math.Sqrt(3/float64(k*k*in)))), f.floats("b", []int{out}, 0.1),
		model.Conv2DOptions{Padding: model.PaddingSame, StrideH: int32(stride), StrideW: int32(stride), DilationH: 1, DilationW: 1, Activation: a})
}

func (f *familyNet) depthwise(x model.Ref, k, stride, dilation int, a model.Activation) model.Ref {
	c := f.Shape(x)[3]
	return f.DepthwiseConv2D(x, f.floats("w", []int{1, k, k, c}, float32(math.Sqrt(3))/float32(k)), f.floats("b", []int{c}, 0.1),
		model.DepthwiseConv2DOptions{Padding: model.PaddingSame, StrideH: int32(stride), StrideW: int32(stride), DilationH: int32(dilation), DilationW: int32(dilation),
			DepthMultiplier: 1, Activation: a})
}

func (f *familyNet) dense(x model.Ref, out int) model.Ref {
	s := f.Shape(x)
	in := s[len(s)-1]
	return f.FullyConnected(x, f.floats("w", []int{out, in}, float32(math.Sqrt(3/float64(in)))), f.floats("b", []int{out}, 0.1), model.FullyConnectedOptions{KeepNumDims: true})
}

func (f *familyNet) picture() model.Ref { return f.Input("x", model.TypeFloat32, 1, 32, 32, 3) }

// hardSigmoid is RELU6(x + 3) / 6, as MobileNetV3's exports write it.
func (f *familyNet) hardSigmoid(x model.Ref) model.Ref {
	return f.Mul(f.Add(x, f.value(3), model.ActRelu6), f.value(1.0/6), model.ActNone)
}

// inverted is an inverted residual: expansion, depthwise, projection.
func (f *familyNet) inverted(x model.Ref, out, k, stride int, squeeze bool, act func(model.Ref) model.Ref) model.Ref {
	in := f.Shape(x)[3]
	y := act(f.conv(x, 3*in, 1, 1, model.ActNone))
	y = act(f.depthwise(y, k, stride, 1, model.ActNone))
	if squeeze {
		s := f.conv(f.Mean(y, true, 1, 2), in, 1, 1, model.ActRelu)
		y = f.Mul(y, f.hardSigmoid(f.conv(s, 3*in, 1, 1, model.ActNone)), model.ActNone)
	}
	if y = f.conv(y, out, 1, 1, model.ActNone); stride == 1 && in == out {
		y = f.Add(x, y, model.ActNone)
	}
	return y
}

func (f *familyNet) backbone(x model.Ref) (fine, coarse model.Ref) {
	relu6 := func(x model.Ref) model.Ref { return f.Unary(model.OpRelu6, x) }
	x = f.conv(x, 8, 3, 2, model.ActRelu6)
	fine = f.inverted(f.inverted(x, 12, 3, 2, false, relu6), 12, 5, 1, false, relu6)
	return fine, f.inverted(fine, 16, 3, 2, false, relu6)
}

// familyNets gives each family's outputs.
var familyNets = map[string]func(f *familyNet) []model.Ref{
	"MobileNetV3": func(f *familyNet) []model.Ref {
		swish := func(x model.Ref) model.Ref { return f.Op(model.OpHardSwish, &model.HardSwishOptions{}, x) }
		x := swish(f.conv(f.picture(), 8, 3, 2, model.ActNone))
		x = f.inverted(x, 8, 3, 1, true, swish)
		x = f.inverted(x, 12, 5, 2, true, swish)
		x = f.Reshape(swish(f.conv(f.Mean(x, true, 1, 2), 24, 1, 1, model.ActNone)), 1, 24)
		return []model.Ref{f.Softmax(f.dense(x, 10))}
	},
	"EfficientNet-Lite": func(f *familyNet) []model.Ref {
		_, x := f.backbone(f.picture())
		return []model.Ref{f.Softmax(f.dense(f.Mean(x, false, 1, 2), 10))}
	},
	"SSD": func(f *familyNet) []model.Ref {
		fine, coarse := f.backbone(f.picture())
		const anchors, classes = 2, 4
		head := func(x model.Ref, n int) model.Ref {
			s := f.Shape(x)
			return f.Reshape(f.conv(f.depthwise(x, 3, 1, 1, model.ActRelu6), anchors*n, 1, 1, model.ActNone), 1, anchors*s[1]*s[2], n)
		}
		boxes := f.Concat(1, head(fine, 4), head(coarse, 4))
		scores := f.Unary(model.OpLogistic, f.Concat(1, head(fine, classes+1), head(coarse, classes+1)))
		n := f.Shape(boxes)[1]
		place := make([]float32, 4*n)
		for i := range place {
			place[i] = 0.1 + 0.8*f.r.Float32()
		}
		o := model.DetectionOptions{MaxDetections: 5, MaxClasses: 1, PerClass: 5, Classes: classes, Regular: true, ScoreThreshold: 0.3, IoUThreshold: 0.6,
			ScaleY: 10, ScaleX: 10, ScaleH: 5, ScaleW: 5}
		return f.Customs(model.OpDetectionPostProcess, o.Custom(), 4, boxes, scores, model.Const(f.Builder, "anchors", []int{n, 4}, place))
	},
	"MoveNet": func(f *familyNet) []model.Ref {
		x, _ := f.backbone(f.picture())
		heat := f.Unary(model.OpLogistic, f.conv(x, 1, 3, 1, model.ActNone))
		s := f.Shape(heat)
		centre := f.Op(model.OpArgMax, &model.ArgMaxOptions{OutputType: model.TypeInt32}, f.Reshape(heat, 1, s[1]*s[2]), f.int(1))
		wide := f.int(int32(s[2]))
		y := f.Op(model.OpFloorDiv, &model.FloorDivOptions{}, centre, wide)
		col := f.Sub(centre, f.Mul(y, wide, model.ActNone), model.ActNone)
		at := f.Op(model.OpPack, &model.PackOptions{ValuesCount: 2, Axis: 1}, y, col)
		offsets := f.Reshape(f.conv(x, 6, 3, 1, model.ActNone), s[1], s[2], 6)
		joints := f.Op(model.OpGatherND, &model.GatherNdOptions{}, offsets, at)
		return []model.Ref{joints, at, f.Op(model.OpSquare, &model.SquareOptions{}, joints)}
	},
	"YOLO with masks": func(f *familyNet) []model.Ref {
		fine, coarse := f.backbone(f.picture())
		const coefficients, classes = 6, 3
		head := func(x model.Ref) model.Ref {
			s := f.Shape(x)
			return f.Reshape(f.conv(x, 4+classes+coefficients, 1, 1, model.ActNone), 1, s[1]*s[2], 4+classes+coefficients)
		}
		all := f.Concat(1, head(fine), head(coarse))
		n := f.Shape(all)[1]
		parts := f.Ops(model.OpSplitV, &model.SplitVOptions{NumSplits: 3}, 3, all, f.Ints(4, classes, coefficients), f.int(2))
		scores := f.Unary(model.OpLogistic, parts[1])
		best := f.Reshape(f.Reduce(model.OpReduceMax, scores, false, 2), n)
		top := f.Ops(model.OpTopKV2, &model.TopKV2Options{}, 2, best, f.int(7))
		picked := f.Op(model.OpGather, &model.GatherOptions{Axis: 0}, f.Reshape(parts[2], n, coefficients), top[1])
		s := f.Shape(fine)
		up := f.TransposeConv(fine, f.floats("w", []int{coefficients, 2, 2, s[3]}, 0.3), f.floats("b", []int{coefficients}, 0.1), 2*s[1], 2*s[2],
			model.TransposeConvOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2})
		masks := f.Op(model.OpBatchMatMul, &model.BatchMatMulOptions{AdjY: true}, picked, f.Reshape(up, 4*s[1]*s[2], coefficients))
		on := f.Op(model.OpGreater, &model.GreaterOptions{}, f.Unary(model.OpLogistic, masks), f.value(0.5))
		number := func(v float32) model.Ref { return model.Const(f.Builder, "n", nil, []float32{v}) }
		kept := f.Ops(model.OpNonMaxSuppressionV5, &model.NonMaxSuppressionV5Options{}, 3, f.Reshape(parts[0], n, 4), best, f.int(10), number(0.5), number(0.2), number(0))
		return slices.Concat([]model.Ref{top[0], masks, f.Op(model.OpCast, &model.CastOptions{InDataType: model.TypeBool, OutDataType: model.TypeFloat32}, on)}, kept)
	},
	"DeepLab": func(f *familyNet) []model.Ref {
		_, x := f.backbone(f.picture())
		s := f.Shape(x)
		pooled := f.ResizeBilinear(f.conv(f.Mean(x, true, 1, 2), 8, 1, 1, model.ActRelu), s[1], s[2], model.ResizeBilinearOptions{AlignCorners: true})
		branches := []model.Ref{pooled, f.conv(x, 8, 1, 1, model.ActRelu)}
		for _, rate := range []int{2, 3} {
			branches = append(branches, f.conv(f.depthwise(x, 3, 1, rate, model.ActRelu), 8, 1, 1, model.ActRelu))
		}
		logits := f.ResizeBilinear(f.conv(f.Concat(3, branches...), 5, 1, 1, model.ActNone), 32, 32, model.ResizeBilinearOptions{AlignCorners: true})
		return []model.Ref{logits, f.Op(model.OpArgMax, &model.ArgMaxOptions{OutputType: model.TypeInt64}, logits, f.int(3))}
	},
	"U-Net": func(f *familyNet) []model.Ref {
		half := model.Pool2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2, FilterHeight: 2, FilterWidth: 2}
		a := f.conv(f.picture(), 8, 3, 1, model.ActRelu)
		b := f.conv(f.MaxPool(a, half), 12, 3, 1, model.ActRelu)
		c := f.conv(f.MaxPool(b, half), 16, 3, 1, model.ActRelu)
		up := func(x, skip model.Ref, out int) model.Ref {
			s := f.Shape(x)
			y := f.TransposeConv(x, f.floats("w", []int{out, 2, 2, s[3]}, 0.3), f.floats("b", []int{out}, 0.1), 2*s[1], 2*s[2],
				model.TransposeConvOptions{Padding: model.PaddingSame, StrideH: 2, StrideW: 2})
			return f.conv(f.Concat(3, y, skip), out, 3, 1, model.ActRelu)
		}
		return []model.Ref{f.Unary(model.OpLogistic, f.conv(up(up(c, b, 12), a, 8), 2, 1, 1, model.ActNone))}
	},
	"attention": func(f *familyNet) []model.Ref {
		const tokens, width, heads = 16, 24, 3
		_, map3 := f.backbone(f.picture())
		x := f.dense(f.Reshape(map3, 1, tokens, 16), width)
		normal := func(x model.Ref) model.Ref {
			mean := f.Mean(x, true, 2)
			variance := f.Mean(f.Op(model.OpSquaredDifference, &model.SquaredDifferenceOptions{}, x, mean), true, 2)
			y := f.Mul(f.Sub(x, mean, model.ActNone), f.Unary(model.OpRsqrt, f.Add(variance, f.value(1e-5), model.ActNone)), model.ActNone)
			return f.Add(f.Mul(y, f.floats("g", []int{width}, 1), model.ActNone), f.floats("b", []int{width}, 0.1), model.ActNone)
		}
		y := normal(x)
		head := func() model.Ref {
			return f.Transpose(f.Reshape(f.dense(y, width), 1, tokens, heads, width/heads), 0, 2, 1, 3)
		}
		q, k, v := head(), head(), head()
		scores := f.Mul(f.Op(model.OpBatchMatMul, &model.BatchMatMulOptions{AdjY: true}, q, k), f.value(0.35), model.ActNone)
		mixed := f.Op(model.OpBatchMatMul, &model.BatchMatMulOptions{}, f.Softmax(scores), v)
		x = f.Add(x, f.dense(f.Reshape(f.Transpose(mixed, 0, 2, 1, 3), 1, tokens, width), width), model.ActNone)
		x = f.Add(x, f.dense(f.Op(model.OpGelu, &model.GeluOptions{}, f.dense(normal(x), 2*width)), width), model.ActNone)
		return []model.Ref{f.dense(f.Mean(x, false, 1), 10)}
	},
}

// TestFamilies: whole nets of every family give what TensorFlow Lite's kernels
// give: integers equal, floats within 1e-5 of the output's range.
func TestFamilies(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(familyNets)) {
		f := &familyNet{model.NewBuilder(), rand.New(rand.NewPCG(5, 6))}
		data := file(t, f.Builder, familyNets[name](f)...)
		e := openBuiltin(t, data)
		r := rand.New(rand.NewPCG(7, 8))
		in := edged.View[float32](e.Input(0))
		for i := range in {
			in[i] = 2*r.Float32() - 1
		}
		if err := e.Run(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Run(name, func(t *testing.T) {
			eachKernel(t, func(t *testing.T) {
				for _, threads := range []int{1, 3} {
					ours := open(t, data, edged.Options{Threads: threads})
					copy(ours.Input(0), e.Input(0))
					if err := ours.Run(); err != nil {
						t.Fatal(err)
					}
					for i, s := range e.Outputs() {
						sameFamily(t, s, ours.Output(i), e.Output(i))
					}
				}
			})
		})
	}
}

func sameFamily(t *testing.T, s edged.Spec, got, want []byte) {
	t.Helper()
	if s.Type != edged.Float32 {
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs", s)
		}
		return
	}
	lo, hi, apart := 0.0, 0.0, 0.0
	for i, v := range edged.View[float32](want) {
		lo, hi = min(lo, float64(v)), max(hi, float64(v))
		apart = max(apart, math.Abs(float64(v)-float64(edged.View[float32](got)[i])))
	}
	if !(apart <= 1e-5*(hi-lo)) || hi == lo {
		t.Errorf("%s: apart by %.3g of a range of %.3g", s, apart, hi-lo)
	}
}
