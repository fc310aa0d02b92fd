// Package noise fills the inputs of a model that is run for the run's own sake:
// in a trial, and to be timed.
package noise

import "edged"

// Fill writes the same noise on every machine: values that a picture could
// have, because denormals and infinities would measure something else.
func Fill(b []byte, t edged.DType) {
	seed := uint32(1)
	next := func() uint32 {
		seed = seed*1664525 + 1013904223 // Numerical Recipes' LCG
		return seed >> 16
	}
	if t == edged.Float32 {
		for i := range edged.View[float32](b) {
			edged.View[float32](b)[i] = float32(next()%2001)/1000 - 1
		}
		return
	}
	if t == edged.Int8 || t == edged.Uint8 {
		for i := range b {
			b[i] = byte(next())
		}
	} // others may be indices: zeros are always valid
}
