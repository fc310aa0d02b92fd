package main

import (
	"math/rand/v2"
	"strings"
	"testing"

	"edged/internal/enginetest"
	"edged/model"
)

// TestInspectShowsAnyFile: whatever parses is shown, as text and as a drawing.
func TestInspectShowsAnyFile(t *testing.T) {
	for seed := range uint64(400) {
		file := enginetest.Mutant(seed)
		if file == nil {
			continue
		}
		m, err := model.Read(file)
		if err != nil {
			continue
		}
		r := rand.New(rand.NewPCG(11, seed))
		for range r.IntN(3) {
			enginetest.Mutate(m, r)
		}
		if m.Validate() != nil {
			continue
		}
		i := inspect(m)
		for _, why := range i.analysis.Why {
			if strings.Contains(why, "BUG") {
				t.Errorf("seed %d: %s", seed, why)
			}
		}
		if len(i.text("x.tflite", len(file), m)) == 0 || len(drawGraph("x.tflite", m, i)) == 0 {
			t.Errorf("seed %d: nothing is shown", seed)
		}
	}
}
