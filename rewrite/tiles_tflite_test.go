//go:build tflite

package rewrite

import (
	"testing"

	"edged/tflite"
)

func TestTilesOfRandomNetsOnTFLite(t *testing.T) {
	tileNets(t, tflite.Open, randomNets(t, tilesNets/3, 5000))
}

func TestRowsOfRandomNetsOnTFLite(t *testing.T) {
	rowNets(t, tflite.Open, randomNets(t, rowsNets/3, 5000))
}

func TestRowsOfResizesOnTFLite(t *testing.T) {
	decoderRows(t, tflite.Open, randomNets(t, rowsNets/3, 5000))
}

func TestRowsOfWindowsOnTFLite(t *testing.T) {
	windowNets(t, tflite.Open, randomNets(t, rowsNets/6, 5000))
}
