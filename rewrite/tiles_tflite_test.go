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
