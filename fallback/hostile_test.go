package fallback

import (
	"errors"
	"os"
	"strconv"
	"testing"

	"edged"
	"edged/internal/enginetest"
	"edged/internal/kernel/cpu"
	"edged/model"
)

// TestMutants opens and runs damaged graphs, a range of seeds of its own for
// every kernel variant. EDGED_MUTANT_FIRST and EDGED_MUTANT_COUNT choose others.
func TestMutants(t *testing.T) {
	first, n := seedSetting(t, "EDGED_MUTANT_FIRST", 0), seedSetting(t, "EDGED_MUTANT_COUNT", 12000)
	for i, v := range cpu.Available() {
		t.Setenv(cpu.EnvVariable, string(v))
		enginetest.Hostile(t, Open, first+uint64(i)*n, n, func(uint64) {})
	}
}

// seedSetting reads a setting of long runs.
func seedSetting(t *testing.T, name string, standard uint64) uint64 {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return standard
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// sparseGraph is a matrix of which two values are stored, and what reads it.
func sparseGraph(t *testing.T, read func(b *model.Builder, dense model.Ref) model.Ref) *model.Model {
	t.Helper()
	b := model.NewBuilder()
	dense := model.Const(b, "sparse", []int{3, 9}, make([]float32, 27))
	m, err := b.Build(read(b, dense))
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range m.Subgraphs[0].Tensors {
		if x.Name == "sparse" {
			m.Subgraphs[0].Tensors[i].Sparsity = &model.Sparsity{TraversalOrder: []int32{0, 1}, DimMetadata: []*model.DimensionMetadata{
				{Format: model.DimensionDense, DenseSize: 3},
				{Format: model.DimensionSparseCSR, ArraySegments: &model.Int32Vector{Values: []int32{0, 1, 1, 2}}, ArrayIndices: &model.Int32Vector{Values: []int32{4, 8}}},
			}}
			m.Buffers[x.Buffer].Data = m.Buffers[x.Buffer].Data[:8]
		}
	}
	return m
}

// TestSparseIsReadByDensifyAlone: mutants 1308 and 9939 copied and added rows
// beyond the values stored, 1348, 1667 and 11189 gave them out as outputs.
func TestSparseIsReadByDensifyAlone(t *testing.T) {
	input := func(b *model.Builder) model.Ref { return b.Input("x", model.TypeFloat32, 3, 9) }
	readers := map[string]func(b *model.Builder, dense model.Ref) model.Ref{
		"ADD":       func(b *model.Builder, dense model.Ref) model.Ref { return b.Add(input(b), dense, model.ActNone) },
		"RESHAPE":   func(b *model.Builder, dense model.Ref) model.Ref { return b.Reshape(dense, 27) },
		"TRANSPOSE": func(b *model.Builder, dense model.Ref) model.Ref { return b.Transpose(dense, 1, 0) },
		"FULLY_CONNECTED": func(b *model.Builder, dense model.Ref) model.Ref {
			return b.FullyConnected(input(b), dense, model.None, model.FullyConnectedOptions{})
		},
	}
	for name, read := range readers {
		t.Run(name, func(t *testing.T) { refusedSparse(t, sparseGraph(t, read)) })
	}
	densify := func(b *model.Builder, dense model.Ref) model.Ref {
		return b.Op(model.OpDensify, &model.DensifyOptions{}, dense)
	}
	t.Run("graph output", func(t *testing.T) {
		m := sparseGraph(t, densify)
		m.Subgraphs[0].Outputs = append(m.Subgraphs[0].Outputs, m.Subgraphs[0].Operators[0].Inputs[0])
		refusedSparse(t, m)
	})
	t.Run("DENSIFY", func(t *testing.T) {
		data, err := sparseGraph(t, densify).Write()
		if err != nil {
			t.Fatal(err)
		}
		if e := open(t, data, edged.Options{}); e.Outputs()[0].Elems() != 27 {
			t.Errorf("output %v", e.Outputs()[0])
		}
	})
}

func refusedSparse(t *testing.T, m *model.Model) {
	t.Helper()
	data, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(data, edged.Options{})
	var unsupported *model.UnsupportedError
	if !errors.As(err, &unsupported) {
		t.Errorf("engine %v, error %v; want an UnsupportedError", e, err)
	}
}
