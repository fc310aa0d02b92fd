//go:build arm64 && !purego

package gemm

import "edged/internal/kernel/cpu"

//go:noescape
func depthF32NEON(t *TileF32)

//go:noescape
func depthI16NEON(t *TileI16)

func depthF32(t *TileF32) bool {
	if cpu.Active() == cpu.Generic {
		return false
	}
	depthF32NEON(t)
	return true
}

func depthI16(t *TileI16) bool {
	if cpu.Active() == cpu.Generic {
		return false
	}
	depthI16NEON(t)
	return true
}
