//go:build tflite && cgo

package model_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"edged/model"
)

// family draws one case of an operator family.
type family func(r *rand.Rand, b *model.Builder) []model.Ref

// Random cases of every family that changes a shape, against TFLite.
func TestFamiliesAreTFLites(t *testing.T) {
	const casesEach = 60
	for _, name := range slices.Sorted(maps.Keys(families)) {
		draw := families[name]
		for i := range uint64(casesEach) {
			checkShapes(t, fmt.Sprintf("%s %d", name, i), func(b *model.Builder) []model.Ref {
				return draw(rand.New(rand.NewPCG(i, 9)), b)
			})
		}
	}
}

// draw is a shape of rank dimensions from 1 to 6.
func draw(r *rand.Rand, rank int) []int {
	s := make([]int, rank)
	for i := range s {
		s[i] = 1 + r.IntN(6)
	}
	return s
}

func input(b *model.Builder, shape []int) model.Ref {
	return b.Input("", model.TypeFloat32, shape...)
}

// anyAxis is an axis, counted from either end.
func anyAxis(r *rand.Rand, rank int) int { return r.IntN(2*rank) - rank }

var families = map[string]family{
	"broadcast": func(r *rand.Rand, b *model.Builder) []model.Ref {
		s := draw(r, 1+r.IntN(4))
		x, y := append([]int{}, s...), append([]int{}, s[r.IntN(len(s)):]...)
		for i := range x {
			if r.IntN(3) == 0 {
				x[i] = 1
			}
		}
		for i := range y {
			if r.IntN(3) == 0 {
				y[i] = 1
			}
		}
		return refs(b.Add(input(b, x), input(b, y), model.ActNone), b.Mul(input(b, y), input(b, x), model.ActNone))
	},
	"reduce": func(r *rand.Rand, b *model.Builder) []model.Ref {
		s := draw(r, 4)
		x := input(b, s)
		axes := []int{anyAxis(r, 4)}
		if r.IntN(2) == 0 {
			axes = append(axes, anyAxis(r, 4))
		}
		keep := r.IntN(2) == 0
		return refs(b.Mean(x, keep, axes...), b.Reduce(model.OpReduceMax, x, keep, axes...), b.Reduce(model.OpSum, x, keep, axes...),
			b.Op(model.OpArgMax, &model.ArgMaxOptions{OutputType: model.TypeInt64}, x, scalar(b, int32(anyAxis(r, 4)))))
	},
	"transpose": func(r *rand.Rand, b *model.Builder) []model.Ref {
		rank := 1 + r.IntN(5)
		return refs(b.Transpose(input(b, draw(r, rank)), r.Perm(rank)...))
	},
	"concatenation": func(r *rand.Rand, b *model.Builder) []model.Ref {
		s := draw(r, 1+r.IntN(4))
		a := anyAxis(r, len(s))
		xs := []model.Ref{input(b, s)}
		for range 1 + r.IntN(2) {
			s[(a+len(s))%len(s)] = 1 + r.IntN(5)
			xs = append(xs, input(b, s))
		}
		return refs(b.Concat(a, xs...))
	},
	"split": func(r *rand.Rand, b *model.Builder) []model.Ref {
		s := draw(r, 4)
		a := anyAxis(r, 4)
		n := 1 + r.IntN(3)
		s[(a+4)%4] = n * (2 + r.IntN(3))
		x := input(b, s)
		out := b.Ops(model.OpSplit, &model.SplitOptions{NumSplits: int32(n)}, n, scalar(b, int32(a)), x)
		first := 1 + r.IntN(s[(a+4)%4]-1)
		out = append(out, b.Ops(model.OpSplitV, &model.SplitVOptions{NumSplits: 2}, 2, x, b.Ints(first, s[(a+4)%4]-first), scalar(b, int32(a)))...)
		return out
	},
	"pack and unpack": func(r *rand.Rand, b *model.Builder) []model.Ref {
		s := draw(r, 1+r.IntN(3))
		x, y := input(b, s), input(b, s)
		a := anyAxis(r, len(s)+1)
		packed := b.Op(model.OpPack, &model.PackOptions{ValuesCount: 2, Axis: int32(a)}, x, y)
		return append(b.Ops(model.OpUnpack, &model.UnpackOptions{Num: 2, Axis: int32(a)}, 2, packed), packed)
	},
	"pad": func(r *rand.Rand, b *model.Builder) []model.Ref {
		rank := 2 + r.IntN(3)
		x := input(b, draw(r, rank))
		pads := make([][2]int, rank)
		for i := range pads {
			pads[i] = [2]int{r.IntN(3), r.IntN(3)}
		}
		return refs(b.Pad(x, pads...), b.PadV2(x, model.Const(b, "", nil, []float32{-1}), pads...))
	},
	"gather": func(r *rand.Rand, b *model.Builder) []model.Ref {
		s := draw(r, 3)
		batch := r.IntN(2)
		a := batch + r.IntN(3-batch)
		index := draw(r, 1+batch+r.IntN(2))
		n := 1
		for i := range index {
			if i < batch {
				index[i] = s[i]
			}
			n *= index[i]
		}
		ids := model.Const(b, "", index, make([]int32, n))
		return refs(b.Op(model.OpGather, &model.GatherOptions{Axis: int32(a), BatchDims: int32(batch)}, input(b, s), ids))
	},
	"space and batch": func(r *rand.Rand, b *model.Builder) []model.Ref {
		block := [2]int{1 + r.IntN(3), 1 + r.IntN(3)}
		s := draw(r, 4)
		pads := [2][2]int{}
		for i := range pads {
			pads[i][0] = r.IntN(3)
			pads[i][1] = block[i]*(s[i+1]+2) - s[i+1] - pads[i][0]
		}
		y := b.SpaceToBatch(input(b, s), block, pads)
		return refs(y, b.BatchToSpace(y, block, [2][2]int{{r.IntN(2), r.IntN(2)}, {0, 1}}))
	},
	"resize, tile, stretch": func(r *rand.Rand, b *model.Builder) []model.Ref {
		s := draw(r, 4)
		x := input(b, s)
		to := append([]int{}, s...)
		one := append([]int{}, s...)
		one[r.IntN(4)] = 1
		return refs(b.ResizeBilinear(x, 1+r.IntN(9), 1+r.IntN(9), model.ResizeBilinearOptions{}), b.ResizeNearest(x, 1+r.IntN(9), 1+r.IntN(9), model.ResizeNearestNeighborOptions{}),
			b.Op(model.OpTile, &model.TileOptions{}, x, b.Ints(draw(r, 4)...)), b.Op(model.OpBroadcastTo, &model.BroadcastToOptions{}, input(b, one), b.Ints(to...)))
	},
	"squeeze, expand, reshape": func(r *rand.Rand, b *model.Builder) []model.Ref {
		s := draw(r, 4)
		s[r.IntN(4)], s[2] = 1, 1
		x := input(b, s)
		n := s[0] * s[1] * s[3]
		return refs(b.Op(model.OpSqueeze, &model.SqueezeOptions{}, x), b.Op(model.OpSqueeze, &model.SqueezeOptions{SqueezeDims: []int32{-2}}, x),
			b.Op(model.OpExpandDims, &model.ExpandDimsOptions{}, x, scalar(b, int32(r.IntN(9)-4-1))), b.Reshape(x, n), b.Reshape(x, s[3], -1))
	},
	"pool and depthwise": func(r *rand.Rand, b *model.Builder) []model.Ref {
		x := image(b, 8+r.IntN(8), 8+r.IntN(8), 1+r.IntN(3))
		o := model.Pool2DOptions{
			Padding: model.Padding(r.IntN(2)), FilterHeight: 1 + r.Int32N(4), FilterWidth: 1 + r.Int32N(4), StrideH: 1 + r.Int32N(3), StrideW: 1 + r.Int32N(3),
		}
		w := floats(b, 1, 1+r.IntN(3), 1+r.IntN(3), b.Shape(x)[3]*(1+r.IntN(2)))
		d := model.DepthwiseConv2DOptions{Padding: o.Padding, StrideH: 1 + r.Int32N(3), StrideW: 1 + r.Int32N(3), DilationH: 1 + r.Int32N(3), DilationW: 1 + r.Int32N(3)}
		return refs(b.MaxPool(x, o), b.AvgPool(x, o), b.L2Pool(x, o), b.DepthwiseConv2D(x, w, model.None, d))
	},
	"computed sizes": func(r *rand.Rand, b *model.Builder) []model.Ref {
		x := input(b, draw(r, 4))
		shape := b.Op(model.OpShape, &model.ShapeOptions{OutType: model.TypeInt32}, x)
		k := r.IntN(4)
		at := func(i int) model.Ref {
			return b.Op(model.OpGather, &model.GatherOptions{}, shape, b.Ints(i))
		}
		rest := b.Op(model.OpReduceProd, &model.ReducerOptions{KeepDims: true}, shape, b.Ints(0))
		rest = b.Op(model.OpFloorDiv, &model.FloorDivOptions{}, rest, at(k))
		to := b.Concat(0, at(k), b.Maximum(rest, b.Ints(1)))
		half := b.Op(model.OpFloorDiv, &model.FloorDivOptions{}, b.Add(at(1), b.Ints(1), model.ActNone), b.Ints(2))
		two := b.Concat(0, b.Add(half, b.Ints(2), model.ActNone), b.Sub(at(2), b.Ints(-3), model.ActNone))
		return refs(b.Op(model.OpReshape, &model.ReshapeOptions{}, x, to), b.Op(model.OpResizeBilinear, &model.ResizeBilinearOptions{}, x, two),
			b.Op(model.OpFill, &model.FillOptions{}, b.StridedSlice(shape, []int{3}, []int{0}, []int{-1}, model.StridedSliceOptions{}), model.Const(b, "", nil, []float32{2})))
	},
}
