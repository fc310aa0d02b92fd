package rows

import (
	"encoding/binary"
	"fmt"
	"slices"

	"edged/model"
)

// net is a dense net as layers of rows.
type net struct {
	m       *model.Model
	g       *model.Subgraph
	input   *value
	output  *value
	nodes   []*node
	values  map[int32]*value
	konst   map[int32]bool
	unit    int // rows of the picture from which every layer gets whole rows
	pads    bool
	windows *gathered // of a graph of that form; it has one layer
}

// read sees output i of a dense model as layers of rows.
func read(m *model.Model, output int) (*net, error) {
	if len(m.Subgraphs) == 0 || len(m.Subgraphs[0].Inputs) != 1 || output >= len(m.Subgraphs[0].Outputs) {
		return nil, &Refusal{Reason: "one picture goes in and a map comes out of a net of rows"}
	}
	g := m.Subgraphs[0]
	in := g.Tensors[g.Inputs[0]]
	if len(in.Shape) != 4 || in.Shape[0] != 1 {
		return nil, &Refusal{Reason: fmt.Sprintf("the input %q has shape %v: one picture [1, height, width, channels] is needed", in.Name, in.Shape)}
	}
	n := &net{m: m, g: g, values: map[int32]*value{}, konst: map[int32]bool{}, unit: 1}
	n.input = &value{tensor: g.Inputs[0], typ: in.Type, quant: in.Quantization, width: int(in.Shape[2]), ch: int(in.Shape[3]), block: [2]int{1, 1}, num: 1, den: 1}
	n.values[g.Inputs[0]] = n.input
	for i, t := range g.Tensors {
		n.konst[int32(i)] = m.Data(t) != nil
	}
	if n.windows = readWindows(m, n, output); n.windows != nil {
		n.place()
		return n, nil
	}
	for i, op := range g.Operators {
		if err := n.operator(i, op); err != nil {
			return nil, err
		}
	}
	n.output = n.values[g.Outputs[output]]
	if n.output == nil || n.output.trail != nil || n.output.junk != 0 || n.output.block != [2]int{1, 1} {
		return nil, &Refusal{Reason: fmt.Sprintf("the output %q is no map", g.Tensors[g.Outputs[output]].Name)}
	}
	n.place()
	for _, v := range n.values {
		if v.trail != nil && v.kept > 0 {
			return nil, &Refusal{Reason: fmt.Sprintf("tensor %q, a list of positions, is joined with rows of another delay", n.g.Tensors[v.tensor].Name)}
		}
	}
	return n, nil
}

// operator reads one operator.
func (n *net) operator(i int, op *model.Operator) error {
	nd := &node{op: op, code: n.m.Code(op).Builtin, index: i, stride: 1, columnStride: 1, dilation: [2]int{1, 1}}
	refuse := func(format string, args ...any) error {
		return &Refusal{Op: n.m.Code(op).Name(), Index: i, Reason: fmt.Sprintf(format, args...)}
	}
	maps := 0
	for _, t := range op.Inputs {
		a := arg{konst: t}
		if t >= 0 && n.values[t] != nil {
			a = arg{val: n.values[t], konst: -1}
			maps++
		} else if t >= 0 && !n.konst[t] {
			return refuse("reads tensor %q, which is computed from no map", n.g.Tensors[t].Name)
		}
		nd.in = append(nd.in, a)
	}
	if maps == 0 { // of constants alone
		nd.kind = unary
		for _, t := range op.Outputs {
			n.konst[t] = true
		}
		n.nodes = append(n.nodes, nd)
		return nil
	}
	if len(op.Outputs) != 1 {
		return refuse("gives several maps")
	}
	handle := handlers[nd.code]
	if handle == nil {
		return refuse("is not known to compute each row from rows near it (a statistic of the whole picture, a gathering of windows, an order of rows)")
	}
	if why := handle(n, nd); why != "" {
		return refuse("%s", why)
	}
	return nil
}

// add appends a node whose output is the dense graph's tensor t, -1: of its own.
func (n *net) add(nd *node, t int32, v value) *value {
	v.tensor, v.from = t, nd
	if t >= 0 {
		v.typ, v.quant = n.g.Tensors[t].Type, n.g.Tensors[t].Quantization
		n.values[t] = &v
	}
	nd.out = &v
	n.nodes = append(n.nodes, nd)
	return &v
}

func (n *net) outShape(nd *node) []int {
	var s []int
	for _, d := range n.g.Tensors[nd.op.Outputs[0]].Shape {
		s = append(s, int(d))
	}
	return s
}

// ints are a constant operand's numbers.
func (n *net) ints(nd *node, i int) []int {
	if i >= len(nd.in) || nd.in[i].konst < 0 {
		return nil
	}
	t := n.g.Tensors[nd.in[i].konst]
	data := n.m.Data(t)
	var v []int
	for ; t.Type == model.TypeInt32 && len(data) >= 4; data = data[4:] {
		v = append(v, int(int32(binary.LittleEndian.Uint32(data))))
	}
	for ; t.Type == model.TypeInt64 && len(data) >= 8; data = data[8:] {
		v = append(v, int(int64(binary.LittleEndian.Uint64(data))))
	}
	return v
}

// place finds how far each map's rows lag, and how many of them its readers keep.
func (n *net) place() {
	for _, nd := range n.nodes {
		switch nd.kind {
		case window, shift:
			x, need := nd.in[0].val, max(nd.reach-nd.stride+1, 0)
			nd.out.delay = max(0, ceilDiv(need+x.delay-nd.before, nd.stride))
			nd.in[0].kept = nd.out.delay*nd.stride + nd.before - x.delay
			x.kept = max(x.kept, nd.in[0].kept)
		case upward:
			x, r := nd.in[0].val, nd.resize
			nd.out.delay, nd.in[0].kept = r.factor*(x.delay+r.ahead), r.ahead+r.before
			x.kept = max(x.kept, nd.in[0].kept)
		case point, fold:
			for _, a := range nd.in {
				if a.val != nil {
					nd.out.delay = max(nd.out.delay, a.val.delay)
				}
			}
			for i, a := range nd.in {
				if a.val != nil {
					nd.in[i].kept = nd.out.delay - a.val.delay
					a.val.kept = max(a.val.kept, nd.in[i].kept)
				}
			}
		}
		if nd.out != nil {
			n.unit = lcm(n.unit, nd.out.den)
		}
		n.pads = n.pads || nd.masked
	}
}

// length is how many rows the output has over a picture of n rows; lengths are
// those of every map.
func (n *net) lengths(picture int, lengths map[*value]int) {
	lengths[n.input] = picture
	for _, nd := range n.nodes {
		switch nd.kind {
		case window, shift:
			lengths[nd.out] = max(0, floorDiv(lengths[nd.in[0].val]+nd.before+nd.after-nd.span()-1, nd.stride)+1)
		case upward:
			l := lengths[nd.in[0].val]
			if lengths[nd.out] = l * nd.resize.factor; nd.resize.corners {
				lengths[nd.out] = max(0, (l-1)*nd.resize.factor+1)
			}
		case point, fold:
			least := -1
			for _, a := range nd.in {
				if a.val != nil && (least < 0 || lengths[a.val] < least) {
					least = lengths[a.val]
				}
			}
			lengths[nd.out] = least
		}
	}
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// joined are the maps among a node's operands, which must lie alike.
func joined(nd *node) (first *value, why string) {
	for _, a := range nd.in {
		switch v := a.val; {
		case v == nil:
		case first == nil:
			first = v
		case v.width != first.width || v.num*first.den != first.num*v.den || v.block != first.block || !slices.Equal(v.trail, first.trail) && v.list != first.list:
			return nil, "joins maps that do not lie alike"
		}
	}
	return first, ""
}
