//go:build arm64 && !purego

package gemm

import "edged/internal/kernel/cpu"

// For gives the routines of v, one of cpu.Available: NEON serves a
// machine with the dot product too.
func For(v cpu.Variant) *Routines {
	if v == cpu.Generic {
		return &generic
	}
	return &neon
}

var neon = Routines{
	MulF32:   mulF32NEON,
	MulI16:   mulI16NEON,
	DepthF32: depthF32NEON,
	DepthI16: depthI16NEON,
	Requant:  requantSIMD,
}

// The assembly reads the fields by offset: TestTileLayout holds them against the
// structs.
func mulF32NEON(t *TileF32)
func mulI16NEON(t *TileI16)
func depthF32NEON(t *TileF32)
func depthI16NEON(t *TileI16)
func requantSIMD(r *Requant)
