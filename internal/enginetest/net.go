package enginetest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"edged/model"
)

// newNet draws a whole random net: a kind, and three to twelve operators over
// maps that branch, join and end in one or more outputs.
func newNet(k kind, seed uint64) *Case {
	name := fmt.Sprintf("net/%s/%d", k.name, seed)
	g := newGraph(rand.New(rand.NewPCG(seed, seedOf(k.name))), k)
	g.unit = true
	n := &netBuilder{graph: g, open: seed%5 == 1}
	n.maps = []int32{g.input([]int32{1, g.between(1, 24), g.between(1, 24), g.channels()})}
	for range g.between(3, 12) {
		n.layer()
	}
	if len(g.sg.Operators) == 0 { // every layer drawn needed a larger map
		n.conv()
	}
	if g.chance(0.3) && !n.open {
		n.head()
	}
	if seed%5 == 0 {
		n.planes()
	}
	c := g.finish(name, n.bound())
	if n.open && !c.shortSame() {
		c.leaveOpen()
	}
	return c
}

// shortSame says that a SAME window is shorter than its stride: XNNPACK fixes its
// padding at load, so TensorFlow Lite's engine gives such a net no other size.
func (c *Case) shortSame() bool {
	sg := c.Model.Subgraphs[0]
	return slices.ContainsFunc(sg.Operators, func(op *model.Operator) bool {
		w, ok := model.WindowOf(c.Model, sg, op)
		return ok && w.Padding == model.PaddingSame && (w.Filter[0] < w.Stride[0] || w.Filter[1] < w.Stride[1])
	})
}

// FloatNet is the random float32 net of a seed, for those who hold other runtimes
// against ours.
func FloatNet(seed uint64) *Case { return newNet(f32, seed) }

// planes turns the net's first input and a last map into [1, c, h, w], as nets
// from PyTorch come.
func (n *netBuilder) planes() {
	in := n.sg.Inputs[0]
	s := n.shapeOf(in)
	t := *n.sg.Tensors[in]
	t.Shape, t.ShapeSignature = []int32{s[0], s[3], s[1], s[2]}, nil
	n.sg.Tensors = append(n.sg.Tensors, &t)
	n.sg.Inputs[0] = int32(len(n.sg.Tensors) - 1)
	n.op(model.OpTranspose, &model.TransposeOptions{}, []int32{n.sg.Inputs[0], n.ints(0, 2, 3, 1)}, in)
	last := len(n.sg.Operators) - 1
	n.sg.Operators = append([]*model.Operator{n.sg.Operators[last]}, n.sg.Operators[:last]...)
	x := n.maps[len(n.maps)-1]
	n.emit(model.OpTranspose, &model.TransposeOptions{}, n.like(x), x, n.ints(0, 3, 1, 2))
}

// netFloor lets float32 nets differ by 1e-4 of an output's largest magnitude.
const netFloor = 1e-4 / eps

// hybridFloor lets nets of dynamic-range weights differ by what follows where a
// rounding of a float on the way moves a map's values over an edge between two of
// the 255 that the next layer reads.
const hybridFloor = 0.02 / eps

func (n *netBuilder) bound() Bound {
	if n.kind.form == hybrid || n.kind.form == hybridPerChannel {
		return Bound{Floor: hybridFloor}
	}
	return Bound{Floor: netFloor}
}

// netBuilder grows a net. maps are the NHWC tensors made so far.
type netBuilder struct {
	*graph
	maps []int32
	open bool // without operators whose constants know the map's size
}

// leaveOpen makes the case's file one whose size is open: heights and widths are
// place-holders of 1, with signatures of -1, and the engine is given the size.
func (c *Case) leaveOpen() {
	sg := c.Model.Subgraphs[0]
	c.Size = slices.Clone(sg.Tensors[sg.Inputs[0]].Shape)
	for _, t := range sg.Tensors {
		if len(t.Shape) == 4 && c.Model.Data(t) == nil {
			t.ShapeSignature = []int32{t.Shape[0], -1, -1, t.Shape[3]}
			t.Shape = []int32{t.Shape[0], 1, 1, t.Shape[3]}
		}
	}
}

// source is the tensor that the next layer reads: the newest, mostly.
func (n *netBuilder) source() int32 {
	if n.chance(0.75) {
		return n.maps[len(n.maps)-1]
	}
	return pick(n.graph, n.maps...)
}

// emit adds an operator with one output, infers its shape, and adds it to maps.
func (n *netBuilder) emit(code model.BuiltinOperator, options any, out int32, in ...int32) int32 {
	n.op(code, options, in, out)
	op := n.sg.Operators[len(n.sg.Operators)-1]
	shapes, err := n.m.OutputShapes(n.sg, op)
	if err != nil {
		panic("BUG: generated net: " + err.Error())
	}
	n.sg.Tensors[out].Shape = shapes[0]
	if len(shapes[0]) == 4 {
		n.maps = append(n.maps, out)
	}
	return out
}

func (n *netBuilder) layer() {
	layers := []func(){
		n.conv, n.conv, n.conv, n.depthwise, n.depthwise, n.pool, n.pool, n.dilatedPool, n.join, n.join, n.concat,
		n.scale, n.activate, n.activate, n.pad, n.padThenConv, n.resize, n.slice, n.squeezeExcite, n.transposeConv,
	}
	if n.open {
		layers = []func(){n.conv, n.conv, n.conv, n.depthwise, n.depthwise, n.pool, n.join, n.concat, n.scale, n.activate, n.pad, n.padThenConv, n.squeezeExcite}
	}
	layers[n.r.IntN(len(layers))]()
}

// near is an output like x whose scale is of x's order.
func (n *netBuilder) near(x int32) int32 {
	if !n.kind.quantised() {
		return n.like(x)
	}
	scale := scaleOf(n.sg.Tensors[x].Quantization) * (0.7 + n.r.Float32())
	return n.tensor(n.kind.dtype, nil, n.quantScaled(scale))
}

func (n *netBuilder) conv() { n.convOf(n.source(), n.between(1, 3), n.between(1, 3), n.channels()) }

func (n *netBuilder) convOf(x, kh, kw, out int32) int32 {
	in := n.shapeOf(x)
	n.terms = int(kh*kw*in[3]) + 1
	weights, scales := n.weights([]int32{out, kh, kw, in[3]}, 0)
	bias := n.bias(out, x, scales)
	o := &model.Conv2DOptions{StrideH: pick[int32](n.graph, 1, 1, 2), StrideW: pick[int32](n.graph, 1, 1, 2), Activation: n.activation()}
	o.DilationH, o.DilationW = n.dilation(o.StrideH), n.dilation(o.StrideW)
	o.Padding = n.paddingFor(in, (kh-1)*o.DilationH+1, (kw-1)*o.DilationW+1)
	return n.emit(model.OpConv2D, o, n.accumulated(x, scales), x, weights, bias)
}

func (n *netBuilder) dilation(stride int32) int32 {
	if stride > 1 {
		return 1
	}
	return pick[int32](n.graph, 1, 1, 1, 2, 4)
}

// paddingFor is VALID only where the window fits: never at a place-holder's one
// position, at which an engine plans before it is told the size.
func (n *netBuilder) paddingFor(in []int32, spanH, spanW int32) model.Padding {
	if spanH > in[1] || spanW > in[2] || n.open || n.chance(0.5) {
		return model.PaddingSame
	}
	return model.PaddingValid
}

func (n *netBuilder) depthwise() {
	x := n.source()
	in := n.shapeOf(x)
	k, d, s := pick[int32](n.graph, 1, 3, 3, 5), int32(1), pick[int32](n.graph, 1, 1, 2)
	if s == 1 {
		d = pick[int32](n.graph, 1, 1, 2)
	}
	n.terms = int(k*k) + 1
	weights, scales := n.weights([]int32{1, k, k, in[3]}, 3)
	n.emit(model.OpDepthwiseConv2D, &model.DepthwiseConv2DOptions{
		Padding: n.paddingFor(in, (k-1)*d+1, (k-1)*d+1), StrideH: s, StrideW: s, DilationH: d, DilationW: d,
		DepthMultiplier: 1, Activation: n.activation(),
	}, n.accumulated(x, scales), x, weights, n.bias(in[3], x, scales))
}

func (n *netBuilder) transposeConv() {
	x := n.source()
	in := n.shapeOf(x)
	if in[1] > 24 || in[2] > 24 {
		return
	}
	out, s := n.between(1, 8), pick[int32](n.graph, 1, 2)
	n.terms = int(9*in[3]) + 1
	if k := n.kind; k.form == hybridPerChannel { // which TFLite 2.9 refuses here
		defer func() { n.kind = k }()
		n.kind = f32
	}
	weights, scales := n.weights([]int32{out, 3, 3, in[3]}, 0)
	size := n.ints(in[0], in[1]*s, in[2]*s, out)
	n.emit(model.OpTransposeConv, &model.TransposeConvOptions{Padding: model.PaddingSame, StrideH: s, StrideW: s},
		n.accumulated(x, scales), size, weights, x)
}

func (n *netBuilder) pool() {
	x := n.source()
	k := n.between(1, 3)
	code := pick(n.graph, model.OpMaxPool2D, model.OpAveragePool2D)
	n.emit(code, &model.Pool2DOptions{
		Padding: n.paddingFor(n.shapeOf(x), k, k), StrideH: pick(n.graph, 1, k), StrideW: pick(n.graph, 1, k),
		FilterHeight: k, FilterWidth: k, Activation: n.activation(),
	}, n.like(x), x)
}

// dilatedPool is the ePool that rewritten nets hold: S2B, pool, B2S.
func (n *netBuilder) dilatedPool() {
	x := n.source()
	in := n.shapeOf(x)
	b := n.between(2, 3)
	h, w := ceilTo(in[1], b), ceilTo(in[2], b)
	if h < 3*b || w < 3*b || in[0] != 1 {
		return
	}
	pairs := func(v ...int32) int32 { return n.constant(model.TypeInt32, []int32{2, 2}, nil, int32s(v...)) }
	split := n.emit(model.OpSpaceToBatchND, &model.SpaceToBatchNDOptions{}, n.like(x), x, n.ints(b, b), pairs(0, h-in[1], 0, w-in[2]))
	code := pick(n.graph, model.OpMaxPool2D, model.OpAveragePool2D)
	pooled := n.emit(code, &model.Pool2DOptions{
		Padding: model.PaddingValid, StrideH: 1, StrideW: 1, FilterHeight: 2, FilterWidth: 2,
	}, n.like(x), split)
	n.maps = n.maps[:len(n.maps)-2]
	// The last rows and columns of a fragment that saw the padded tail go.
	crop := pairs(0, h-in[1], 0, w-in[2])
	n.emit(model.OpBatchToSpaceND, &model.BatchToSpaceNDOptions{}, n.like(x), pooled, n.ints(b, b), crop)
}

// join adds or multiplies two maps of one shape, or a map and a constant.
func (n *netBuilder) join() {
	x := n.source()
	var same []int32
	for _, m := range n.maps {
		if m != x && slices.Equal(n.shapeOf(m), n.shapeOf(x)) && scaleOf(n.sg.Tensors[m].Quantization) < 64*scaleOf(n.sg.Tensors[x].Quantization) {
			same = append(same, m)
		}
	}
	if len(same) == 0 {
		n.scale()
		return
	}
	y := pick(n.graph, same...)
	wide := x
	if scaleOf(n.sg.Tensors[y].Quantization) > scaleOf(n.sg.Tensors[x].Quantization) {
		wide = y
	}
	switch n.r.IntN(3) {
	case 0:
		n.emit(model.OpSub, &model.SubOptions{PotScaleInt16: true, Activation: n.activation()}, n.near(wide), x, y)
	default:
		n.emit(model.OpAdd, &model.AddOptions{PotScaleInt16: true, Activation: n.activation()}, n.near(wide), x, y)
	}
}

// scale multiplies by a constant a channel, as a folded batch norm does.
func (n *netBuilder) scale() {
	x := n.source()
	c := n.shapeOf(x)[3]
	q := n.quant()
	if q != nil {
		q.Scale[0] = 1.0 / 100
	}
	factor := n.constant(n.kind.dtype, []int32{c}, q, n.values(n.kind.dtype, int(c), -1, 1))
	n.emit(model.OpMul, &model.MulOptions{Activation: n.activation()}, n.near(x), x, factor)
}

func (n *netBuilder) concat() {
	x := n.source()
	in, q := n.shapeOf(x), n.sg.Tensors[x].Quantization
	parts := []int32{x}
	for _, m := range n.maps {
		s := n.shapeOf(m)
		if m != x && slices.Equal(s[:3], in[:3]) && (q == nil || n.sg.Tensors[m].Quantization.Scale[0] == q.Scale[0] && n.sg.Tensors[m].Quantization.ZeroPoint[0] == q.ZeroPoint[0]) {
			parts = append(parts, m)
		}
	}
	if len(parts) > 3 || len(parts) == 1 || in[3] > 64 {
		return
	}
	n.emit(model.OpConcatenation, &model.ConcatenationOptions{Axis: 3}, n.like(x), parts...)
}

func (n *netBuilder) activate() {
	x := n.source()
	switch n.r.IntN(7) {
	case 0:
		n.emit(model.OpRelu, nil, n.near(x), x)
	case 1:
		n.emit(model.OpRelu6, nil, n.near(x), x)
	case 2:
		n.emit(model.OpLeakyRelu, &model.LeakyReluOptions{Alpha: 0.1}, n.near(x), x)
	case 3:
		n.emit(model.OpHardSwish, &model.HardSwishOptions{}, n.near(x), x)
	case 4:
		n.emit(model.OpLogistic, nil, n.tensor(n.kind.dtype, nil, n.fixedQuant(1.0/256, -128, 0)), x)
	case 5:
		n.emit(model.OpTanh, nil, n.tensor(n.kind.dtype, nil, n.fixedQuant(1.0/128, 0, 128)), x)
	case 6:
		c := n.shapeOf(x)[3]
		alpha := n.constant(n.kind.dtype, []int32{1, 1, c}, n.quant(), n.values(n.kind.dtype, int(c), -1, 1))
		n.emit(model.OpPrelu, nil, n.near(x), x, alpha)
	}
}

func (n *netBuilder) padded(x int32) int32 {
	amounts := n.constant(model.TypeInt32, []int32{4, 2}, nil,
		int32s(0, 0, n.between(0, 2), n.between(0, 2), n.between(0, 2), n.between(0, 2), 0, 0))
	return n.emit(model.OpPad, &model.PadOptions{}, n.like(x), x, amounts)
}

func (n *netBuilder) pad() { n.padded(n.source()) }

func (n *netBuilder) padThenConv() {
	n.convOf(n.padded(n.source()), 3, 3, n.channels())
}

func (n *netBuilder) resize() {
	x := n.source()
	in := n.shapeOf(x)
	size := n.ints(min(2*in[1], 40), min(2*in[2], 40))
	if n.chance(0.5) {
		n.emit(model.OpResizeNearestNeighbor, &model.ResizeNearestNeighborOptions{}, n.like(x), x, size)
		return
	}
	n.emit(model.OpResizeBilinear, &model.ResizeBilinearOptions{HalfPixelCenters: n.chance(0.5)}, n.like(x), x, size)
}

func (n *netBuilder) slice() {
	x := n.source()
	in := n.shapeOf(x)
	top, left := n.between(0, in[1]/2), n.between(0, in[2]/2)
	begin := n.ints(0, top, left, 0)
	n.emit(model.OpSlice, &model.SliceOptions{}, n.like(x), x, begin, n.ints(in[0], in[1]-top, in[2]-left, in[3]))
}

// squeezeExcite multiplies a map by a gate a channel that the whole map sets.
func (n *netBuilder) squeezeExcite() {
	x := n.source()
	c := n.shapeOf(x)[3]
	mean := n.emit(model.OpMean, &model.ReducerOptions{KeepDims: true}, n.near(x), x, n.ints(1, 2))
	hidden := n.convOf(mean, 1, 1, c)
	gate := n.emit(model.OpLogistic, nil, n.tensor(n.kind.dtype, nil, n.fixedQuant(1.0/256, -128, 0)), hidden)
	n.maps = n.maps[:len(n.maps)-3]
	n.emit(model.OpMul, &model.MulOptions{}, n.near(x), x, gate)
}

// head flattens the newest map into a few scores.
func (n *netBuilder) head() {
	x := n.maps[len(n.maps)-1]
	in := n.shapeOf(x)
	width := in[1] * in[2] * in[3]
	if width > 4000 {
		return
	}
	rows := n.emit(model.OpReshape, &model.ReshapeOptions{NewShape: []int32{in[0], width}}, n.like(x), x, n.ints(in[0], width))
	n.terms = int(width) + 1
	classes := n.between(2, 10)
	weights, scales := n.denseWeights(classes, width)
	logits := n.emit(model.OpFullyConnected, &model.FullyConnectedOptions{}, n.accumulated(rows, scales), rows, weights, n.bias(classes, rows, scales))
	n.emit(model.OpSoftmax, &model.SoftmaxOptions{Beta: 1}, n.tensor(n.kind.dtype, nil, n.fixedQuant(1.0/256, -128, 0)), logits)
}

// denseWeights are FULLY_CONNECTED's, which TFLite 2.9 takes with one scale only.
func (n *netBuilder) denseWeights(out, in int32) (int32, []float32) {
	k := n.kind
	switch k.form {
	case perChannel:
		n.kind.form = plain
	case hybridPerChannel:
		n.kind.form = hybrid
	}
	defer func() { n.kind = k }()
	return n.weights([]int32{out, in}, 0)
}
