package enginetest

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"slices"

	"edged"
	"edged/model"
)

// Case is one generated graph with its inputs.
type Case struct {
	Name   string // "CONV_2D/int8/17": operator, kind, number; the seed of everything in it
	Model  *model.Model
	Inputs [][]byte
	Bound  Bound   // of float32 outputs
	Terms  int     // products that one output sums, for Bound.Sum
	Size   []int32 // what the first input's shape is set to, where the file leaves it open
}

// newCase generates case number n of an operator and a kind.
func newCase(op operator, k kind, n int) *Case {
	name := fmt.Sprintf("%s/%s/%d", op.code, k.name, n)
	g := newGraph(rand.New(rand.NewPCG(seedOf(name), 0)), k)
	op.gen(g)
	return g.finish(name, op.bound)
}

func seedOf(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// finish makes every tensor that no operator reads an output.
func (g *graph) finish(name string, bound Bound) *Case {
	read := map[int32]bool{}
	for _, op := range g.sg.Operators {
		for _, i := range op.Inputs {
			read[i] = true
		}
	}
	for _, op := range g.sg.Operators {
		for _, o := range op.Outputs {
			if !read[o] {
				g.sg.Outputs = append(g.sg.Outputs, o)
			}
		}
	}
	if err := g.m.InferShapes(0); err != nil {
		panic("BUG: case " + name + ": " + err.Error())
	}
	g.version()
	c := &Case{Name: name, Model: g.m, Bound: bound, Terms: g.terms}
	for _, fill := range g.fills {
		c.Inputs = append(c.Inputs, fill())
	}
	return c
}

// version writes the operator codes that a converter would write: each
// operator's lowest version, and no code that is not used.
func (g *graph) version() {
	var codes []model.OperatorCode
	for _, op := range g.sg.Operators {
		code := g.m.Code(op)
		codes = append(codes, model.OperatorCode{Builtin: code.Builtin, Custom: code.Custom, Version: g.m.OpVersion(g.sg, op)})
	}
	g.m.OperatorCodes = nil
	for i, op := range g.sg.Operators {
		op.OpcodeIndex = g.m.CodeIndex(codes[i])
	}
}

// Run opens the case's model, feeds the inputs, runs it, and returns copies of
// the outputs with their descriptions.
func (c *Case) Run(open edged.Opener, o edged.Options) ([]Output, error) {
	file, err := c.Model.Write()
	if err != nil {
		return nil, err
	}
	return run(open, file, c.Size, c.Inputs, o)
}

// Output is one tensor that an engine computed.
type Output struct {
	edged.Spec
	Data []byte
}

func run(open edged.Opener, file []byte, size []int32, inputs [][]byte, o edged.Options) ([]Output, error) {
	e, err := open(file, o)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	if size != nil {
		var shape []int
		for _, n := range size {
			shape = append(shape, int(n))
		}
		if err := e.Resize(0, shape); err != nil {
			return nil, err
		}
	}
	if err := fill(e, inputs); err != nil {
		return nil, err
	}
	if err := e.Run(); err != nil {
		return nil, err
	}
	return outputs(e), nil
}

func fill(e edged.Engine, inputs [][]byte) error {
	if len(inputs) != len(e.Inputs()) {
		return fmt.Errorf("enginetest: engine has %d inputs, the case %d", len(e.Inputs()), len(inputs))
	}
	for i, b := range inputs {
		if n := len(e.Input(i)); n != len(b) {
			return fmt.Errorf("enginetest: input %d takes %d bytes, the case holds %d", i, n, len(b))
		}
		copy(e.Input(i), b)
	}
	return nil
}

func outputs(e edged.Engine) []Output {
	var out []Output
	for i, s := range e.Outputs() {
		out = append(out, Output{s, slices.Clone(e.Output(i))})
	}
	return out
}

// absolute is the case with every weight and input replaced by its absolute
// value and without fused activations: its outputs are |W||x| + |b|, what the
// rounding error of a sum is measured against.
func (c *Case) absolute() *Case {
	a := &Case{Name: c.Name, Model: c.Model.Clone()}
	for _, sg := range a.Model.Subgraphs {
		for _, t := range sg.Tensors {
			if d := a.Model.Data(t); d != nil {
				clearSigns(d, t.Type)
			}
		}
		for _, op := range sg.Operators {
			dropActivation(op.Options)
		}
	}
	sg := c.Model.Subgraphs[0]
	for i, b := range c.Inputs {
		b = slices.Clone(b)
		clearSigns(b, sg.Tensors[sg.Inputs[i]].Type)
		a.Inputs = append(a.Inputs, b)
	}
	return a
}

func clearSigns(b []byte, t model.TensorType) {
	switch t {
	case model.TypeFloat32:
		for i := 3; i < len(b); i += 4 {
			b[i] &^= 0x80
		}
	case model.TypeFloat16:
		for i := 1; i < len(b); i += 2 {
			b[i] &^= 0x80
		}
	case model.TypeInt8:
		for i := range b {
			b[i] = byte(max(int8(b[i]), -int8(b[i])))
		}
	}
}

func dropActivation(options any) {
	if options == nil {
		return
	}
	if f := reflect.ValueOf(options).Elem().FieldByName("Activation"); f.IsValid() {
		f.SetInt(int64(model.ActNone))
	}
}
