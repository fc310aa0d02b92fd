//go:build tflite && cgo

package tflite

import (
	"testing"

	"edged"
	"edged/internal/enginetest"
)

func TestEngine(t *testing.T) {
	t.Run("xnnpack", func(t *testing.T) { enginetest.Run(t, enginetest.Subject{Open: Open, FloatThreads: true}) })
	t.Run("builtin", func(t *testing.T) { enginetest.Run(t, enginetest.Subject{Open: OpenBuiltin}) })
}

// XNNPACK rounds int8 sums in float32, half to even, the builtin kernels
// twice in integers: one step apart. Its bilinear interpolation has another
// arithmetic altogether: up to three steps were measured on 300 cases, and up
// to 16 at the end of 300 whole nets.
var againstBuiltin = enginetest.Tolerance{Steps: 1, StepsOf: map[string]int{"RESIZE_BILINEAR/int8": 3, "NET": 32}, Looser: 4}

// counted counts the engines that open returns, and those that XNNPACK runs.
func counted(loaded, delegated *int) edged.Opener {
	return func(file []byte, o edged.Options) (edged.Engine, error) {
		e, err := Open(file, o)
		if err == nil {
			*loaded++
			if e.Name() == nameXNNPACK {
				*delegated++
			}
		}
		return e, err
	}
}

func TestXNNPACKAgainstBuiltin(t *testing.T) {
	var loaded, delegated int
	open := counted(&loaded, &delegated)
	t.Run("Operators", func(t *testing.T) { enginetest.Compare(t, open, OpenBuiltin, againstBuiltin) })
	t.Run("Nets", func(t *testing.T) { enginetest.CompareNets(t, open, OpenBuiltin, againstBuiltin) })
	t.Run("Finds", func(t *testing.T) { enginetest.Finds(t, open, OpenBuiltin, againstBuiltin) })
	t.Logf("XNNPACK ran %d of %d graphs", delegated, loaded)
	if 10*delegated < 9*loaded {
		t.Errorf("XNNPACK ran %d of %d graphs: the others compare the builtin kernels with themselves", delegated, loaded)
	}
}

func FuzzXNNPACKAgainstBuiltin(f *testing.F) {
	enginetest.FuzzNets(f, Open, OpenBuiltin, againstBuiltin)
}
