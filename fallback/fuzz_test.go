package fallback

import (
	"encoding/binary"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"edged"
	"edged/model"
)

// fuzzLimit is the memory that a fuzzed model may have, fuzzWork the work of
// one frame: both keep a run short, neither hides a fault.
const (
	fuzzLimit = 16 << 20
	fuzzWork  = 1 << 24
)

// survive loads a file and runs a frame of it: any error is fine.
func survive(t *testing.T, data []byte) {
	e, err := Open(data, edged.Options{Threads: 1, MemoryLimit: fuzzLimit})
	if err != nil {
		return
	}
	defer e.Close()
	work := 0
	for _, s := range e.(*Engine).plan.steps {
		work += s.work + s.units
		if s.work < 0 || work < 0 {
			t.Fatalf("step %s %s of work %d", s.name, s.how, s.work)
		}
	}
	if work > fuzzWork {
		return
	}
	if err := e.Run(); err != nil {
		t.Log(err)
	}
	for i, s := range e.Outputs() {
		if len(e.Output(i)) != s.Bytes() {
			t.Fatalf("output %v in %d bytes", s, len(e.Output(i)))
		}
	}
}

// FuzzOpen takes files as they are.
func FuzzOpen(f *testing.F) {
	files := opGraphs(f)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f.Add(files[name])
	}
	f.Fuzz(func(t *testing.T, data []byte) { survive(t, data) })
}

// FuzzMutated takes a valid graph and changes what it says: a file that still
// parses, and lies.
func FuzzMutated(f *testing.F) {
	files := opGraphs(f)
	names := slices.Sorted(maps.Keys(files))
	for i := range names {
		f.Add(uint64(i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, which, seed uint64) {
		m, err := model.Read(files[names[which%uint64(len(names))]])
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(which, seed))
		for range 1 + r.IntN(3) {
			mutate(m, r)
		}
		if data, err := m.Write(); err == nil {
			survive(t, data)
		}
	})
}

// TestMutatedModels is a fixed share of FuzzMutated for every test run.
func TestMutatedModels(t *testing.T) {
	files := opGraphs(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for seed := range uint64(40) {
			m, err := model.Read(files[name])
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(99, seed))
			for range 1 + r.IntN(3) {
				mutate(m, r)
			}
			if data, err := m.Write(); err == nil {
				survive(t, data)
			}
		}
	}
}

// numbers are the values that hurt.
var numbers = []int64{0, 1, -1, 2, 3, 7, 64, -128, 127, 255, 1 << 16, 1 << 20, math.MaxInt32, math.MinInt32, math.MaxInt32 - 1}

func hostile(r *rand.Rand) int64 {
	if r.IntN(3) == 0 {
		return int64(r.IntN(20)) - 5
	}
	return numbers[r.IntN(len(numbers))]
}

// mutate changes one thing.
func mutate(m *model.Model, r *rand.Rand) {
	sub := m.Subgraphs[0]
	op := sub.Operators[r.IntN(len(sub.Operators))]
	tensor := sub.Tensors[r.IntN(len(sub.Tensors))]
	switch r.IntN(9) {
	case 0:
		mutateFields(op.Options, r)
	case 1, 2:
		if len(tensor.Shape) > 0 {
			tensor.Shape[r.IntN(len(tensor.Shape))] = int32(hostile(r))
		}
	case 3:
		tensor.Type = model.TensorType(r.IntN(12))
	case 4, 5:
		mutateBuffer(m.Buffers[tensor.Buffer], r)
	case 6:
		list := op.Inputs
		if r.IntN(3) == 0 {
			list = op.Outputs
		}
		list[r.IntN(len(list))] = int32(r.IntN(len(sub.Tensors)+1)) - 1
	case 7:
		mutateQuant(tensor, r)
	case 8:
		m.OperatorCodes[op.OpcodeIndex].Builtin = model.BuiltinOperator(r.IntN(160))
	}
}

// mutateFields sets one integer or boolean field of an options struct.
func mutateFields(options any, r *rand.Rand) {
	v := reflect.ValueOf(options)
	if v.Kind() != reflect.Pointer || v.Elem().NumField() == 0 {
		return
	}
	switch f := v.Elem().Field(r.IntN(v.Elem().NumField())); f.Kind() {
	case reflect.Int8, reflect.Int32:
		f.SetInt(hostile(r))
	case reflect.Bool:
		f.SetBool(!f.Bool())
	case reflect.Float32:
		f.SetFloat(float64(hostile(r)))
	}
}

func mutateBuffer(b *model.Buffer, r *rand.Rand) {
	switch {
	case len(b.Data) < 4:
	case r.IntN(8) == 0:
		b.Data = b.Data[:r.IntN(len(b.Data))]
	default:
		binary.LittleEndian.PutUint32(b.Data[r.IntN(len(b.Data)/4)*4:], uint32(hostile(r)))
	}
}

func mutateQuant(t *model.Tensor, r *rand.Rand) {
	if t.Quantization == nil || len(t.Quantization.Scale) == 0 {
		return
	}
	switch q := t.Quantization; r.IntN(4) {
	case 0:
		q.Scale[0] = float32(hostile(r))
	case 1:
		q.Scale[0] = []float32{float32(math.NaN()), float32(math.Inf(1)), 1e-38, 1e38}[r.IntN(4)]
	case 2:
		q.ZeroPoint = []int64{hostile(r)}
	case 3:
		q.Scale, q.QuantizedDimension = append(q.Scale, 1), int32(hostile(r))
	}
}
