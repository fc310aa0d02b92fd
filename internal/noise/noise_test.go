package noise

import (
	"testing"

	"edged"
)

func TestNoiseIsTheSameEverywhereAndTame(t *testing.T) {
	a, b := make([]byte, 400), make([]byte, 400)
	Fill(a, edged.Float32)
	Fill(b, edged.Float32)
	seen := map[float32]bool{}
	for i, v := range edged.View[float32](a) {
		if v < -1 || v > 1 || v != edged.View[float32](b)[i] {
			t.Fatalf("element %d: %v", i, v)
		}
		seen[v] = true
	}
	if len(seen) < 50 {
		t.Errorf("only %d different values", len(seen))
	}
	Fill(a, edged.Int64)
	Fill(b, edged.Int8)
	if string(a[:8]) == "\x00\x00\x00\x00\x00\x00\x00\x00" || string(b) == string(make([]byte, 400)) {
		t.Error("indices were changed, or bytes were not")
	}
}
