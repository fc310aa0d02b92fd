package rewrite

import (
	"slices"
	"strings"
	"testing"

	"edged/internal/enginetest"
	"edged/model"
)

// A field that is newer than this reader may mean anything, so that no graph
// can stand for the one that has it; what describes the model means nothing.
func TestFieldsNewerThanTheReader(t *testing.T) {
	m := passNet()
	m.Metadata = append(m.Metadata, &model.Metadata{Name: "author", Buffer: 0})
	m.SignatureDefs = append(m.SignatureDefs, &model.SignatureDef{Key: "serving_default"})
	file, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file []byte
		want string // empty: rewritten
	}{
		{enginetest.WithField(file, 14, 2, 0, 3, 1), "field 14 of Operator (at subgraphs[0].operators[1])"},
		{enginetest.WithField(file, 11, 2, 0, 0, 2), "field 11 of Tensor (at subgraphs[0].tensors[2])"},
		{enginetest.WithField(file, 9, 2, 0, 3, 0, 4, -1), "field 9 of Conv2DOptions (at subgraphs[0].operators[0].options)"},
		{enginetest.WithField(file, 6, 2, 0), "field 6 of Subgraph (at subgraphs[0])"},
		{enginetest.WithField(file, 12), "field 12 of Model is newer"},
		{enginetest.WithField(file, 2, 6, 0), ""},
		{enginetest.WithField(file, 5, 7, 0), ""},
	} {
		m, err := model.Read(c.file)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Unknown) != 1 {
			t.Fatalf("unknown: %v", m.Unknown)
		}
		if a := Analyse(m); a.Why[0] != "" {
			t.Errorf("%v: not looked at: %s", m.Unknown, a.Why[0])
		}
		_, err = Rewrite(m, "00", Options{})
		if why := asRefusal(err); (c.want == "") != (err == nil) || err != nil && (why == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: %v", m.Unknown, err)
		}
	}
}

// Operators that stand for one of the baseline's keep their place in the debug
// metadata; with no document there is no place.
func TestDebugMetadata(t *testing.T) {
	for _, document := range []bool{true, false} {
		m := headNet()
		g := m.Subgraphs[0]
		g.DebugMetadata = 1
		places := map[int32]bool{0: true}
		for i, op := range g.Operators {
			op.DebugMetadata = int32(10 + i)
			places[op.DebugMetadata] = true
		}
		if document {
			m.Buffers = append(m.Buffers, &model.Buffer{Data: []byte("a document")})
			m.Metadata = []*model.Metadata{{Name: debugMetadata, Buffer: uint32(len(m.Buffers) - 1)}}
		}
		res, err := Rewrite(m, "00", Options{Input: [2]int{40, 40}})
		if err != nil {
			t.Fatal(err)
		}
		dense := res.Model.Subgraphs[0]
		kept := 0
		for _, op := range dense.Operators {
			if !places[op.DebugMetadata] {
				t.Errorf("place %d is nobody's", op.DebugMetadata)
			}
			if op.DebugMetadata != 0 {
				kept++
			}
		}
		f, err := res.Model.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		said := slices.ContainsFunc(f.Notes, func(s string) bool { return strings.Contains(s, "debug") })
		if document != (kept > 1) || document != (dense.DebugMetadata == 1) || !said {
			t.Errorf("document %v: %d places kept, the graph's %d, notes %q", document, kept, dense.DebugMetadata, f.Notes)
		}
		back, err := Inverse(res.Model)
		if err != nil {
			t.Fatal(err)
		}
		if got := back.Subgraphs[0]; got.DebugMetadata != 1 || got.Operators[0].DebugMetadata != 10 {
			t.Errorf("the way back gives places %d, %d", got.DebugMetadata, got.Operators[0].DebugMetadata)
		}
	}
}

// What the reader repaired is said in the dense file, and scales in other
// tensors are refused.
func TestRepairsAndBlocks(t *testing.T) {
	m := vggLike(model.TypeInt8)
	g := m.Subgraphs[0]
	bias := g.Tensors[g.Operators[0].Inputs[2]]
	bias.Quantization.QuantizedDimension = 3
	file, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	if m, err = model.Read(file); err != nil {
		t.Fatal(err)
	}
	res, err := Rewrite(m, "00", Options{Input: [2]int{32, 32}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := res.Model.Manifest()
	if err != nil || len(f.Repairs) != 1 || !strings.Contains(f.Repairs[0], "quantized_dimension 3 of a tensor of 1 dimensions is read as 0") {
		t.Errorf("repairs %q, %v", f.Repairs, err)
	}
	weights := m.Subgraphs[0].Tensors[m.Subgraphs[0].Operators[0].Inputs[1]]
	weights.Quantization.Details = &model.BlockwiseQuantization{ZeroPoints: -1}
	if _, err := Rewrite(m, "00", Options{}); asRefusal(err) == nil || !strings.Contains(err.Error(), "operator 0 (CONV_2D): its tensor") || !strings.Contains(err.Error(), "blockwise") {
		t.Errorf("blocks: %v", err)
	}
}
