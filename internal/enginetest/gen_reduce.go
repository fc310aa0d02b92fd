package enginetest

import (
	"slices"

	"edged/model"
)

// axes draws distinct axes of a rank, in any order, some counted from the end.
func (g *graph) axes(rank int) []int32 {
	out := []int32{}
	for _, a := range g.r.Perm(rank)[:g.between(1, int32(rank))] {
		if g.chance(0.3) {
			a -= rank
		}
		out = append(out, int32(a))
	}
	return out
}

func genReduce(code model.BuiltinOperator) func(*graph) {
	return func(g *graph) {
		shape := g.shape(1, 4)
		axes := g.axes(len(shape))
		if code == model.OpMean && g.chance(0.5) { // the global pool has kernels of its own
			shape, axes = g.image(), []int32{1, 2}
		}
		for _, a := range axes {
			g.terms *= int(shape[(int(a)+len(shape))%len(shape)])
		}
		g.terms++
		x := g.input(shape)
		out := g.result()
		if code == model.OpReduceMax || code == model.OpReduceMin {
			out = g.like(x)
		}
		g.op(code, &model.ReducerOptions{KeepDims: g.chance(0.5)}, []int32{x, g.ints(axes...)}, out)
	}
}

func genArg(code model.BuiltinOperator) func(*graph) {
	return func(g *graph) {
		shape := g.shape(1, 4)
		x := g.input(shape)
		axis := g.axes(len(shape))[0]
		to := pick(g, model.TypeInt32, model.TypeInt64)
		var options any = &model.ArgMaxOptions{OutputType: to}
		if code == model.OpArgMin {
			options = &model.ArgMinOptions{OutputType: to}
		}
		g.op(code, options, []int32{x, g.scalar(axis)}, g.tensor(to, nil, nil))
	}
}

func genConcatenation(g *graph) {
	shape := g.shape(1, 4)
	axis := g.r.IntN(len(shape))
	q := g.quant()
	var in []int32
	for range g.between(1, 4) {
		s := slices.Clone(shape)
		s[axis] = g.between(1, 6)
		in = append(in, g.operand(s, q, -2, 2))
	}
	if len(g.sg.Inputs) == 0 {
		in = append(in, g.inputQ(shape, g.kind.dtype, q, -2, 2))
	}
	if g.chance(0.3) {
		axis -= len(shape)
	}
	out := g.tensor(g.kind.dtype, nil, q)
	g.op(model.OpConcatenation, &model.ConcatenationOptions{Axis: int32(axis)}, in, out)
}

// likes adds n outputs of x's type.
func (g *graph) likes(x int32, n int32) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = g.like(x)
	}
	return out
}

func genSplit(g *graph) {
	shape := g.shape(1, 4)
	axis := g.r.IntN(len(shape))
	parts := g.between(1, 4)
	shape[axis] = parts * g.between(1, 4)
	x := g.input(shape)
	g.op(model.OpSplit, &model.SplitOptions{NumSplits: parts},
		[]int32{g.scalar(int32(axis)), x}, g.likes(x, parts)...)
}

func genSplitV(g *graph) {
	shape := g.shape(1, 4)
	axis := g.r.IntN(len(shape))
	sizes := make([]int32, g.between(1, 4))
	shape[axis] = 0
	for i := range sizes {
		sizes[i] = g.between(1, 4)
		shape[axis] += sizes[i]
	}
	if g.chance(0.3) {
		sizes[g.r.IntN(len(sizes))] = -1
	}
	x := g.input(shape)
	g.op(model.OpSplitV, &model.SplitVOptions{NumSplits: int32(len(sizes))},
		[]int32{x, g.ints(sizes...), g.scalar(int32(axis))}, g.likes(x, int32(len(sizes)))...)
}

func genPack(g *graph) {
	shape := g.shape(1, 3)
	q := g.quant()
	in := []int32{g.inputQ(shape, g.kind.dtype, q, -2, 2)}
	for range g.between(0, 3) {
		in = append(in, g.operand(shape, q, -2, 2))
	}
	axis := g.between(-int32(len(shape)), int32(len(shape)))
	g.op(model.OpPack, &model.PackOptions{ValuesCount: int32(len(in)), Axis: axis},
		in, g.tensor(g.kind.dtype, nil, q))
}

func genUnpack(g *graph) {
	shape := g.shape(2, 4)
	axis := g.r.IntN(len(shape))
	n := min(shape[axis], 5)
	shape[axis] = n
	x := g.input(shape)
	g.op(model.OpUnpack, &model.UnpackOptions{Num: n, Axis: int32(axis)}, []int32{x}, g.likes(x, n)...)
}
