//go:build tflite && cgo

package rewrite

import (
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
	"edged/tflite"
)

// TestPaddedMobileNetByWindows: a padded MobileNet in small, window by window at two
// strides, is proved on every engine, float32 and int8.
func TestPaddedMobileNetByWindows(t *testing.T) {
	engines := map[string]edged.Opener{"tflite": tflite.Open, "tflite-builtin": tflite.OpenBuiltin, "go": fallback.Open}
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		for _, q := range []int{8, 4} {
			base, dense := filesOf(t, mobileNetLike(typ, q == 8), Options{Form: Windows, Input: [2]int{56, 72}, OutputStride: [2]int{q, q}})
			for name, open := range engines {
				rep, err := Verify(base, dense, open, VerifyOptions{})
				if err != nil || rep.Level != Proved || rep.Contract != Patch {
					t.Fatalf("%v, stride %d on %s: %+v, %v", typ, q, name, rep, err)
				}
				if want := int64(((56-32)/q + 1) * ((72-32)/q + 1)); rep.Positions != want {
					t.Errorf("%v, stride %d on %s: %d positions, want %d", typ, q, name, rep.Positions, want)
				}
				if name == "tflite" && !rep.BitIdentical || typ == model.TypeInt8 && !rep.BitIdentical {
					t.Errorf("%v, stride %d on %s: not bit-identical", typ, q, name)
				}
			}
		}
	}
}
