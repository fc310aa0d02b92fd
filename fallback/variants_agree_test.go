//go:build !(tflite && cgo)

package fallback

import (
	"testing"

	"edged/internal/enginetest"
	"edged/internal/kernel/cpu"
)

// TestVariantsAgree holds every kernel variant of this machine against portable
// Go, where TensorFlow Lite is not there to compare with: on arm64 it would not
// be the reference, since it rounds otherwise than on amd64.
func TestVariantsAgree(t *testing.T) {
	for _, v := range cpu.Available()[1:] {
		t.Run(string(v), func(t *testing.T) {
			enginetest.Compare(t, on(v), on(cpu.Generic), enginetest.Tolerance{})
			enginetest.CompareNets(t, on(v), on(cpu.Generic), enginetest.Tolerance{})
		})
	}
}
