package enginetest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"slices"
	"testing"

	"edged"
	"edged/model"
)

// Mutant is a valid file of a damaged graph: a generated case or net with one
// to three of its numbers, types, shapes, quantisations, constants or edges
// changed. Engines must answer with an error or with outputs, never a crash.
func Mutant(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 0xbad))
	var c *Case
	if r.IntN(3) == 0 {
		c = newNet(netKinds[r.IntN(len(netKinds))], seed)
	} else {
		op := table[r.IntN(len(table))]
		c = newCase(op, op.kinds[r.IntN(len(op.kinds))], int(seed%1000))
	}
	c.Model = c.Model.Clone() // its options may be the generator's own
	for range 1 + r.IntN(3) {
		(&mutator{r, c.Model, c.Model.Subgraphs[0]}).mutate()
	}
	file, err := c.Model.Write()
	if err != nil {
		return nil // what cannot be written cannot be met in a file
	}
	return file
}

// Mutate changes one thing of m's main graph, for readers that run nothing: also
// what a Mutant leaves alone. The result may still be a valid file.
func Mutate(m *model.Model, r *rand.Rand) {
	x := &mutator{r, m, m.Subgraphs[0]}
	if len(x.sg.Operators) == 0 || len(x.sg.Tensors) == 0 {
		return
	}
	t, op := x.sg.Tensors[r.IntN(len(x.sg.Tensors))], x.sg.Operators[r.IntN(len(x.sg.Operators))]
	switch r.IntN(30) {
	case 0:
		x.sg.Outputs = nil
	case 1:
		x.sg.Operators = nil
	case 2:
		op.Outputs = op.Outputs[:r.IntN(len(op.Outputs)+1)]
	case 3:
		op.Outputs = append(op.Outputs[:len(op.Outputs):len(op.Outputs)], int32(r.IntN(len(x.sg.Tensors))))
	case 4:
		t.Quantization = &model.Quantization{Details: &model.BlockwiseQuantization{ZeroPoints: -1}}
	case 5:
		x.sg.Outputs = slices.Clone(x.sg.Inputs)
	case 6:
		t.ShapeSignature, t.Name = []int32{-1, -1, -1}, ""
	default:
		x.mutate()
	}
}

// Hostile opens and runs the mutants of seeds in [from, from+n) under a memory
// limit. before is told each seed, so that a crash can be placed.
func Hostile(t testing.TB, open edged.Opener, from, n uint64, before func(seed uint64)) {
	for seed := from; seed < from+n; seed++ {
		before(seed)
		hostile(t, open, seed)
	}
}

func hostile(t testing.TB, open edged.Opener, seed uint64) {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("mutant %d: panic: %v\n%s", seed, p, debug.Stack())
		}
	}()
	e, err := open(Mutant(seed), edged.Options{Threads: 1, MemoryLimit: 64 << 20})
	if err != nil {
		if e != nil {
			t.Errorf("mutant %d: an engine and an error: %v", seed, err)
		}
		return
	}
	for i := range e.Inputs() {
		clear(e.Input(i))
	}
	if e.Run() == nil {
		for i, s := range e.Outputs() {
			if len(e.Output(i)) != s.Bytes() {
				t.Errorf("mutant %d: output %d holds %d bytes, its description says %d", seed, i, len(e.Output(i)), s.Bytes())
			}
		}
	}
	if err := e.Close(); err != nil {
		t.Errorf("mutant %d: close: %v", seed, err)
	}
}

type mutator struct {
	r  *rand.Rand
	m  *model.Model
	sg *model.Subgraph
}

var extremes = []int64{-1, 0, 1, 2, 3, 7, 100, 1000, 1 << 16, 1 << 30, math.MaxInt32, math.MinInt32}

func (x *mutator) number() int64 { return extremes[x.r.IntN(len(extremes))] }

func (x *mutator) mutate() {
	t := x.sg.Tensors[x.r.IntN(len(x.sg.Tensors))]
	op := x.sg.Operators[x.r.IntN(len(x.sg.Operators))]
	switch x.r.IntN(9) {
	case 0, 1:
		x.option(op)
	case 2:
		x.shape(t)
	case 3:
		t.Type = model.TensorType(x.r.IntN(19))
	case 4:
		x.quantization(t)
	case 5:
		x.constant(t)
	case 6:
		x.edges(op)
	case 7:
		code := *x.m.Code(op)
		if x.r.IntN(2) == 0 {
			code.Builtin = table[x.r.IntN(len(table))].code
		} else {
			code.Version = 1 + int32(x.r.IntN(6))
		}
		op.OpcodeIndex = x.m.CodeIndex(code)
	case 8:
		x.other(t)
	}
}

// option changes one field of an operator's options, or drops them.
func (x *mutator) option(op *model.Operator) {
	if op.Options == nil || x.r.IntN(12) == 0 {
		op.Options = nil
		return
	}
	v := reflect.ValueOf(op.Options).Elem()
	if v.NumField() == 0 {
		return
	}
	switch f := v.Field(x.r.IntN(v.NumField())); f.Kind() {
	case reflect.Int8, reflect.Int32, reflect.Int64:
		f.SetInt(int64(reflect.ValueOf(x.number()).Convert(f.Type()).Int()))
	case reflect.Bool:
		f.SetBool(!f.Bool())
	case reflect.Float32:
		f.SetFloat([]float64{0, -1, 1e30, math.Inf(1), math.NaN()}[x.r.IntN(5)])
	}
}

func (x *mutator) shape(t *model.Tensor) {
	switch n := len(t.Shape); {
	case n == 0 || x.r.IntN(4) == 0:
		t.Shape = append(t.Shape, 1)
	case x.r.IntN(4) == 0:
		t.Shape = t.Shape[:n-1]
	default:
		t.Shape[x.r.IntN(n)] = int32(x.number())
	}
}

func (x *mutator) quantization(t *model.Tensor) {
	if t.Quantization == nil {
		t.Quantization = affine(0.1, 3)
		return
	}
	q := *t.Quantization
	switch x.r.IntN(7) {
	case 0:
		t.Quantization = nil
		return
	case 1:
		q.Scale = nil
	case 2:
		q.ZeroPoint = nil
	case 3:
		bad := []float32{0, -1, 1e-30, 1e30, float32(math.Inf(1)), float32(math.NaN())}
		q.Scale = []float32{bad[x.r.IntN(len(bad))]}
	case 4:
		q.ZeroPoint = []int64{x.number()}
	case 5:
		q.Scale, q.ZeroPoint = append(q.Scale[:len(q.Scale):len(q.Scale)], 1), append(q.ZeroPoint[:len(q.ZeroPoint):len(q.ZeroPoint)], 0)
	case 6:
		q.QuantizedDimension = int32(x.number())
	}
	t.Quantization = &q
}

// constant changes, cuts or removes a tensor's data.
func (x *mutator) constant(t *model.Tensor) {
	d := x.m.Data(t)
	switch {
	case d == nil:
		t.Buffer = uint32(x.r.IntN(len(x.m.Buffers)))
	case t.Type == model.TypeInt32 && x.r.IntN(4) > 0 && len(d) >= 4:
		i := x.r.IntN(len(d) / 4)
		binary.LittleEndian.PutUint32(d[4*i:], uint32(x.number()))
	case x.r.IntN(2) == 0 && len(d) > 0:
		x.m.Buffers[t.Buffer].Data = d[:x.r.IntN(len(d))]
	default:
		t.Buffer = 0
	}
}

func (x *mutator) edges(op *model.Operator) {
	some := func() int32 { return int32(x.r.IntN(len(x.sg.Tensors))) }
	n := len(op.Inputs)
	if n == 0 {
		op.Inputs = []int32{some()}
		return
	}
	switch x.r.IntN(5) {
	case 0:
		op.Inputs = op.Inputs[:x.r.IntN(n+1)]
	case 1:
		op.Inputs = append(op.Inputs[:n:n], some())
	case 2:
		op.Inputs[x.r.IntN(n)] = -1
	case 3:
		op.Inputs[x.r.IntN(n)] = some()
	case 4:
		if len(op.Outputs) > 0 {
			op.Outputs[x.r.IntN(len(op.Outputs))] = some()
		}
	}
}

func (x *mutator) other(t *model.Tensor) {
	switch x.r.IntN(5) {
	case 0:
		t.IsVariable = true
	case 1:
		x.sg.Inputs = append(x.sg.Inputs, int32(x.r.IntN(len(x.sg.Tensors))))
	case 2:
		x.sg.Outputs = append(x.sg.Outputs, int32(x.r.IntN(len(x.sg.Tensors))))
	case 3:
		x.sg.Inputs = nil
	case 4:
		i, j := x.r.IntN(len(x.sg.Operators)), x.r.IntN(len(x.sg.Operators))
		x.sg.Operators[i], x.sg.Operators[j] = x.sg.Operators[j], x.sg.Operators[i]
	}
}
