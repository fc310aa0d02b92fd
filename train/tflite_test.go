//go:build tflite && cgo

package main

import (
	"testing"

	"edged/tflite"
)

func TestParityOfTFLite(t *testing.T) {
	for _, net := range netNames {
		parity(t, net, tflite.Open)
		parity(t, net, tflite.OpenBuiltin)
	}
}

func TestAccuracyOnTFLite(t *testing.T) { accuracy(t, tflite.Open, 8) }
