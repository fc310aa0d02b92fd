//go:build arm64 && !purego

package gemm

import "edged/internal/kernel/cpu"

// The assembly reads the fields of the tiles by offset; TestTileLayout holds
// the offsets of gemm_amd64.s and gemm_arm64.s against the structs.

//go:noescape
func mulF32NEON(t *TileF32)

//go:noescape
func mulI16NEON(t *TileI16)

func mulF32(t *TileF32) bool {
	if cpu.Active() == cpu.Generic {
		return false
	}
	mulF32NEON(t)
	return true
}

func mulI16(t *TileI16) bool {
	if cpu.Active() == cpu.Generic {
		return false
	}
	mulI16NEON(t)
	return true
}
