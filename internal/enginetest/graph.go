package enginetest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strconv"

	"edged/model"
)

// graph builds the model of one case. Everything random in it comes from r, so
// that a case is a function of its seed.
type graph struct {
	r     *rand.Rand
	kind  kind
	m     *model.Model
	sg    *model.Subgraph
	fills []func() []byte // one for each input
	unit  bool            // weights of a size that keeps the signal's
	terms int             // how many products one output sums, for the float bound
}

func newGraph(r *rand.Rand, k kind) *graph {
	sg := &model.Subgraph{Name: "main"}
	return &graph{
		r: r, kind: k, sg: sg, terms: 1,
		m: &model.Model{Version: model.SchemaVersion, Subgraphs: []*model.Subgraph{sg}, Buffers: []*model.Buffer{{}}},
	}
}

// between is a random number in [lo, hi].
func (g *graph) between(lo, hi int32) int32 { return lo + g.r.Int32N(hi-lo+1) }

func (g *graph) chance(p float64) bool { return g.r.Float64() < p }

func pick[T any](g *graph, of ...T) T { return of[g.r.IntN(len(of))] }

// edge is the length of a map's edge; ones and twos are common on purpose.
func (g *graph) edge() int32 { return pick[int32](g, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17) }

// channels favours the numbers around the widths of vector registers.
func (g *graph) channels() int32 {
	return pick[int32](g, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 33)
}

func (g *graph) batch() int32 { return pick[int32](g, 1, 1, 1, 2, 3) }

// image is the shape of a map, now and then one that is large enough for the
// kernels that tile.
func (g *graph) image() []int32 {
	if g.chance(0.06) {
		return []int32{1, g.between(28, 45), g.between(28, 45), pick[int32](g, 16, 32, 40, 64)}
	}
	return []int32{g.batch(), g.edge(), g.edge(), g.channels()}
}

// shape is a random shape of a rank in [lo, hi] with at most a few thousand elements.
func (g *graph) shape(lo, hi int32) []int32 {
	s := make([]int32, g.between(lo, hi))
	for i := range s {
		s[i] = pick[int32](g, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	}
	return s
}

func elems(shape []int32) int {
	n := 1
	for _, d := range shape {
		n *= int(d)
	}
	return n
}

// tensor adds a tensor that is computed.
func (g *graph) tensor(t model.TensorType, shape []int32, q *model.Quantization) int32 {
	id := int32(len(g.sg.Tensors))
	g.sg.Tensors = append(g.sg.Tensors, &model.Tensor{
		Name: "t" + strconv.Itoa(int(id)), Type: t,
		Shape: append([]int32(nil), shape...), Quantization: q, HasRank: true,
	})
	return id
}

// input adds an input of the case's kind over its whole range.
func (g *graph) input(shape []int32) int32 { return g.inputIn(shape, -2, 2) }

// inputIn adds an input whose real values lie in [lo, hi] as far as its
// quantisation reaches.
func (g *graph) inputIn(shape []int32, lo, hi float32) int32 {
	return g.inputQ(shape, g.kind.dtype, g.quant(), lo, hi)
}

func (g *graph) inputQ(shape []int32, t model.TensorType, q *model.Quantization, lo, hi float32) int32 {
	id := g.tensor(t, shape, q)
	g.sg.Inputs = append(g.sg.Inputs, id)
	n := elems(shape)
	g.fills = append(g.fills, func() []byte { return g.values(t, n, lo, hi) })
	return id
}

// constant adds a tensor with data.
func (g *graph) constant(t model.TensorType, shape []int32, q *model.Quantization, data []byte) int32 {
	id := g.tensor(t, shape, q)
	g.sg.Tensors[id].Buffer = uint32(len(g.m.Buffers))
	g.m.Buffers = append(g.m.Buffers, &model.Buffer{Data: data})
	return id
}

// ints adds a constant int32 vector.
func (g *graph) ints(v ...int32) int32 {
	return g.constant(model.TypeInt32, []int32{int32(len(v))}, nil, int32s(v...))
}

// scalar adds a constant int32 of rank 0.
func (g *graph) scalar(v int32) int32 { return g.constant(model.TypeInt32, nil, nil, int32s(v)) }

// like adds an output of x's type and quantisation. Its shape is inferred.
func (g *graph) like(x int32) int32 {
	t := g.sg.Tensors[x]
	return g.tensor(t.Type, nil, t.Quantization)
}

// result adds an output of the case's kind with a quantisation of its own.
func (g *graph) result() int32 { return g.tensor(g.kind.dtype, nil, g.quant()) }

func (g *graph) shapeOf(x int32) []int32 { return g.sg.Tensors[x].Shape }

// op adds an operator. finish sets its version.
func (g *graph) op(code model.BuiltinOperator, options any, in []int32, out ...int32) {
	index := g.m.CodeIndex(model.OperatorCode{Builtin: code, Version: 1})
	g.sg.Operators = append(g.sg.Operators, &model.Operator{OpcodeIndex: index, Inputs: in, Outputs: out, Options: options})
}

// values are n random elements; numbers outside the range of t are clamped.
func (g *graph) values(t model.TensorType, n int, lo, hi float32) []byte {
	size := t.Size()
	out := make([]byte, n*size)
	for i := range n {
		g.put(out[i*size:], t, lo, hi)
	}
	return out
}

func (g *graph) put(b []byte, t model.TensorType, lo, hi float32) {
	switch t {
	case model.TypeFloat32:
		v := lo + (hi-lo)*g.r.Float32()
		if lo < 0 && g.chance(0.02) {
			v = 0
		}
		binary.LittleEndian.PutUint32(b, math.Float32bits(v))
	case model.TypeInt8, model.TypeUint8:
		b[0] = byte(g.r.Uint32())
	case model.TypeInt16:
		binary.LittleEndian.PutUint16(b, uint16(g.r.Uint32()))
	case model.TypeInt32:
		binary.LittleEndian.PutUint32(b, uint32(g.between(int32(lo*50), int32(hi*50))))
	case model.TypeInt64:
		binary.LittleEndian.PutUint64(b, uint64(g.between(int32(lo*50), int32(hi*50))))
	case model.TypeBool:
		b[0] = byte(g.r.Uint32() & 1)
	case model.TypeFloat16:
		binary.LittleEndian.PutUint16(b, model.ToFloat16(lo+(hi-lo)*g.r.Float32()))
	default:
		panic("BUG: no random values of type " + t.String())
	}
}

func int32s(v ...int32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(x))
	}
	return b
}

func float32s(v ...float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}
