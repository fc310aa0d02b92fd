package enginetest

import (
	"encoding/binary"

	"edged/model"
)

// genCompare draws a comparison; close operands, so that some are equal. Scales
// stay below one: TFLite aborts beyond.
func genCompare(code model.BuiltinOperator, options any) func(*graph) {
	return func(g *graph) {
		a, b := g.operands(g.quant(), g.quant())
		if g.kind == f32 && g.chance(0.3) {
			b = a
		}
		g.op(code, options, []int32{a, b}, g.tensor(model.TypeBool, nil, nil))
	}
}

func genLogical(code model.BuiltinOperator, options any) func(*graph) {
	return func(g *graph) {
		a, b := g.operands(nil, nil)
		g.op(code, options, []int32{a, b}, g.result())
	}
}

// genDivided draws an operator with a constant right operand in [lo, hi] without
// zero, or a computed one.
func genDivided(code model.BuiltinOperator, options any, lo, hi int32) func(*graph) {
	return func(g *graph) {
		sa, sb := g.broadcast()
		a := g.input(sa)
		data := g.divisors(elems(sb), lo, hi)
		b := g.constant(g.kind.dtype, sb, nil, data)
		if g.chance(0.3) {
			g.sg.Tensors[b].Buffer = 0
			g.sg.Inputs = append(g.sg.Inputs, b)
			g.fills = append(g.fills, func() []byte { return data })
		}
		g.op(code, options, []int32{a, b}, g.result())
	}
}

// divisors are n numbers in [lo, hi] without zero; as floats they have halves.
func (g *graph) divisors(n int, lo, hi int32) []byte {
	var out []byte
	for range n {
		v := g.between(lo, hi)
		if v == 0 {
			v = 1
		}
		switch g.kind.dtype {
		case model.TypeInt64:
			out = binary.LittleEndian.AppendUint64(out, uint64(v))
		case model.TypeInt32:
			out = append(out, int32s(v)...)
		default:
			out = append(out, float32s(float32(v)+pick[float32](g, 0, 0.25, 0.5))...)
		}
	}
	return out
}

// genPow raises positive floats, or small integers.
func genPow(g *graph) {
	sa, sb := g.broadcast()
	a, b := g.inputIn(sa, 0.1, 4), int32(0)
	if g.kind == i32 {
		a = g.inputIn(sa, -0.06, 0.06)
		b = g.constant(model.TypeInt32, sb, nil, g.values(model.TypeInt32, elems(sb), 0, 0.12))
	} else {
		b = g.inputIn(sb, -3, 3)
	}
	g.op(model.OpPow, &model.PowOptions{}, []int32{a, b}, g.result())
}

func genAddN(g *graph) {
	shape := g.shape(1, 4)
	in := []int32{g.input(shape)}
	for range g.between(1, 4) {
		in = append(in, g.input(shape))
	}
	g.op(model.OpAddN, &model.AddNOptions{}, in, g.result())
}

// genSelect draws SELECT: a condition for every element, for each first index,
// or one.
func genSelect(g *graph) {
	shape, q := g.shape(1, 4), g.quant()
	x := g.inputQ(shape, g.kind.dtype, q, -2, 2)
	y := g.operand(shape, q, -2, 2)
	condition := pick(g, shape, shape[:1], nil)
	if len(shape) > 1 && shape[0] == 1 && len(condition) == 1 { // TFLite takes it for one that is too small
		condition = shape
	}
	c := g.inputQ(condition, model.TypeBool, nil, 0, 1)
	g.op(model.OpSelect, &model.SelectOptions{}, []int32{c, x, y}, g.like(x))
}

func genSelectV2(g *graph) {
	sa, sb := g.broadcast()
	q := g.quant()
	c := g.inputQ(pick(g, sa, sb, []int32{1}), model.TypeBool, nil, 0, 1)
	x, y := g.inputQ(sa, g.kind.dtype, q, -2, 2), g.operand(sb, q, -2, 2)
	g.op(model.OpSelectV2, &model.SelectV2Options{}, []int32{c, x, y}, g.like(x))
}

// genGatherND draws constant indices or computed ones, within bounds.
func genGatherND(g *graph) {
	x := g.input(g.shape(1, 4))
	shape := g.shapeOf(x)
	depth := g.between(1, int32(len(shape)))
	index := append(g.shape(0, 2), depth)
	t := pick(g, model.TypeInt32, model.TypeInt64)
	var data []byte
	for range elems(index[:len(index)-1]) {
		for _, n := range shape[:depth] {
			data = appendInt(data, t, int64(g.r.Int32N(n)))
		}
	}
	at := g.constant(t, index, nil, data)
	if g.chance(0.5) {
		g.sg.Tensors[at].Buffer = 0
		g.sg.Inputs = append(g.sg.Inputs, at)
		g.fills = append(g.fills, func() []byte { return data })
	}
	g.op(model.OpGatherND, &model.GatherNdOptions{}, []int32{x, at}, g.like(x))
}

func appendInt(b []byte, t model.TensorType, v int64) []byte {
	if t == model.TypeInt64 {
		return binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return append(b, int32s(int32(v))...)
}

// genOneHot draws indices of which some lie outside of the depth.
func genOneHot(g *graph) {
	index := g.inputQ(g.shape(1, 3), pick(g, model.TypeInt32, model.TypeInt64), nil, -0.04, 0.14)
	q := g.quant()
	value := func() int32 { return g.constant(g.kind.dtype, nil, q, g.values(g.kind.dtype, 1, -2, 2)) }
	axis := g.between(-1, int32(len(g.shapeOf(index))))
	g.op(model.OpOneHot, &model.OneHotOptions{Axis: axis}, []int32{index, g.scalar(g.between(1, 9)), value(), value()},
		g.tensor(g.kind.dtype, nil, q))
}

func genCumsum(g *graph) {
	x := g.input(g.shape(1, 4))
	axis := g.axes(len(g.shapeOf(x)))[0]
	g.op(model.OpCumsum, &model.CumsumOptions{Exclusive: g.chance(0.5), Reverse: g.chance(0.5)},
		[]int32{x, g.scalar(axis)}, g.like(x))
}

func genTopK(g *graph) {
	shape := g.shape(1, 3)
	shape[len(shape)-1] = g.between(1, 40)
	x := g.input(shape)
	g.op(model.OpTopKV2, &model.TopKV2Options{}, []int32{x, g.scalar(g.between(1, shape[len(shape)-1]))},
		g.like(x), g.tensor(model.TypeInt32, nil, nil))
}

// genBroadcastArgs draws what exporters write: the shape that two tensors
// broadcast to, and one of them broadcast to it.
func genBroadcastArgs(g *graph) {
	sa, sb := g.broadcast()
	a, b := g.input(sa), g.input(sb)
	shapeOf := func(x int32) int32 {
		y := g.tensor(model.TypeInt32, nil, nil)
		g.op(model.OpShape, &model.ShapeOptions{OutType: model.TypeInt32}, []int32{x}, y)
		return y
	}
	to := g.tensor(model.TypeInt32, nil, nil)
	g.op(model.OpBroadcastArgs, nil, []int32{shapeOf(a), shapeOf(b)}, to)
	y := g.like(a)
	g.op(model.OpBroadcastTo, &model.BroadcastToOptions{}, []int32{a, to}, y)
}

func genLocalResponse(g *graph) {
	x := g.input(g.image())
	g.op(model.OpLocalResponseNormalization, &model.LocalResponseNormalizationOptions{
		Radius: g.between(0, 7), Bias: 0.5 + g.r.Float32(), Alpha: pick[float32](g, 0, 1e-4, 0.1, 1), Beta: pick[float32](g, 0.5, 0.75, 1)},
		[]int32{x}, g.result())
}
