package model

import (
	"bytes"
	"flag"
	"testing"
)

// go test ./model -run Dump -update writes what the tests compare with.
var update = flag.Bool("update", false, "write golden files")

func dump(t testing.TB, m *Model) string {
	t.Helper()
	var b bytes.Buffer
	if err := m.Dump(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDumpIsStable(t *testing.T) { checkGolden(t, "testdata/zoo.txt", dump(t, zoo(t))) }

// oddities is what nets rarely hold, each once.
func oddities() *Model {
	b := NewBuilder()
	x := b.Input("x", TypeFloat32, 1, 2, 2, 4)
	y := b.Custom("Resampler", []byte{1, 2, 3}, []int{1, 7}, x)
	z := b.Add(y, b.Float16s("halves", []int{1, 1}, []float32{0.5}), ActTanh)
	m := b.Model(z)
	g := m.Subgraphs[0]
	sparse := &Tensor{Name: "sparse", Shape: []int32{4, 4}, Buffer: 1, Sparsity: &Sparsity{
		TraversalOrder: []int32{0, 1, 2, 3}, BlockMap: []int32{0, 1},
		DimMetadata: []*DimensionMetadata{
			{DenseSize: 2},
			{Format: DimensionSparseCSR, ArraySegments: &Uint8Vector{[]uint8{0, 1, 2}}, ArrayIndices: &Uint16Vector{[]uint16{0, 1}}},
			{Format: DimensionSparseCSR, ArraySegments: &Int32Vector{[]int32{7}}},
		},
	}}
	ranged := &Tensor{Name: "ranged", Type: TypeUint8, IsVariable: true, ShapeSignature: []int32{-1}, Shape: []int32{1}, Quantization: &Quantization{
		Min: []float32{-1}, Max: []float32{1}, Scale: make([]float32, 20), ZeroPoint: []int64{1, 2}, QuantizedDimension: 3,
		Details: &CustomQuantization{[]byte("codebook")},
	}}
	nested := &Tensor{Name: "nested", Type: TypeVariant, VariantTensors: []*VariantSubType{{Shape: []int32{3}, Type: TypeInt64}}}
	g.Tensors = append(g.Tensors, sparse, ranged, nested)
	g.Operators[0].MutatingVariableInputs = []bool{true}
	g.Operators[0].Intermediates = []int32{0, -1}
	g.Operators[1].Options2 = &StablehloConvolutionOptions{WindowStrides: []int64{2, 2}, PrecisionConfig: []uint32{1}}
	m.MetadataBuffer = []int32{1}
	m.SignatureDefs = []*SignatureDef{{Key: "main", DeprecatedTag: "serve"}}
	return m
}

func TestDumpOfOddities(t *testing.T) {
	checkGolden(t, "testdata/oddities.txt", dump(t, oddities()))
	checkRoundTrip(t, oddities())
}

func TestDumpShowsEveryChange(t *testing.T) {
	base := dump(t, zoo(t))
	for name, change := range map[string]func(m *Model){
		"a weight":    func(m *Model) { m.Buffers[1].Data[5] ^= 1 },
		"a stride":    func(m *Model) { m.Subgraphs[0].Operators[0].Options.(*Conv2DOptions).StrideH = 3 },
		"a version":   func(m *Model) { m.OperatorCodes[0].Version++ },
		"an input":    func(m *Model) { m.Subgraphs[0].Operators[3].Inputs[0] = 0 },
		"a shape":     func(m *Model) { m.Subgraphs[0].Tensors[0].Shape[1]++ },
		"an output":   func(m *Model) { m.Subgraphs[0].Outputs[0]-- },
		"a scale":     func(m *Model) { lastQuantized(m).Scale[0] *= 2 },
		"a metadatum": func(m *Model) { m.Buffers[len(m.Buffers)-1].Data[0] ^= 1 },
		"a trailer":   func(m *Model) { m.Trailer = []byte("PK") },
	} {
		m := zoo(t)
		change(m)
		if dump(t, m) == base {
			t.Errorf("%s changed, the text did not", name)
		}
	}
}

func lastQuantized(m *Model) (q *Quantization) {
	for _, t := range m.Subgraphs[0].Tensors {
		if t.Quantization != nil {
			q = t.Quantization
		}
	}
	return q
}
