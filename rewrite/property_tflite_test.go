//go:build tflite && cgo

package rewrite

import (
	"testing"

	"edged"
	"edged/model"
	"edged/tflite"
)

// engineFor is TFLite with XNNPACK, or its own kernels where XNNPACK cannot
// run the baseline.
func engineFor(t *testing.T, m *model.Model) edged.Opener {
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	e, err := tflite.Open(b, edged.Options{Threads: 1})
	if err != nil {
		return tflite.OpenBuiltin
	}
	e.Close()
	return tflite.Open
}

// TestRandomNetsOnTFLite is the property of properties: a few hundred random
// nets, 10,000 with EDGED_EXTENDED=1.
func TestRandomNetsOnTFLite(t *testing.T) {
	tryNets(t, randomNets(250, 10000), 1, engineFor)
}
