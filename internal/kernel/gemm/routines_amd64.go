//go:build amd64 && !purego

package gemm

import "edged/internal/kernel/cpu"

// For gives the routines of v, one of cpu.Available: AVX2 serves AVX-512 too.
func For(v cpu.Variant) *Routines {
	if v == cpu.Generic {
		return &generic
	}
	return &avx2
}

var avx2 = Routines{
	MulF32:   mulF32AVX2,
	MulI16:   mulI16AVX2,
	DepthF32: depthF32AVX2,
	DepthI16: depthI16AVX2,
	Requant:  requantSIMD,
}

// The assembly reads the fields by offset: TestTileLayout holds them against the
// structs.
func mulF32AVX2(t *TileF32)
func mulI16AVX2(t *TileI16)
func depthF32AVX2(t *TileF32)
func depthI16AVX2(t *TileI16)
func requantSIMD(r *Requant)
