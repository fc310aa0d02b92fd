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
	if from := g.kind.dtype; from == model.TypeInt16 {
		to = pick(g, i8, i16Plain)
	}
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

// genDensify stores a sparse matrix and adds it to an input: level 0 dense,
// level 1 compressed rows, and sometimes blocks of 1x4 behind them, as sparse
// float16 weights have.
func genDensify(g *graph) {
	rows, cols, block := g.between(1, 9), g.between(1, 9), int32(1)
	sparsity := &model.Sparsity{TraversalOrder: []int32{0, 1}}
	if g.chance(0.5) {
		block = 4
		sparsity.TraversalOrder, sparsity.BlockMap = []int32{0, 1, 2}, []int32{1}
	}
	segments, indices := []int32{0}, []int32{}
	for range rows {
		for c := range cols {
			if g.chance(0.4) || len(indices) == 0 {
				indices = append(indices, c)
			}
		}
		segments = append(segments, int32(len(indices)))
	}
	sparsity.DimMetadata = []*model.DimensionMetadata{
		{Format: model.DimensionDense, DenseSize: rows},
		{Format: model.DimensionSparseCSR, ArraySegments: g.vector(segments), ArrayIndices: g.vector(indices)},
	}
	if block > 1 {
		sparsity.DimMetadata = append(sparsity.DimMetadata, &model.DimensionMetadata{Format: model.DimensionDense, DenseSize: block})
	}
	t, shape := model.TypeFloat32, []int32{rows, cols * block}
	if g.kind.form == half {
		t = model.TypeFloat16
	}
	x := g.constant(t, shape, nil, g.values(t, len(indices)*int(block), -4, 4))
	g.sg.Tensors[x].Sparsity = sparsity
	dense := g.tensor(t, shape, nil)
	g.op(model.OpDensify, &model.DensifyOptions{}, []int32{x}, dense)
	if t == model.TypeFloat16 {
		dense = g.dequantize(dense)
	}
	g.addInput(dense)
}

// vector stores small numbers in any of the three index types.
func (g *graph) vector(v []int32) any {
	switch g.r.IntN(3) {
	case 0:
		u := &model.Uint8Vector{}
		for _, x := range v {
			u.Values = append(u.Values, uint8(x))
		}
		return u
	case 1:
		u := &model.Uint16Vector{}
		for _, x := range v {
			u.Values = append(u.Values, uint16(x))
		}
		return u
	}
	return &model.Int32Vector{Values: v}
}

// addInput adds an input to the float32 constant expression x: engines fold
// what depends on no input.
func (g *graph) addInput(x int32) {
	y := g.inputQ(g.shapeOf(x), model.TypeFloat32, nil, -2, 2)
	g.op(model.OpAdd, &model.AddOptions{PotScaleInt16: true}, []int32{x, y}, g.tensor(model.TypeFloat32, nil, nil))
}
