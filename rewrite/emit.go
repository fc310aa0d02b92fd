package rewrite

import (
	"fmt"
	"slices"

	"edged/model"
)

// emitter writes a new graph whose constants come from a baseline. Weights are
// shared with the baseline's buffers, never copied or changed.
type emitter struct {
	src   *model.Model
	from  *model.Subgraph
	m     *model.Model
	g     *model.Subgraph
	codes map[model.OperatorCode]uint32
	konst map[string]int32 // constants by key: those of the baseline and small integer lists
	names map[string]bool
	// weights maps a tensor of the baseline to where its data went.
	weights map[int32]weightRef
}

// weightRef says which tensor of the dense graph holds a baseline's constant,
// and in which order of axes.
type weightRef struct {
	tensor int32
	perm   []int
}

func newEmitter(src *model.Model) *emitter {
	e := &emitter{
		src: src, from: src.Subgraphs[0],
		m:     &model.Model{Version: src.Version, Description: src.Description, Buffers: []*model.Buffer{{}}, Trailer: src.Trailer},
		g:     &model.Subgraph{Name: src.Subgraphs[0].Name, DebugMetadata: src.Subgraphs[0].DebugMetadata},
		codes: map[model.OperatorCode]uint32{}, konst: map[string]int32{}, names: map[string]bool{},
		weights: map[int32]weightRef{},
	}
	e.m.Subgraphs = []*model.Subgraph{e.g}
	return e
}

func (e *emitter) addTensor(t *model.Tensor) int32 {
	t.Name = e.unique(t.Name)
	e.g.Tensors = append(e.g.Tensors, t)
	return int32(len(e.g.Tensors) - 1)
}

// unique keeps names apart, because the way back finds weights by name.
func (e *emitter) unique(name string) string {
	if name == "" {
		name = "t"
	}
	try := name
	for i := 2; e.names[try]; i++ {
		try = fmt.Sprintf("%s_%d", name, i)
	}
	e.names[try] = true
	return try
}

func (e *emitter) addBuffer(data []byte) uint32 {
	e.m.Buffers = append(e.m.Buffers, &model.Buffer{Data: data})
	return uint32(len(e.m.Buffers) - 1)
}

func (e *emitter) code(c model.OperatorCode) uint32 {
	if i, ok := e.codes[c]; ok {
		return i
	}
	e.m.OperatorCodes = append(e.m.OperatorCodes, &model.OperatorCode{Builtin: c.Builtin, Custom: c.Custom, Version: c.Version})
	e.codes[c] = uint32(len(e.m.OperatorCodes) - 1)
	return e.codes[c]
}

// ints is an int32 constant of the given shape.
func (e *emitter) ints(shape []int32, v ...int) int32 {
	key := fmt.Sprint("ints", shape, v)
	if t, ok := e.konst[key]; ok {
		return t
	}
	t := e.addTensor(&model.Tensor{Name: "edged/const", Shape: shape, Type: model.TypeInt32, Buffer: e.addBuffer(int32Bytes(v...)), HasRank: true})
	e.konst[key] = t
	return t
}

func (e *emitter) list(v ...int) int32 { return e.ints([]int32{int32(len(v))}, v...) }

// spec is what an emitted tensor is, apart from its shape.
type spec struct {
	name  string
	typ   model.TensorType
	quant *model.Quantization
}

func (v *value) spec() spec { return spec{v.name, v.typ, v.quant} }

func (s spec) suffix(x string) spec { s.name += x; return s }

// op emits an operator with one output and gives the output's index.
func (e *emitter) op(code model.OperatorCode, options any, in []int32, out spec) int32 {
	o := e.opN(code, options, nil, in, []spec{out})
	return o[0]
}

// opN emits an operator; like holds what else the baseline's operator said.
func (e *emitter) opN(code model.OperatorCode, options any, like *model.Operator, in []int32, out []spec) []int32 {
	if code.Version == 0 {
		code.Version = 1
	}
	op := &model.Operator{OpcodeIndex: e.code(code), Inputs: in, Options: options}
	if like != nil {
		op.Options2, op.CustomOptions, op.CustomOptionsFormat = like.Options2, like.CustomOptions, like.CustomOptionsFormat
		op.DebugMetadata = like.DebugMetadata
	}
	for _, s := range out {
		op.Outputs = append(op.Outputs, e.addTensor(&model.Tensor{Name: s.name, Type: s.typ, Quantization: s.quant, HasRank: true}))
	}
	e.g.Operators = append(e.g.Operators, op)
	shapes, err := e.m.OutputShapes(e.g, op)
	if err != nil {
		panic(emitError{&Refusal{Reason: fmt.Sprintf("has no form for this frame: %s: %v", code.Builtin, err), Instead: "use another --input or --cut"}})
	}
	for i, t := range op.Outputs {
		e.g.Tensors[t].Shape = shapes[i]
	}
	return op.Outputs
}

// emitError carries a shape error out of a lowering; Rewrite recovers it.
type emitError struct{ err error }

func (e *emitter) shape(t int32) []int32 { return e.g.Tensors[t].Shape }

// size is the map size of an emitted [n, h, w, c] tensor.
func (e *emitter) size(t int32) pair {
	s := e.shape(t)
	return pair{int(s[1]), int(s[2])}
}

// constant emits a constant of the baseline, or what computes it from
// constants (float16 weights behind DEQUANTIZE), under its own shape or the
// one given.
func (e *emitter) constant(a arg) int32 {
	if a.konst < 0 {
		return -1
	}
	key := fmt.Sprint("from", a.konst, a.shape, a.perm)
	if t, ok := e.konst[key]; ok {
		return t
	}
	src := e.from.Tensors[a.konst]
	var t int32
	if data := e.src.Data(src); data != nil {
		t = e.plainConstant(a, src, data)
	} else {
		t = e.computedConstant(a, src)
	}
	e.konst[key] = t
	return t
}

func (e *emitter) plainConstant(a arg, src *model.Tensor, data []byte) int32 {
	c := *src
	if a.shape != nil {
		c.Shape, c.ShapeSignature = a.shape, nil
	}
	switch {
	case a.perm != nil:
		c.Buffer = e.addBuffer(permute(data, flatOrderShape(a.shape, a.perm), a.perm, src.Type.Size()))
	case e.konst[fmt.Sprint("buffer", src.Buffer)] > 0:
		c.Buffer = uint32(e.konst[fmt.Sprint("buffer", src.Buffer)])
	default:
		c.Buffer = e.addBuffer(data)
		e.konst[fmt.Sprint("buffer", src.Buffer)] = int32(c.Buffer)
	}
	t := e.addTensor(&c)
	if _, ok := e.weights[a.konst]; !ok {
		e.weights[a.konst] = weightRef{t, a.perm}
	}
	return t
}

func (e *emitter) computedConstant(a arg, src *model.Tensor) int32 {
	for _, op := range e.from.Operators {
		if !slices.Contains(op.Outputs, a.konst) {
			continue
		}
		if len(op.Outputs) != 1 || a.shape != nil && len(op.Inputs) != 1 {
			break
		}
		var in []int32
		for _, t := range op.Inputs {
			in = append(in, e.constant(arg{konst: t, shape: a.shape, perm: a.perm}))
		}
		t := e.opN(*e.src.Code(op), op.Options, op, in, []spec{{src.Name, src.Type, src.Quantization}})[0]
		e.g.Tensors[t].Shape = src.Shape
		if a.shape != nil {
			e.g.Tensors[t].Shape = a.shape
		}
		return t
	}
	panic(emitError{&Refusal{Reason: fmt.Sprintf("constant %q is computed in a way that cannot be carried over", src.Name), Instead: insteadShifts}})
}

// flatOrderShape is the shape [O, axes as they lie] of weights whose axes are
// to be brought into [O, y, x, c].
func flatOrderShape(shape []int32, perm []int) []int {
	s := make([]int, 4)
	s[0] = int(shape[0])
	for i, p := range perm {
		s[1+p] = int(shape[1+i])
	}
	return s
}

// permute reorders data of the given shape so that axis i of the result is
// axis 1+perm[i] of data; axis 0 stays.
func permute(data []byte, shape, perm []int, size int) []byte {
	stride := [4]int{shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1}
	out := make([]byte, 0, len(data))
	n := [3]int{shape[1+perm[0]], shape[1+perm[1]], shape[1+perm[2]]}
	for o := range shape[0] {
		for y := range n[0] {
			for x := range n[1] {
				for c := range n[2] {
					at := o*stride[0] + y*stride[1+perm[0]] + x*stride[1+perm[1]] + c*stride[1+perm[2]]
					out = append(out, data[at*size:(at+1)*size]...)
				}
			}
		}
	}
	return out
}
