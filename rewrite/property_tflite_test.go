//go:build tflite && cgo

package rewrite

import (
	"errors"
	"testing"

	"edged/tflite"
)

// verifyOnTFLite verifies with XNNPACK, or on TFLite's own kernels where
// XNNPACK cannot run one of the two.
func verifyOnTFLite(base, dense []byte, o VerifyOptions) (*Report, error) {
	r, err := Verify(base, dense, tflite.Open, o)
	var kernels *KernelError
	if errors.As(err, &kernels) {
		return Verify(base, dense, tflite.OpenBuiltin, o)
	}
	return r, err
}

// TestRandomNetsOnTFLite is the property of properties: a few hundred random
// nets, 10,000 with EDGED_EXTENDED=1.
func TestRandomNetsOnTFLite(t *testing.T) {
	tryNets(t, randomNets(t, 250, 10000), 1, verifyOnTFLite)
}

// TestRandomWindowsOnTFLite is TestRandomWindows on the runtime that the files
// are for.
func TestRandomWindowsOnTFLite(t *testing.T) {
	tryWindows(t, randomNets(t, 40, 10000), 7_100_000, verifyOnTFLite)
}
