package fallback

import (
	"math/rand/v2"
	"testing"

	"edged"
	"edged/model"
)

// opGraphs is one small file for every operator, in float32 and, where the
// operator has it, in int8: what the fuzzers start from.
func opGraphs(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{"net": smallNet(t, 16)}
	for name, typ := range map[string]model.TensorType{"float32": model.TypeFloat32, "int8": model.TypeInt8} {
		for op, build := range opBuilders {
			g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(7, 7))}
			out := build(g)
			m, err := g.Build(out...)
			if err != nil {
				t.Fatalf("%s %s: %v", op, name, err)
			}
			data, err := m.Write()
			if err != nil {
				t.Fatal(err)
			}
			files[op+" "+name] = data
		}
	}
	return files
}

// grapher builds graphs of one element type.
type grapher struct {
	*model.Builder
	typ model.TensorType
	r   *rand.Rand
}

// in is an input of the graph, q any result, given a scale where it needs one.
func (g *grapher) in(shape ...int) model.Ref { return g.q(g.Input("x", g.typ, shape...)) }

func (g *grapher) q(x model.Ref) model.Ref {
	if g.typ != model.TypeFloat32 {
		return g.Quant(x, 0.1, 3)
	}
	return x
}

// fixed is a result whose scale the operator prescribes.
func (g *grapher) fixed(x model.Ref, scale float32, zero int64) model.Ref {
	if g.typ == model.TypeInt8 {
		return g.Quant(x, scale, zero)
	}
	return x
}

func (g *grapher) weights(shape ...int) model.Ref {
	if g.typ == model.TypeFloat32 {
		return model.Const(g.Builder, "w", shape, randoms(g.r, product(shape)))
	}
	if g.typ == model.TypeUint8 {
		v := make([]uint8, product(shape))
		for i := range v {
			v[i] = uint8(g.r.IntN(256))
		}
		return g.Quant(model.Const(g.Builder, "w", shape, v), 0.02, 119)
	}
	v := make([]int8, product(shape))
	for i := range v {
		v[i] = int8(g.r.IntN(255) - 127)
	}
	return g.Quant(model.Const(g.Builder, "w", shape, v), 0.02, 0)
}

func (g *grapher) bias(n int) model.Ref {
	if g.typ == model.TypeFloat32 {
		return model.Const(g.Builder, "b", []int{n}, randoms(g.r, n))
	}
	return g.Quant(model.Const(g.Builder, "b", []int{n}, make([]int32, n)), 0.002, 0)
}

func one(x model.Ref) []model.Ref { return []model.Ref{x} }

// opBuilders builds each operator once.
var opBuilders = map[string]func(g *grapher) []model.Ref{
	"conv": func(g *grapher) []model.Ref {
		return one(g.q(g.Conv2D(g.in(1, 9, 8, 4), g.weights(5, 3, 3, 4), g.bias(5), model.Conv2DOptions{StrideH: 2, DilationW: 2})))
	},
	"depthwise": func(g *grapher) []model.Ref {
		return one(g.q(g.DepthwiseConv2D(g.in(1, 9, 8, 3), g.weights(1, 3, 3, 6), g.bias(6), model.DepthwiseConv2DOptions{StrideH: 1, StrideW: 1})))
	},
	"transpose conv": func(g *grapher) []model.Ref {
		return one(g.q(g.TransposeConv(g.in(1, 4, 5, 3), g.weights(2, 3, 3, 3), g.bias(2), 8, 10, model.TransposeConvOptions{StrideH: 2, StrideW: 2})))
	},
	"dilated": func(g *grapher) []model.Ref {
		zero := [2]int{0, 0}
		x := g.q(g.Pad(g.in(1, 9, 8, 3), zero, [2]int{1, 2}, [2]int{2, 0}, zero))
		x = g.q(g.SpaceToBatch(x, [2]int{2, 2}, [2][2]int{{1, 1}, zero}))
		x = g.q(g.Conv2D(x, g.weights(3, 2, 2, 3), g.bias(3), model.Conv2DOptions{Padding: model.PaddingValid}))
		x = g.q(g.BatchToSpace(x, [2]int{2, 2}, [2][2]int{{1, 1}, zero}))
		x = g.q(g.Unary(model.OpRelu, x))
		x = g.q(g.SpaceToBatch(x, [2]int{1, 2}, [2][2]int{zero, {0, 0}}))
		x = g.q(g.MaxPool(x, model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 2, FilterWidth: 2}))
		return one(g.q(g.BatchToSpace(x, [2]int{1, 2}, [2][2]int{zero, zero})))
	},
	"fully connected": func(g *grapher) []model.Ref {
		return one(g.q(g.FullyConnected(g.in(3, 7), g.weights(4, 7), g.bias(4), model.FullyConnectedOptions{})))
	},
	"pools": func(g *grapher) []model.Ref {
		o := model.Pool2DOptions{FilterHeight: 3, FilterWidth: 2, StrideH: 2, StrideW: 1}
		x := g.in(1, 7, 6, 3)
		return []model.Ref{g.q(g.MaxPool(x, o)), g.q(g.AvgPool(x, o))}
	},
	"arithmetic": func(g *grapher) []model.Ref {
		x := g.in(2, 3, 4)
		y := g.q(g.Add(x, g.weights(4), model.ActRelu))
		y = g.q(g.Mul(y, x, model.ActNone))
		y = g.q(g.Sub(y, g.weights(1), model.ActRelu6))
		return []model.Ref{g.q(g.Maximum(y, x)), g.q(g.Minimum(y, g.weights(1, 3, 1)))}
	},
	"functions": func(g *grapher) []model.Ref {
		x := g.in(2, 6)
		var list []model.Ref
		for _, op := range []model.BuiltinOperator{model.OpAbs, model.OpRelu, model.OpRelu6, model.OpReluN1To1, model.OpElu, model.OpHardSwish} {
			list = append(list, g.q(g.Unary(op, x)))
		}
		return append(list, g.fixed(g.Unary(model.OpLogistic, x), 1.0/256, -128), g.fixed(g.Unary(model.OpTanh, x), 1.0/128, 0),
			g.fixed(g.Softmax(x), 1.0/256, -128), g.q(g.LeakyRelu(x, 0.2)), g.q(g.Prelu(x, g.weights(6))))
	},
	"reductions": func(g *grapher) []model.Ref {
		x := g.in(2, 5, 4, 3)
		return []model.Ref{g.q(g.Mean(x, true, 1, 2)), g.q(g.Reduce(model.OpSum, x, false, 1)), g.q(g.Reduce(model.OpReduceMax, x, false, 0, 3)),
			g.Op(model.OpArgMax, &model.ArgMaxOptions{OutputType: model.TypeInt32}, x, g.Ints(3))}
	},
	"arrangements": func(g *grapher) []model.Ref {
		x := g.in(1, 4, 6, 2)
		y := g.Concat(3, x, x)
		return append([]model.Ref{g.q(g.Pad(y, [2]int{0, 0}, [2]int{1, 2}, [2]int{0, 1}, [2]int{0, 0})), g.q(g.Transpose(x, 0, 2, 1, 3)),
			g.q(g.Slice(x, []int{0, 1, 2, 0}, []int{1, 2, -1, 2})), g.q(g.StridedSlice(x, []int{0, 3, 0, 0}, []int{1, 0, 6, 2}, []int{1, -1, 2, 1}, model.StridedSliceOptions{EndMask: 1})),
			g.q(g.Op(model.OpTile, nil, x, g.Ints(1, 2, 1, 3))), g.q(g.Op(model.OpReverseV2, nil, x, g.Ints(2))),
			g.q(g.Op(model.OpGather, &model.GatherOptions{Axis: 2}, x, g.Ints(3, 1, 1))), g.q(g.Op(model.OpMirrorPad, &model.MirrorPadOptions{}, x, g.pairs2(1, 2)))},
			g.Ops(model.OpSplit, &model.SplitOptions{NumSplits: 3}, 3, g.axis(2), x)...)
	},
	"shapes": func(g *grapher) []model.Ref {
		x := g.in(1, 4, 6, 2)
		s := g.Op(model.OpShape, &model.ShapeOptions{OutType: model.TypeInt32}, x)
		h := g.StridedSlice(s, []int{1}, []int{2}, []int{1}, model.StridedSliceOptions{ShrinkAxisMask: 1})
		w := g.Op(model.OpMul, &model.MulOptions{}, h, model.Const(g.Builder, "", nil, []int32{3}))
		p := g.Op(model.OpPack, &model.PackOptions{ValuesCount: 2}, h, w)
		return []model.Ref{g.q(g.Op(model.OpReshape, nil, x, p)), g.fixed(g.Op(model.OpFill, nil, p, g.weights()), 0.02, 0), g.q(g.Op(model.OpExpandDims, nil, x, g.axis(-1)))}
	},
	"space": func(g *grapher) []model.Ref {
		x := g.in(1, 4, 6, 4)
		y := g.q(g.SpaceToBatch(x, [2]int{2, 3}, [2][2]int{{1, 1}, {0, 0}}))
		return []model.Ref{g.q(g.BatchToSpace(y, [2]int{2, 3}, [2][2]int{{1, 1}, {0, 0}})), g.q(g.Op(model.OpDepthToSpace, &model.DepthToSpaceOptions{BlockSize: 2}, x)),
			g.q(g.Op(model.OpSpaceToDepth, &model.SpaceToDepthOptions{BlockSize: 2}, x)), g.q(g.ResizeBilinear(x, 7, 5, model.ResizeBilinearOptions{})), g.q(g.ResizeNearest(x, 7, 5, model.ResizeNearestNeighborOptions{}))}
	},
}

func (g *grapher) axis(a int32) model.Ref { return model.Const(g.Builder, "", nil, []int32{a}) }

func (g *grapher) pairs2(h, w int32) model.Ref {
	return model.Const(g.Builder, "", []int{4, 2}, []int32{0, 0, h, h, w, w, 0, 0})
}

// TestOperatorsAllocateNothing runs every operator's graph, on two threads
// where it is large enough for them.
func TestOperatorsAllocateNothing(t *testing.T) {
	for name, data := range opGraphs(t) {
		e := open(t, data, edged.Options{Threads: 2})
		if err := e.Run(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := testing.AllocsPerRun(3, func() { e.Run() }); n != 0 {
			t.Errorf("%s: %g allocations a frame", name, n)
		}
	}
}
