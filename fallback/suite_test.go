//go:build tflite && cgo

package fallback

import (
	"testing"

	"edged"
	"edged/internal/enginetest"
	"edged/internal/kernel"
	"edged/tflite"
)

// builtin is the reference.
var builtin edged.Opener = tflite.OpenBuiltin

// TestEqualsBuiltin holds every operator against TensorFlow Lite's built-in
// kernels, in every variant of ours: quantised ones bit for bit.
func TestEqualsBuiltin(t *testing.T) {
	eachKernel(t, func(t *testing.T) { enginetest.Compare(t, Open, builtin, enginetest.Tolerance{}) })
}

// TestNetsEqualBuiltin does the same with whole random nets.
func TestNetsEqualBuiltin(t *testing.T) {
	eachKernel(t, func(t *testing.T) { enginetest.CompareNets(t, Open, builtin, enginetest.Tolerance{}) })
}

func TestFindsEqualBuiltin(t *testing.T) {
	enginetest.Finds(t, Open, builtin, enginetest.Tolerance{})
}

func FuzzNetsEqualBuiltin(f *testing.F) {
	enginetest.FuzzNets(f, Open, builtin, enginetest.Tolerance{})
}

// eachKernel runs a test once per kernel variant of this machine.
func eachKernel(t *testing.T, f func(t *testing.T)) {
	before := kernel.Active()
	defer kernel.Use(before)
	for _, v := range kernel.Available() {
		if err := kernel.Use(v); err != nil {
			t.Fatal(err)
		}
		t.Run(string(v), f)
	}
}
