package enginetest

import "edged/model"

// moved is an operator that copies x's elements elsewhere.
func (g *graph) moved(code model.BuiltinOperator, options any, x int32, more ...int32) {
	g.op(code, options, append([]int32{x}, more...), g.like(x))
}

func genSlice(g *graph) {
	shape := g.shape(1, 4)
	x := g.input(shape)
	begin, size := make([]int32, len(shape)), make([]int32, len(shape))
	for i, d := range shape {
		begin[i] = g.between(0, d-1)
		size[i] = g.between(1, d-begin[i])
		if g.chance(0.2) {
			size[i] = -1
		}
	}
	g.moved(model.OpSlice, &model.SliceOptions{}, x, g.ints(begin...), g.ints(size...))
}

func genStridedSlice(g *graph) {
	shape := g.shape(1, 4)
	x := g.input(shape)
	n := len(shape)
	begin, end, stride := make([]int32, n), make([]int32, n), make([]int32, n)
	o := &model.StridedSliceOptions{}
	for i, d := range shape {
		lo := g.between(0, d-1)
		hi := g.between(lo+1, d)
		begin[i], end[i], stride[i] = lo, hi, g.between(1, 3)
		switch bit := int32(1) << i; {
		case g.chance(0.2): // one position, and the dimension goes
			end[i], stride[i] = lo+1, 1
			if n > 1 {
				o.ShrinkAxisMask |= bit
			}
		case g.chance(0.25): // backwards
			begin[i], end[i], stride[i] = hi-1, lo-1, -stride[i]
			if lo == 0 {
				o.EndMask |= bit
			}
		case g.chance(0.2):
			begin[i], end[i] = lo-d, hi // counted from the end
		case g.chance(0.2):
			o.BeginMask |= bit
		case g.chance(0.2):
			o.EndMask |= bit
		}
	}
	g.moved(model.OpStridedSlice, o, x, g.ints(begin...), g.ints(end...), g.ints(stride...))
}

func genGather(g *graph) {
	shape := g.shape(1, 4)
	axis := g.r.IntN(len(shape))
	x := g.input(shape)
	at := g.shape(1, 2)
	v := make([]int32, elems(at))
	for i := range v {
		v[i] = g.between(0, shape[axis]-1)
	}
	indices := g.constant(model.TypeInt32, at, nil, int32s(v...))
	g.moved(model.OpGather, &model.GatherOptions{Axis: int32(axis)}, x, indices)
}

func genReshape(g *graph) {
	shape := g.shape(1, 4)
	x := g.input(shape)
	to := pick(g, []int32{int32(elems(shape))}, []int32{1, int32(elems(shape))}, []int32{shape[0], -1},
		append([]int32{1}, shape...), []int32{int32(elems(shape)) / shape[0], shape[0]})
	o := &model.ReshapeOptions{NewShape: to}
	g.op(model.OpReshape, o, []int32{x, g.ints(to...)}, g.like(x))
}

func genSqueeze(g *graph) {
	shape := g.shape(2, 4)
	one := g.r.IntN(len(shape))
	shape[one] = 1
	x := g.input(shape)
	o := &model.SqueezeOptions{}
	switch g.r.IntN(3) {
	case 0:
		o.SqueezeDims = []int32{int32(one)}
	case 1:
		o.SqueezeDims = []int32{int32(one - len(shape))}
	}
	g.moved(model.OpSqueeze, o, x)
}

func genExpandDims(g *graph) {
	shape := g.shape(1, 3)
	x := g.input(shape)
	axis := g.between(-int32(len(shape))-1, int32(len(shape)))
	g.moved(model.OpExpandDims, &model.ExpandDimsOptions{}, x, g.scalar(axis))
}

func genTranspose(g *graph) {
	shape := g.shape(2, 4)
	x := g.input(shape)
	perm := make([]int32, len(shape))
	for i, p := range g.r.Perm(len(shape)) {
		perm[i] = int32(p)
	}
	g.moved(model.OpTranspose, &model.TransposeOptions{}, x, g.ints(perm...))
}

// paddings draws a [rank, 2] tensor of amounts, each at most limit(dimension).
func (g *graph) paddings(shape []int32, limit func(d int32) int32) int32 {
	v := make([]int32, 2*len(shape))
	for i := range v {
		if g.chance(0.6) {
			v[i] = g.between(0, limit(shape[i/2]))
		}
	}
	return g.constant(model.TypeInt32, []int32{int32(len(shape)), 2}, nil, int32s(v...))
}

func upToThree(int32) int32 { return 3 }

func genPad(g *graph) {
	shape := g.shape(1, 4)
	x := g.input(shape)
	g.moved(model.OpPad, &model.PadOptions{}, x, g.paddings(shape, upToThree))
}

func genPadV2(g *graph) {
	shape := g.shape(1, 4)
	x := g.input(shape)
	t := g.sg.Tensors[x]
	value := g.constant(t.Type, []int32{1}, t.Quantization, g.values(t.Type, 1, -2, 2))
	g.moved(model.OpPadV2, &model.PadV2Options{}, x, g.paddings(shape, upToThree), value)
}

func genMirrorPad(g *graph) {
	shape := g.shape(1, 4)
	x := g.input(shape)
	mode := pick(g, model.MirrorReflect, model.MirrorSymmetric)
	limit := func(d int32) int32 { return min(3, d-1) }
	if mode == model.MirrorSymmetric {
		limit = func(d int32) int32 { return min(3, d) }
	}
	g.moved(model.OpMirrorPad, &model.MirrorPadOptions{Mode: mode}, x, g.paddings(shape, limit))
}

func genTile(g *graph) {
	shape := g.shape(1, 4)
	x := g.input(shape)
	times := make([]int32, len(shape))
	for i := range times {
		times[i] = pick[int32](g, 1, 1, 2, 3)
	}
	g.moved(model.OpTile, &model.TileOptions{}, x, g.ints(times...))
}

func genBroadcastTo(g *graph) {
	to := g.shape(1, 4)
	from := append([]int32(nil), to...)
	for i := range from {
		if g.chance(0.5) {
			from[i] = 1
		}
	}
	from = from[g.r.IntN(len(from)):]
	x := g.input(from)
	g.op(model.OpBroadcastTo, &model.BroadcastToOptions{}, []int32{x, g.ints(to...)}, g.like(x))
}

func genSpaceToBatch(g *graph) {
	bh, bw := g.between(1, 3), g.between(1, 3)
	shape := []int32{g.between(1, 2), g.between(1, 7), g.between(1, 7), g.channels()}
	top, left := g.between(0, 3), g.between(0, 3)
	bottom, right := ceilTo(shape[1]+top, bh)-shape[1]-top, ceilTo(shape[2]+left, bw)-shape[2]-left
	if g.chance(0.3) {
		bottom += bh
	}
	block, pads := []int32{bh, bw}, []int32{top, bottom, left, right}
	if g.chance(0.2) { // rank three: one spatial dimension
		shape, block, pads = []int32{shape[0], shape[1], shape[3]}, block[:1], pads[:2]
	}
	x := g.input(shape)
	amounts := g.constant(model.TypeInt32, []int32{int32(len(block)), 2}, nil, int32s(pads...))
	g.moved(model.OpSpaceToBatchND, &model.SpaceToBatchNDOptions{}, x, g.ints(block...), amounts)
}

func ceilTo(n, step int32) int32 { return (n + step - 1) / step * step }

func genBatchToSpace(g *graph) {
	bh, bw := g.between(1, 3), g.between(1, 3)
	shape := []int32{g.between(1, 2) * bh * bw, g.between(2, 7), g.between(2, 7), g.channels()}
	crop := func(n int32) (a, b int32) { a = g.between(0, n/2); return a, g.between(0, (n-1)/2) }
	top, bottom := crop(shape[1] * bh)
	left, right := crop(shape[2] * bw)
	x := g.input(shape)
	amounts := g.constant(model.TypeInt32, []int32{2, 2}, nil, int32s(top, bottom, left, right))
	g.moved(model.OpBatchToSpaceND, &model.BatchToSpaceNDOptions{}, x, g.ints(bh, bw), amounts)
}

func genSpaceToDepth(g *graph) {
	b := g.between(1, 3)
	x := g.input([]int32{g.batch(), b * g.between(1, 5), b * g.between(1, 5), g.between(1, 9)})
	g.moved(model.OpSpaceToDepth, &model.SpaceToDepthOptions{BlockSize: b}, x)
}

func genDepthToSpace(g *graph) {
	b := g.between(1, 3)
	x := g.input([]int32{g.batch(), g.between(1, 5), g.between(1, 5), b * b * g.between(1, 9)})
	g.moved(model.OpDepthToSpace, &model.DepthToSpaceOptions{BlockSize: b}, x)
}

// sampling draws one of the three pixel conventions and a target size.
func (g *graph) sampling() (corners, centers bool, size int32) {
	switch g.r.IntN(3) {
	case 0:
		corners = true
	case 1:
		centers = true
	}
	return corners, centers, g.ints(g.between(1, 20), g.between(1, 20))
}

func genResizeBilinear(g *graph) {
	x := g.input(g.image())
	corners, centers, size := g.sampling()
	o := &model.ResizeBilinearOptions{AlignCorners: corners, HalfPixelCenters: centers}
	g.op(model.OpResizeBilinear, o, []int32{x, size}, g.like(x))
}

func genResizeNearest(g *graph) {
	x := g.input(g.image())
	corners, centers, size := g.sampling()
	o := &model.ResizeNearestNeighborOptions{AlignCorners: corners, HalfPixelCenters: centers}
	g.op(model.OpResizeNearestNeighbor, o, []int32{x, size}, g.like(x))
}

func genReverse(g *graph) {
	shape := g.shape(1, 4)
	x := g.input(shape)
	g.op(model.OpReverseV2, &model.ReverseV2Options{}, []int32{x, g.ints(int32(g.r.IntN(len(shape))))}, g.like(x))
}
