//go:build tflite && cgo

package fallback

import (
	"testing"

	"edged/internal/enginetest"
	"edged/tflite"
)

// TestEqualsBuiltin holds every operator against TensorFlow Lite's built-in
// kernels: quantised ones bit for bit.
func TestEqualsBuiltin(t *testing.T) {
	enginetest.Compare(t, Open, tflite.OpenBuiltin, enginetest.Tolerance{})
}
