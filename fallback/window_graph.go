package fallback

import (
	"encoding/binary"
	"math"
	"slices"

	"edged/model"
)

// overWindows is the engine's own operator that runs a net on one window after the
// other; no file can name it.
const overWindows = "each window (of the engine)"

// perWindow is what that operator runs: the layers behind the shared ones.
type perWindow struct {
	net    *model.Model
	plan   func(m *model.Model) (*plan, error)
	origin []int   // its operators in the file
	from   laidOut // the shared tensor that windows are taken from
	info   *WindowsInfo
}

// splitGraph is a graph of the form windows as two: what is computed once a frame,
// and, as the options of its last operator, what is computed for each window.
type splitGraph struct {
	*sharer
	m      *model.Model
	g      *model.Subgraph
	origin []int           // of the operators of g, in the file; -1: none
	flat   map[int32]int32 // tensors of the body, as shared ones of g
}

// split cuts the graph behind so many layers; plan plans what is left for windows.
func (s *sharer) split(layers int, cut int32, plan func(m *model.Model) (*plan, error)) (*model.Model, []int) {
	sp := &splitGraph{sharer: s, flat: map[int32]int32{}}
	sp.start()
	for _, i := range s.before {
		sp.keep(i, s.g.Operators[i])
	}
	frame := s.g.Tensors[s.frame].Shape
	sp.flat[s.stack] = sp.reshape(s.frame, 1, 1, int(frame[1])*int(frame[2]), int(frame[3]))
	for k := range layers {
		sp.layer(&s.work[k], s.body[k])
	}
	inner, origin := s.rest(layers, cut)
	loop := &model.Operator{OpcodeIndex: sp.code(overWindows), Inputs: []int32{sp.flat[cut]}, Outputs: s.g.Outputs,
		Options: &perWindow{net: inner, plan: plan, origin: origin, from: s.place[cut], info: s.info(layers)}}
	sp.keep(-1, loop)
	return sp.m, sp.origin
}

// start begins the frame's graph with all tensors of the file.
func (sp *splitGraph) start() {
	c, g := *sp.sharer.m, *sp.sharer.g
	c.Subgraphs, c.Buffers, c.OperatorCodes = []*model.Subgraph{&g}, slices.Clip(c.Buffers), slices.Clip(c.OperatorCodes)
	g.Tensors, g.Operators = slices.Clip(g.Tensors), nil
	sp.m, sp.g = &c, &g
}

func (sp *splitGraph) code(custom string) uint32 {
	return sp.m.CodeIndex(model.OperatorCode{Builtin: model.OpCustom, Custom: custom, Version: 1})
}

// keep adds an operator that stands for number origin of the file.
func (sp *splitGraph) keep(origin int, op *model.Operator) {
	sp.g.Operators, sp.origin = append(sp.g.Operators, op), append(sp.origin, origin)
}

// tensor adds a tensor like t.
func (sp *splitGraph) tensor(t int32) int32 {
	x := sp.g.Tensors[t]
	sp.g.Tensors = append(sp.g.Tensors, &model.Tensor{Name: x.Name, Type: x.Type, Quantization: x.Quantization, HasRank: true})
	return int32(len(sp.g.Tensors) - 1)
}

// emit adds an operator of the file's codes, or of the engine's own, with one result
// like tensor t.
func (sp *splitGraph) emit(origin int, code uint32, options any, t int32, in ...int32) int32 {
	out := sp.tensor(t)
	sp.keep(origin, &model.Operator{OpcodeIndex: code, Inputs: in, Outputs: []int32{out}, Options: options})
	return out
}

// reshape gives tensor t another shape.
func (sp *splitGraph) reshape(t int32, shape ...int) int32 {
	var list []int32
	for _, d := range shape {
		list = append(list, int32(d))
	}
	at := constant(sp.m, sp.g, list)
	return sp.emit(-1, sp.m.CodeIndex(model.OperatorCode{Builtin: model.OpReshape, Version: 1}), &model.ReshapeOptions{NewShape: list}, t, t, at)
}

// constant adds a list of integers.
func constant(m *model.Model, g *model.Subgraph, list []int32) int32 {
	var b []byte
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	m.Buffers = append(m.Buffers, &model.Buffer{Data: b})
	g.Tensors = append(g.Tensors, &model.Tensor{Type: model.TypeInt32, Shape: []int32{int32(len(list))}, Buffer: uint32(len(m.Buffers) - 1), HasRank: true})
	return int32(len(g.Tensors) - 1)
}

// gather copies pixels of a shared tensor; padding gets fill.
func (sp *splitGraph) gather(origin int, m *pixelMoves, fill []byte, ch int, t, from int32) int32 {
	m.shape[3], m.fill = ch, fill
	return sp.emit(origin, sp.code(gatherWindows), m, t, from)
}

// layer adds a shared layer, number origin in the file.
func (sp *splitGraph) layer(x *layer, origin int) {
	out := x.op.Outputs[0]
	to := sp.place[out]
	switch {
	case !x.slides:
		sp.flat[out] = sp.onUnits(x, origin, to)
	case sp.sharer.m.Code(x.op).Builtin == model.OpPad:
		in := x.op.Inputs[0]
		t := sp.g.Tensors[in]
		sp.flat[out] = sp.gather(origin, sp.place[in].again(to, x.y, x.x), zeroOf(t), int(t.Shape[3]), out, sp.flat[in])
	default:
		sp.flat[out] = sp.onRegions(x, origin, to)
	}
}

// onUnits computes all units at once, maps laid out alike.
func (sp *splitGraph) onUnits(x *layer, origin int, to laidOut) int32 {
	in := slices.Clone(x.op.Inputs)
	for i, t := range in {
		if t < 0 || !sp.moved[t] {
			continue
		}
		if in[i] = sp.flat[t]; sp.place[t] != to {
			s := sp.g.Tensors[t]
			in[i] = sp.gather(origin, sp.place[t].again(to, x.y, x.x), zeroOf(s), int(s.Shape[3]), t, sp.flat[t])
		}
	}
	return sp.emit(origin, x.op.OpcodeIndex, x.op.Options, x.op.Outputs[0], in...)
}

// onRegions computes each region by itself, without padding: what it sees of
// padding is copied along.
func (sp *splitGraph) onRegions(x *layer, origin int, to laidOut) int32 {
	in, out := x.op.Inputs[0], x.op.Outputs[0]
	s, ch := sp.g.Tensors[in], int(sp.g.Tensors[out].Shape[3])
	fill := zeroOf(s)
	if sp.sharer.m.Code(x.op).Builtin == model.OpMaxPool2D {
		fill = lowestOf(s)
	}
	var pieces []int32
	for r := range parts * parts {
		n := to.pixels(r/parts, r%parts)
		if n == 0 {
			continue
		}
		moves := sp.place[in].into(to, x.y, x.x, r/parts, r%parts)
		input := slices.Clone(x.op.Inputs)
		input[0] = sp.gather(origin, moves, fill, int(s.Shape[3]), in, sp.flat[in])
		y := sp.emit(origin, x.op.OpcodeIndex, unpadded(x.op.Options), out, input...)
		pieces = append(pieces, sp.reshape(y, 1, 1, n, ch))
	}
	if len(pieces) == 1 {
		return pieces[0]
	}
	return sp.emit(-1, sp.m.CodeIndex(model.OperatorCode{Builtin: model.OpConcatenation, Version: 1}), &model.ConcatenationOptions{Axis: 2}, out, pieces...)
}

// unpadded is a copy of a window's options without padding.
func unpadded(options any) any {
	switch o := options.(type) {
	case *model.Conv2DOptions:
		c := *o
		c.Padding = model.PaddingValid
		return &c
	case *model.DepthwiseConv2DOptions:
		c := *o
		c.Padding = model.PaddingValid
		return &c
	case *model.Pool2DOptions:
		c := *o
		c.Padding = model.PaddingValid
		return &c
	}
	return options
}

// lowestOf is one element that no maximum takes.
func lowestOf(t *model.Tensor) []byte {
	switch t.Type {
	case model.TypeFloat32:
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.Inf(-1))))
	case model.TypeInt8:
		return []byte{0x80}
	case model.TypeInt16:
		return []byte{0, 0x80}
	}
	return make([]byte, max(dtypes[t.Type].Size(), 1))
}

// rest is what is left for each window, behind so many layers: a graph of batch 1.
func (s *sharer) rest(layers int, cut int32) (*model.Model, []int) {
	c, g := *s.m, *s.g
	c.Subgraphs, c.Buffers = []*model.Subgraph{&g}, slices.Clip(c.Buffers)
	g.Inputs, g.Outputs, g.Operators = []int32{cut}, s.results, nil
	g.Tensors = slices.Clone(g.Tensors)
	shape := slices.Clone(g.Tensors[cut].Shape)
	shape[0] = 1
	one := *g.Tensors[cut]
	one.Shape = shape
	g.Tensors[cut] = &one
	var origin []int
	for _, i := range slices.Concat(s.fixed(), s.body[layers:]) {
		g.Operators, origin = append(g.Operators, s.alone(&c, &g, s.g.Operators[i])), append(origin, i)
	}
	return &c, origin
}

// fixed are the operators before the windows that work on constants alone.
func (s *sharer) fixed() []int {
	known := s.constants()
	return slices.DeleteFunc(slices.Clone(s.before), func(i int) bool {
		return slices.ContainsFunc(s.g.Operators[i].Inputs, func(t int32) bool { return !known[t] })
	})
}

// alone is an operator for one window: sizes that count all of them are changed.
func (s *sharer) alone(m *model.Model, g *model.Subgraph, op *model.Operator) *model.Operator {
	at := map[model.BuiltinOperator]int{model.OpTransposeConv: 0, model.OpSlice: 2}
	k, ok := at[m.Code(op).Builtin]
	if !ok || !s.moved[op.Outputs[0]] {
		return op
	}
	list := s.input(op, k)
	if len(list) == 0 || list[0] != s.count[0]*s.count[1] {
		return op
	}
	c := *op
	c.Inputs = slices.Clone(op.Inputs)
	var sizes []int32
	for _, v := range list {
		sizes = append(sizes, int32(v))
	}
	sizes[0] = 1
	c.Inputs[k] = constant(m, g, sizes)
	return &c
}
