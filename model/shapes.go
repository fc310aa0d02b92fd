package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// InferShapes recomputes the shape of every computed tensor of a subgraph from
// the shapes of its inputs, the options, and constants. Shapes that are
// themselves computed (SHAPE, slices and arithmetic of it) are followed.
//
// The error is an *UnsupportedError where an operator is not known or a shape
// depends on data, a *MalformedError where the shapes contradict each other.
// After an error the subgraph's shapes are partly new.
func (m *Model) InferShapes(subgraph int) error {
	if subgraph < 0 || subgraph >= len(m.Subgraphs) {
		return malformed("no subgraph %d of %d", subgraph, len(m.Subgraphs))
	}
	g := m.Subgraphs[subgraph]
	in := newInference(m, g)
	for i, op := range g.Operators {
		if err := in.operator(op); err != nil {
			return under(fmt.Sprintf("subgraphs[%d].operators", subgraph),
				underIndex(i, under(fmt.Sprintf("(%s)", m.Code(op).Name()), err)))
		}
	}
	return nil
}

// InferKnown is InferShapes for a graph with operators that have no rule, or
// whose shapes depend on data: what they write keeps the shape that the file
// says.
func (m *Model) InferKnown(subgraph int) error {
	if subgraph < 0 || subgraph >= len(m.Subgraphs) {
		return malformed("no subgraph %d of %d", subgraph, len(m.Subgraphs))
	}
	g := m.Subgraphs[subgraph]
	in := newInference(m, g)
	for i, op := range g.Operators {
		err := in.operator(op)
		if unknown := (*UnsupportedError)(nil); err != nil && !errors.As(err, &unknown) {
			return under(fmt.Sprintf("subgraphs[%d].operators", subgraph),
				underIndex(i, under(fmt.Sprintf("(%s)", m.Code(op).Name()), err)))
		}
	}
	return nil
}

// OutputShapes infers the shapes of one operator's outputs from its inputs' as
// they stand, as InferShapes does.
func (m *Model) OutputShapes(g *Subgraph, op *Operator) ([][]int32, error) {
	return newInference(m, g).shapes(op)
}

// inference walks one subgraph. values holds the contents of integer tensors
// that follow from shapes alone.
type inference struct {
	m      *Model
	g      *Subgraph
	values map[int32][]int64
}

func newInference(m *Model, g *Subgraph) *inference {
	return &inference{m: m, g: g, values: map[int32][]int64{}}
}

func (in *inference) operator(op *Operator) error {
	out, err := in.shapes(op)
	if err != nil {
		return err
	}
	for i, id := range op.Outputs {
		if id >= 0 {
			in.g.Tensors[id].setShape(out[i])
		}
	}
	in.fold(op)
	return nil
}

// setShape gives a tensor a new shape; dimensions that its signature does not
// leave open follow.
func (t *Tensor) setShape(shape []int32) {
	t.Shape = shape
	if len(t.ShapeSignature) != len(shape) {
		t.ShapeSignature = nil
		return
	}
	for i, n := range shape {
		if t.ShapeSignature[i] != -1 {
			t.ShapeSignature[i] = n
		}
	}
}

func (in *inference) shapes(op *Operator) ([][]int32, error) {
	code := in.m.Code(op)
	rule := shapeRules[code.Builtin]
	if code.Builtin == OpCustom {
		rule = customShapeRules[code.Custom]
	}
	if rule == nil {
		return nil, unsupported("no shape rule for this operator")
	}
	dims, err := rule(&opShape{inference: in, op: op})
	if err != nil {
		return nil, err
	}
	if len(dims) != len(op.Outputs) {
		return nil, malformed("%d outputs where %d result", len(op.Outputs), len(dims))
	}
	out := make([][]int32, len(dims))
	for i, d := range dims {
		if out[i], err = narrow(d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// narrow turns computed dimensions into a tensor's shape.
func narrow(d dims) ([]int32, error) {
	if len(d) > maxRank {
		return nil, unsupported("an output of %d dimensions", len(d))
	}
	s := make([]int32, len(d))
	for i, n := range d {
		if n < 0 || n > math.MaxInt32 {
			return nil, malformed("output dimension %d in %v", n, d)
		}
		s[i] = int32(n)
	}
	_, err := Elements(s)
	return s, err
}

// dims is a shape under computation; int64 so that sums of int32 are exact.
type dims []int64

// shapeRule computes the shapes of an operator's outputs.
type shapeRule func(o *opShape) ([]dims, error)

// opShape gives a rule its operator's inputs.
type opShape struct {
	*inference
	op *Operator
}

func (o *opShape) has(i int) bool { return i < len(o.op.Inputs) && o.op.Inputs[i] >= 0 }

func (o *opShape) tensor(i int) (*Tensor, error) {
	if !o.has(i) {
		return nil, malformed("input %d is missing", i)
	}
	return o.g.Tensors[o.op.Inputs[i]], nil
}

// shape is the shape of input i.
func (o *opShape) shape(i int) (dims, error) {
	t, err := o.tensor(i)
	if err != nil {
		return nil, err
	}
	d := make(dims, len(t.Shape))
	for k, n := range t.Shape {
		if n < 0 {
			return nil, malformed("input %d has shape %v", i, t.Shape)
		}
		d[k] = int64(n)
	}
	return d, nil
}

// ranked is shape with a check of the number of dimensions.
func (o *opShape) ranked(i, rank int) (dims, error) {
	d, err := o.shape(i)
	if err == nil && len(d) != rank {
		err = malformed("input %d has shape %v where %d dimensions are asked for", i, d, rank)
	}
	return d, err
}

// maxShapeData bounds a constant that a shape follows from: pads, axes, sizes
// of splits.
const maxShapeData = 1 << 14

// ints is the content of input i, an integer tensor that is constant or
// follows from shapes.
func (o *opShape) ints(i int) ([]int64, error) {
	t, err := o.tensor(i)
	if err != nil {
		return nil, err
	}
	if v, ok := o.values[o.op.Inputs[i]]; ok {
		return v, nil
	}
	data := o.m.Data(t)
	if len(data) > maxShapeData {
		return nil, unsupported("the output shape depends on %d bytes of data of input %d", len(data), i)
	}
	if data == nil {
		n, err := Elements(t.Shape)
		if err == nil && n == 0 {
			return nil, nil
		}
		return nil, unsupported("the output shape depends on the data of input %d, %s", i, o.g.TensorName(o.op.Inputs[i]))
	}
	return Ints(t.Type, data)
}

// scalar is the content of input i, one integer.
func (o *opShape) scalar(i int) (int64, error) {
	v, err := o.ints(i)
	if err == nil && len(v) != 1 {
		err = malformed("input %d holds %d values where one is asked for", i, len(v))
	}
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// options gives the operator's options as *T; an operator without a table
// takes the schema's defaults, as runtimes do.
func options[T any](o *opShape) (*T, error) {
	if o.op.Options == nil {
		return new(T), nil
	}
	p, ok := o.op.Options.(*T)
	if u, newer := o.op.Options.(*UnknownOptions); newer {
		return nil, u.err()
	}
	if !ok {
		return nil, malformed("options are of type %T", o.op.Options)
	}
	return p, nil
}

// axis makes a negative axis count from the end, and checks it.
func axis(a int64, rank int) (int, error) {
	if a < 0 {
		a += int64(rank)
	}
	if a < 0 || a >= int64(rank) {
		return 0, malformed("axis %d of %d dimensions", a, rank)
	}
	return int(a), nil
}

func (d dims) elements() (int64, error) {
	s, err := narrow(d)
	if err != nil {
		return 0, err
	}
	return Elements(s)
}

func one(d dims) []dims { return []dims{d} }

// with gives a copy in which dimension i is n.
func (d dims) with(i int, n int64) dims {
	c := slices.Clone(d)
	c[i] = n
	return c
}
