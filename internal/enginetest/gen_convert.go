package enginetest

import "edged/model"

// genQuantize quantises floats, or requantises.
func genQuantize(g *graph) {
	if g.chance(0.5) {
		genRequantize(g)
		return
	}
	x := g.inputQ(g.shape(1, 4), model.TypeFloat32, nil, -4, 4)
	g.op(model.OpQuantize, &model.QuantizeOptions{}, []int32{x}, g.result())
}

func genRequantize(g *graph) {
	x := g.input(g.shape(1, 4))
	to := pick(g, i8, u8)
	from := g.kind
	g.kind = to
	out := g.result()
	g.kind = from
	g.op(model.OpQuantize, &model.QuantizeOptions{}, []int32{x}, out)
}

func genDequantize(g *graph) {
	shape := g.shape(1, 4)
	t, q := g.kind.dtype, g.quant()
	if g.kind.form == half {
		x := g.constant(model.TypeFloat16, shape, nil, g.values(model.TypeFloat16, elems(shape), -4, 4))
		g.addInput(g.dequantize(x))
		return
	}
	x := g.inputQ(shape, t, q, -2, 2)
	g.dequantize(x)
}

// castTypes leave out unsigned targets: a negative float has no defined image there.
func genCast(g *graph) {
	from := g.kind.dtype
	x := g.inputQ(g.shape(1, 4), from, nil, -2, 2)
	to := pick(g, model.TypeFloat32, model.TypeInt32, model.TypeInt64, model.TypeInt8)
	if from != model.TypeFloat32 {
		to = pick(g, model.TypeFloat32, model.TypeInt32, model.TypeInt64, model.TypeUint8, model.TypeInt8)
	}
	o := &model.CastOptions{InDataType: from, OutDataType: to}
	g.op(model.OpCast, o, []int32{x}, g.tensor(to, nil, nil))
}

func genShape(g *graph) {
	x := g.input(g.shape(1, 4))
	to := pick(g, model.TypeInt32, model.TypeInt64)
	g.op(model.OpShape, &model.ShapeOptions{OutType: to}, []int32{x}, g.tensor(to, nil, nil))
}

func genFill(g *graph) {
	shape := g.shape(1, 4)
	q := g.quant()
	value := g.inputQ(nil, g.kind.dtype, q, -2, 2)
	g.op(model.OpFill, &model.FillOptions{}, []int32{g.ints(shape...), value}, g.tensor(g.kind.dtype, nil, q))
}

// genDensify stores a matrix by compressed rows: level 0 dense, level 1 CSR.
func genDensify(g *graph) {
	rows, cols := g.between(1, 9), g.between(1, 9)
	var values []float32
	segments, indices := []int32{0}, []int32{}
	for range rows {
		for c := range cols {
			if g.chance(0.4) {
				values, indices = append(values, float32(g.between(1, 99))), append(indices, c)
			}
		}
		segments = append(segments, int32(len(values)))
	}
	if len(values) == 0 {
		values, indices, segments[rows] = []float32{7}, []int32{0}, 1
	}
	x := g.constant(model.TypeFloat32, []int32{rows, cols}, nil, float32s(values...))
	g.sg.Tensors[x].Sparsity = &model.Sparsity{
		TraversalOrder: []int32{0, 1},
		DimMetadata: []*model.DimensionMetadata{
			{Format: model.DimensionDense, DenseSize: rows},
			{Format: model.DimensionSparseCSR, ArraySegments: &model.Int32Vector{Values: segments}, ArrayIndices: &model.Int32Vector{Values: indices}},
		},
	}
	dense := g.tensor(model.TypeFloat32, []int32{rows, cols}, nil)
	g.op(model.OpDensify, &model.DensifyOptions{}, []int32{x}, dense)
	g.addInput(dense)
}

// addInput adds an input to the float32 constant expression x: engines fold
// what depends on no input.
func (g *graph) addInput(x int32) {
	y := g.inputQ(g.shapeOf(x), model.TypeFloat32, nil, -2, 2)
	g.op(model.OpAdd, &model.AddOptions{PotScaleInt16: true}, []int32{x, y}, g.tensor(model.TypeFloat32, nil, nil))
}
