//go:build !(tflite && cgo)

package fallback

import (
	"testing"

	"edged"
	"edged/internal/enginetest"
	"edged/internal/kernel/cpu"
)

// TestVariantsAgree holds every kernel variant of this machine against portable
// Go, where TensorFlow Lite is not there to compare with: on arm64 it would not
// be the reference, since it rounds otherwise than on amd64.
func TestVariantsAgree(t *testing.T) {
	before := cpu.Active()
	defer cpu.Use(before)
	for _, v := range cpu.Available()[1:] {
		t.Run(string(v), func(t *testing.T) {
			enginetest.Compare(t, on(v), on(cpu.Generic), enginetest.Tolerance{})
			enginetest.CompareNets(t, on(v), on(cpu.Generic), enginetest.Tolerance{})
		})
	}
}

// on opens engines that compute by one variant.
func on(v cpu.Variant) edged.Opener {
	return func(model []byte, o edged.Options) (edged.Engine, error) {
		if err := cpu.Use(v); err != nil {
			return nil, err
		}
		e, err := Open(model, o)
		return variantEngine{e, v}, err
	}
}

type variantEngine struct {
	edged.Engine
	v cpu.Variant
}

func (e variantEngine) Run() error {
	if err := cpu.Use(e.v); err != nil {
		return err
	}
	return e.Engine.Run()
}

func (e variantEngine) Resize(i int, shape []int) error {
	if err := cpu.Use(e.v); err != nil {
		return err
	}
	return e.Engine.Resize(i, shape)
}
