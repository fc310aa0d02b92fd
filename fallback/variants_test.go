//go:build !(tflite && cgo)

package fallback

import (
	"testing"

	"edged"
	"edged/internal/enginetest"
	"edged/internal/kernel"
)

// TestVariantsAgree holds every kernel variant of this machine against portable
// Go, where TensorFlow Lite is not there to compare with: on arm64 it would not
// be the reference, since it rounds otherwise than on amd64.
func TestVariantsAgree(t *testing.T) {
	before := kernel.Active()
	defer kernel.Use(before)
	for _, v := range kernel.Available()[1:] {
		t.Run(string(v), func(t *testing.T) {
			enginetest.Compare(t, on(v), on(kernel.Generic), enginetest.Tolerance{})
			enginetest.CompareNets(t, on(v), on(kernel.Generic), enginetest.Tolerance{})
		})
	}
}

// on opens engines that compute by one variant.
func on(v kernel.Variant) edged.Opener {
	return func(model []byte, o edged.Options) (edged.Engine, error) {
		if err := kernel.Use(v); err != nil {
			return nil, err
		}
		e, err := Open(model, o)
		return variantEngine{e, v}, err
	}
}

type variantEngine struct {
	edged.Engine
	v kernel.Variant
}

func (e variantEngine) Run() error {
	if err := kernel.Use(e.v); err != nil {
		return err
	}
	return e.Engine.Run()
}

func (e variantEngine) Resize(i int, shape []int) error {
	if err := kernel.Use(e.v); err != nil {
		return err
	}
	return e.Engine.Resize(i, shape)
}
