package main

import (
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
	"edged/rewrite"
)

// TestNetsRun loads every net in the Go engine and runs it: the outputs are
// not all alike, so the weights carry the input through.
func TestNetsRun(t *testing.T) {
	for name, m := range nets() {
		b, err := m.Write()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e, err := fallback.Open(b, edged.Options{Threads: 1})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		in := e.Input(0)
		for i := range in {
			if e.Inputs()[0].Type != edged.Float32 || i%4 == 2 {
				in[i] = byte(i * 7 % 100)
			}
		}
		if err := e.Run(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out := e.Output(0)
		same := true
		for i := e.Outputs()[0].Type.Size(); i < len(out); i++ {
			same = same && out[i] == out[i%e.Outputs()[0].Type.Size()]
		}
		if same {
			t.Errorf("%s: every output is %v", name, out[:4])
		}
		e.Close()
	}
}

// TestMobileNetIsThePapers: 569 million multiplications, arXiv 1704.04861, table 4.
func TestMobileNetIsThePapers(t *testing.T) {
	if got := rewrite.Analyse(mobilenet(model.TypeFloat32)).MACs / 1e6; got < 568 || got > 569 {
		t.Errorf("%d million multiplications, the paper has 569", got)
	}
}
