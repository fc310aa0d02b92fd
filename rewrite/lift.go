package rewrite

import (
	"fmt"
	"slices"
	"strings"

	"edged/model"
)

// lifter reads a baseline operator by operator. Every tensor is a map in some
// layout, or constant (also: computed from constants and shapes alone), or
// opaque: no map, for the reason given.
type lifter struct {
	net     *net
	layouts map[int32]*layout
	konst   map[int32]bool
	opaque  map[int32]*Refusal
	groups  map[int32]*grouped // in the middle of a channel shuffle
}

// lift sees the main graph of m as a net of maps. It fails only where the
// input is no picture; an output that is no grid says so in its output.why.
func lift(m *model.Model) (*net, error) {
	if len(m.Subgraphs) == 0 || len(m.Subgraphs[0].Inputs) != 1 {
		return nil, &Refusal{Reason: "the graph has not exactly one input", Instead: "convert the model with one picture as its only input, and the rest as constants"}
	}
	if len(m.Subgraphs[0].Outputs) == 0 {
		return nil, &Refusal{Reason: "the graph has no output", Instead: "name a tensor as its end with --cut"}
	}
	m, err := shaped(m)
	if err != nil {
		return nil, err
	}
	var first *net
	for _, dims := range inputLayouts(m) {
		n, err := liftAs(m, dims)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = n
		}
		if len(n.outputs) > 0 && n.outputs[0].val != nil {
			return n, nil
		}
	}
	if first == nil {
		t := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]]
		return nil, &Refusal{Reason: fmt.Sprintf("the input %q has shape %v, not one picture (batch 1)", t.Name, t.Shape),
			Instead: "convert the model with a batch of 1"}
	}
	return first, nil
}

// shaped is m with the shapes that its operators make of its inputs', whatever
// the file says: all that follows relies on them. It shares all but the tensors
// with m.
func shaped(m *model.Model) (*model.Model, error) {
	c, g := *m, *m.Subgraphs[0]
	c.Subgraphs = slices.Clone(m.Subgraphs)
	c.Subgraphs[0] = &g
	g.Tensors = slices.Clone(g.Tensors)
	for i, t := range g.Tensors {
		tensor := *t
		tensor.Shape, tensor.ShapeSignature = slices.Clone(t.Shape), slices.Clone(t.ShapeSignature)
		g.Tensors[i] = &tensor
	}
	if err := c.InferKnown(0); err != nil {
		if open := m.OpenSize(); open != "" {
			return nil, &Refusal{Reason: "the place-holder of its open size " + open + " is too small for the net: " + strings.TrimPrefix(err.Error(), "model: "), Instead: "give it a size with --input HxW"}
		}
		return nil, &Refusal{Reason: "the graph does not hold together: " + strings.TrimPrefix(err.Error(), "model: "), Instead: "convert the model anew"}
	}
	for i, op := range g.Operators {
		for _, t := range slices.Concat(op.Inputs, op.Outputs) {
			if t >= 0 && slices.ContainsFunc(g.Tensors[t].Shape, func(d int32) bool { return d > maxDimension }) {
				return nil, &Refusal{Op: m.Code(op).Name(), Index: i, Reason: fmt.Sprintf("its tensor %s has shape %v", g.TensorName(t), g.Tensors[t].Shape), Instead: "no frame is that large: convert the model anew"}
			}
		}
	}
	return &c, nil
}

// maxDimension is beyond any map, list of channels or flattened map: what is
// worked out for every channel stays small.
const maxDimension = 1 << 22

// inputLayouts lists how the input's dimensions may be meant, likeliest first.
func inputLayouts(m *model.Model) [][][]atom {
	g := m.Subgraphs[0]
	s := g.Tensors[g.Inputs[0]].Shape
	switch {
	case len(s) == 4 && s[0] == 1:
		return [][][]atom{nhwc(), {nil, {atomC}, {atomY}, {atomX}}}
	case len(s) == 3 && s[0] == 1:
		return [][][]atom{{nil, {atomY}, {atomX}}, {{atomY}, {atomX}, {atomC}}}
	case len(s) == 3:
		return [][][]atom{{{atomY}, {atomX}, {atomC}}}
	case len(s) == 2:
		return [][][]atom{{{atomY}, {atomX}}}
	}
	return nil
}

func liftAs(m *model.Model, dims [][]atom) (*net, error) {
	g := m.Subgraphs[0]
	l := &lifter{
		net:     &net{m: m, g: g, inDims: dims},
		layouts: map[int32]*layout{}, konst: map[int32]bool{}, opaque: map[int32]*Refusal{}, groups: map[int32]*grouped{},
	}
	in := g.Inputs[0]
	t := g.Tensors[in]
	v := l.newValue(in, pair{1, 1}, 1)
	for i, d := range dims {
		for _, a := range d {
			switch a {
			case atomC:
				v.ch = int(t.Shape[i])
			default:
				v.n[a] = int(t.Shape[i])
			}
		}
	}
	l.net.input = v
	l.layouts[in] = newLayout(v, dims)
	for i, t := range g.Tensors {
		if m.Data(t) != nil {
			l.konst[int32(i)] = true
		}
	}
	for i, op := range g.Operators {
		l.operator(i, op)
	}
	l.findOutputs()
	l.net.layouts = l.layouts
	return l.net, nil
}

func (l *lifter) newValue(tensor int32, n pair, ch int) *value {
	t := l.net.g.Tensors[tensor]
	return &value{tensor: tensor, typ: t.Type, quant: t.Quantization, name: t.Name, n: n, ch: ch}
}

// operator lifts one operator; what it cannot express makes its outputs opaque.
func (l *lifter) operator(index int, op *model.Operator) {
	code := l.net.m.Code(op).Builtin
	name := l.net.opName(op)
	c := &lifting{lifter: l, op: op, nd: &node{op: op, code: code, index: index, win: unitWindow}}
	if len(op.Inputs) == 0 || len(op.Outputs) == 0 {
		l.spoil(op, &Refusal{Op: name, Index: index, Reason: "has no input or no output"})
		return
	}
	if l.constant(op, code) {
		return
	}
	for _, t := range op.Inputs {
		if why := l.opaque[t]; t >= 0 && why != nil {
			l.spoil(op, why)
			return
		}
	}
	handle := liftTable[code]
	if handle == nil {
		l.spoil(op, &Refusal{Op: name, Index: index, Reason: "has no dense form that is known", Instead: insteadShifts})
		return
	}
	block, why := c.splitInput()
	c.block = block
	if why == "" {
		why = handle(c)
	}
	if why != "" {
		l.spoil(op, &Refusal{Op: name, Index: index, Reason: why, Instead: c.cure()})
	}
}

// suggestCut is an output's refusal with the names of the last maps before it.
func (n *net) suggestCut(o *output) error {
	why := *o.why
	why.Instead = "" // no form helps an output that is no grid
	var names []string
	for _, t := range n.mapsBefore(o.tensor) {
		if len(names) < 3 {
			names = append(names, fmt.Sprintf("--cut %q", callName(n.g, t)))
		}
	}
	switch {
	case len(names) == 1:
		why.Instead = "end the net at the map before it: " + names[0]
	case len(names) > 1:
		why.Instead = "end the net at a map before it: " + strings.Join(names, ", or ") + ", or at all of them: --cut maps"
	}
	return &why
}

const insteadShifts = "use --form shifts, or --cut a tensor before it"

func (l *lifter) spoil(op *model.Operator, why *Refusal) {
	for _, t := range op.Outputs {
		l.opaque[t] = why
		delete(l.layouts, t)
	}
}

// constant marks what is computed from constants, or from shapes, alone.
func (l *lifter) constant(op *model.Operator, code model.BuiltinOperator) bool {
	if code != model.OpShape && code != model.OpRank {
		for _, t := range op.Inputs {
			if t >= 0 && !l.konst[t] {
				return false
			}
		}
	}
	for _, t := range op.Outputs {
		l.konst[t] = true
	}
	return true
}

func (l *lifter) findOutputs() {
	for _, t := range l.net.g.Outputs {
		o := &output{tensor: t, why: l.opaque[t]}
		if lay := l.layouts[t]; lay != nil {
			o.val = lay.val
			if !gridLayout(lay) || lay.blockOf() != (pair{1, 1}) {
				o.val = nil
				if l.net.flattened == nil {
					l.net.flattened = map[int32]bool{}
				}
				l.net.flattened[t] = true
				o.why = &Refusal{Reason: fmt.Sprintf("output %q of shape %v is no grid", l.net.g.Tensors[t].Name, l.net.g.Tensors[t].Shape),
					Instead: "end the graph before it with --cut"}
			}
		} else if o.why == nil {
			o.why = &Refusal{Reason: fmt.Sprintf("output %q does not depend on the input", l.net.g.Tensors[t].Name)}
		}
		l.net.outputs = append(l.net.outputs, o)
	}
}

// gridLayout tells maps from flattened lists: no dimension may run through two axes.
func gridLayout(l *layout) bool {
	return !slices.ContainsFunc(l.dims, func(d []atom) bool { return len(d) > 1 })
}

func (n *net) opName(op *model.Operator) string {
	c := n.m.Code(op)
	if c.Builtin == model.OpCustom {
		return "CUSTOM " + c.Custom
	}
	return c.Builtin.String()
}

// lifting is the operator at hand.
type lifting struct {
	*lifter
	op    *model.Operator
	nd    *node
	hint  string
	block pair // by which its input lies split in the batch
}

func (c *lifting) cure() string {
	if c.hint != "" {
		return c.hint
	}
	return insteadShifts
}

// in is the layout of input i, nil for a constant.
func (c *lifting) in(i int) *layout {
	if i >= len(c.op.Inputs) {
		return nil
	}
	return c.layouts[c.op.Inputs[i]]
}

// tensor is input i, an empty tensor where it is left out.
func (c *lifting) tensor(i int) *model.Tensor {
	if i >= len(c.op.Inputs) || c.op.Inputs[i] < 0 {
		return &model.Tensor{}
	}
	return c.net.g.Tensors[c.op.Inputs[i]]
}

func (c *lifting) outTensor(i int) *model.Tensor { return c.net.g.Tensors[c.op.Outputs[i]] }

// argOf is input i as a node's argument.
func (c *lifting) argOf(i int) arg {
	t := c.op.Inputs[i]
	if t < 0 {
		return arg{konst: -1}
	}
	if lay := c.layouts[t]; lay != nil {
		return arg{val: lay.val, konst: -1}
	}
	return arg{konst: t}
}

// takeArgs makes every input an argument.
func (c *lifting) takeArgs() {
	for i := range c.op.Inputs {
		c.nd.args = append(c.nd.args, c.argOf(i))
	}
}

// takeMap makes every input an argument of a node that reads one map, and
// constants beside it.
func (c *lifting) takeMap() string {
	if c.takeArgs(); len(c.nd.maps()) != 1 {
		return fmt.Sprintf("reads %d maps where one is asked for", len(c.nd.maps()))
	}
	return ""
}

// emit adds the node with one output map in the layout dims.
func (c *lifting) emit(n pair, ch int, dims [][]atom) {
	v := c.newValue(c.op.Outputs[0], n, ch)
	c.nd.out = []*value{v}
	l := newLayout(v, dims)
	l.block = c.block
	c.layouts[c.op.Outputs[0]] = l
	c.net.nodes = append(c.net.nodes, c.nd)
}

// alias says that the output is the input's map in another layout.
func (c *lifting) alias(l *layout) { c.layouts[c.op.Outputs[0]] = l }

// canonicalIn is input 0 where it is a map [1, h, w, c], else nil and why not.
func (c *lifting) canonicalIn() (*layout, string) {
	l := c.in(0)
	if l == nil {
		return nil, "its input is no map"
	}
	if !l.canonical(c.tensor(0).Shape) {
		return nil, fmt.Sprintf("its input of shape %v is no map [1, h, w, c]", c.tensor(0).Shape)
	}
	return l, ""
}
