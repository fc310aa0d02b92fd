package tune

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"edged/model"
)

// Refusal says what keeps a net from being tuned.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return "tune: " + r.Reason }

func refusef(format string, args ...any) *Refusal { return &Refusal{fmt.Sprintf(format, args...)} }

// graph is a net as the script runs it: see class Net in tune.py.
type graph struct {
	Input     int        `json:"input"`
	Output    int        `json:"output"`
	Buffers   []buffer   `json:"buffers"`
	Constants []constant `json:"constants"`
	Operators []operator `json:"operators"`

	raw []byte // weights.bin
}

// buffer is a piece of weights.bin, int32 or float32.
type buffer struct {
	Offset int  `json:"offset"` // bytes
	N      int  `json:"n"`      // elements
	Int    bool `json:"int"`
	Half   bool `json:"half"`  // stored as float16
	Learn  bool `json:"learn"` // a weight that is learnt
	Fan    int  `json:"fan"`   // inputs of each output; 0 of a bias

	tensor string // of the graph, whose data it is
}

type constant struct {
	Tensor int   `json:"tensor"`
	Buffer int   `json:"buffer"`
	Shape  []int `json:"shape"`
}

type operator struct {
	Op      string         `json:"op"`
	In      []int          `json:"in"`
	Out     int            `json:"out"`
	Act     string         `json:"act"`
	Options map[string]any `json:"options"`
}

// learnt are the inputs of an operator that hold what is learnt, with the
// dimension of the outputs.
var learnt = map[model.BuiltinOperator][]int{
	model.OpConv2D: {1, 2}, model.OpDepthwiseConv2D: {1, 2}, model.OpFullyConnected: {1, 2}, model.OpTransposeConv: {1, 3}, model.OpPrelu: {1},
}

// carrier turns a .tflite graph into the script's.
type carrier struct {
	m       *model.Model
	g       *model.Subgraph
	out     *graph
	buffers map[uint32]int
	known   map[int32]bool // constants that are written
	halves  map[int32]int32
	frozen  int // layers from the input that keep their weights
	layers  int
}

// carry carries m over; output is the tensor that is learnt for. The first frozen
// layers with weights keep them.
func carry(m *model.Model, output int32, frozen int) (*graph, error) {
	g := m.Subgraphs[0]
	c := &carrier{m: m, g: g, out: &graph{Input: int(g.Inputs[0]), Output: int(output)}, buffers: map[uint32]int{}, known: map[int32]bool{}, halves: map[int32]int32{}, frozen: frozen}
	for i, op := range g.Operators {
		if err := c.operator(i, op); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(c.out.Buffers, func(b buffer) bool { return b.Learn }) {
		return nil, refusef("no layer is left to learn: %d of the net's %d layers with weights are frozen", min(frozen, c.layers), c.layers)
	}
	return c.out, nil
}

func (c *carrier) operator(i int, op *model.Operator) error {
	code := c.m.Code(op)
	no := func(why string) error {
		return refusef("%s (operator %d) cannot be carried over to PyTorch: %s; end the net before it (edged rewrite --cut TENSOR)", code.Name(), i, why)
	}
	if code.Builtin == model.OpDequantize {
		from := c.g.Tensors[op.Inputs[0]]
		if from.Type != model.TypeFloat16 || c.m.Data(from) == nil {
			return refusef("%s (operator %d) belongs to a quantised net: tune the float32 net, then edged quantize", code.Name(), i)
		}
		c.halves[op.Outputs[0]] = op.Inputs[0]
		return nil
	}
	options, why := optionsOf(c.m, c.g, op)
	if why != "" {
		return no(why)
	}
	if len(op.Outputs) != 1 {
		return no("it has several outputs")
	}
	o := operator{Op: code.Name(), Out: int(op.Outputs[0]), Options: options, Act: actOf(op)}
	if strings.HasPrefix(o.Act, "!") {
		return no("activation " + o.Act[1:])
	}
	weighted := learnt[code.Builtin]
	learn := false
	if len(weighted) > 0 {
		learn = c.layers >= c.frozen
		c.layers++
	}
	for k, t := range op.Inputs {
		o.In = append(o.In, int(t))
		if t < 0 {
			continue
		}
		if err := c.constant(t, learn && slices.Contains(weighted, k), slices.Index(weighted, k) == 0 && code.Builtin != model.OpPrelu); err != nil {
			return no(err.Error())
		}
	}
	for len(o.In) > 1 && o.In[len(o.In)-1] < 0 {
		o.In = o.In[:len(o.In)-1]
	}
	c.out.Operators = append(c.out.Operators, o)
	return nil
}

// actOf is the fused activation; one that is not known begins with "!".
func actOf(op *model.Operator) string {
	switch a := model.ActivationOf(op.Options); a {
	case model.ActNone:
		return ""
	case model.ActRelu, model.ActRelu6, model.ActReluN1To1:
		return a.String()
	default:
		return "!" + a.String()
	}
}

// constant writes tensor t, if it is one.
func (c *carrier) constant(t int32, learn, filter bool) error {
	from := t
	if h, ok := c.halves[t]; ok {
		from = h
	}
	x := c.g.Tensors[from]
	data := c.m.Data(x)
	if data == nil {
		return nil
	}
	if x.Sparsity != nil {
		return fmt.Errorf("its weights are sparse")
	}
	id, ok := c.buffers[x.Buffer]
	if !ok {
		b := buffer{Offset: len(c.out.raw), Half: x.Type == model.TypeFloat16, tensor: x.Name}
		switch x.Type {
		case model.TypeFloat32, model.TypeFloat16:
			v, err := model.Floats(x.Type, data)
			if err != nil {
				return err
			}
			b.N = len(v)
			c.out.raw, _ = binary.Append(c.out.raw, binary.LittleEndian, v)
		case model.TypeInt32, model.TypeInt64:
			v, err := model.Ints(x.Type, data)
			if err != nil {
				return err
			}
			b.N, b.Int = len(v), true
			for _, n := range v {
				c.out.raw = binary.LittleEndian.AppendUint32(c.out.raw, uint32(int32(n)))
			}
		default:
			return fmt.Errorf("its constant %q is %s", x.Name, x.Type)
		}
		id = len(c.out.Buffers)
		c.buffers[x.Buffer] = id
		c.out.Buffers = append(c.out.Buffers, b)
	}
	if b := &c.out.Buffers[id]; learn && !b.Int {
		b.Learn = true
		if filter {
			b.Fan = b.N / int(max(1, outputsOf(x)))
		}
	}
	if !c.known[t] {
		c.known[t] = true
		c.out.Constants = append(c.out.Constants, constant{int(t), id, ints(x.Shape)})
	}
	return nil
}

// outputsOf is how many outputs a filter serves: the first dimension, of a
// depthwise one the last.
func outputsOf(x *model.Tensor) int32 {
	if len(x.Shape) == 4 && x.Shape[0] == 1 {
		return x.Shape[3]
	}
	if len(x.Shape) == 0 {
		return 1
	}
	return x.Shape[0]
}

func ints(s []int32) []int {
	v := []int{}
	for _, d := range s {
		v = append(v, int(d))
	}
	return v
}
