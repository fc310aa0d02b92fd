//go:build tflite && cgo

package tflite

import (
	"testing"

	"edged/internal/enginetest"
)

// XNNPACK rounds int8 sums in float32, half to even, the builtin kernels
// twice in integers: one step apart. Its bilinear interpolation has another
// arithmetic altogether: up to three steps were measured on 300 cases.
func TestXNNPACKAgainstBuiltin(t *testing.T) {
	enginetest.Compare(t, Open, OpenBuiltin, enginetest.Tolerance{
		Steps: 1, StepsOf: map[string]int{"RESIZE_BILINEAR/int8": 3}, Looser: 4, MayRefuse: true,
	})
}

func TestEngine(t *testing.T) {
	t.Run("xnnpack", func(t *testing.T) { enginetest.Run(t, enginetest.Subject{Open: Open, FloatThreads: true}) })
	t.Run("builtin", func(t *testing.T) { enginetest.Run(t, enginetest.Subject{Open: OpenBuiltin}) })
}

func TestNetsXNNPACKAgainstBuiltin(t *testing.T) {
	enginetest.CompareNets(t, Open, OpenBuiltin, enginetest.Tolerance{StepsOf: map[string]int{"NET": 32}, MayRefuse: true})
}

func TestFindsXNNPACKAgainstBuiltin(t *testing.T) {
	enginetest.Finds(t, Open, OpenBuiltin, enginetest.Tolerance{Steps: 1, MayRefuse: true})
}

func FuzzXNNPACKAgainstBuiltin(f *testing.F) {
	enginetest.FuzzNets(f, Open, OpenBuiltin, enginetest.Tolerance{StepsOf: map[string]int{"NET": 32}, MayRefuse: true})
}
