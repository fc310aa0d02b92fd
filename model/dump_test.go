package model

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func TestDumpIsStable(t *testing.T) {
	const golden = "testdata/zoo.txt"
	got := dump(t, zoo(t))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("the text changed (-want +got); if that is meant, run with -update:\n%s", d)
	}
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
