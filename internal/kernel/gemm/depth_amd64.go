//go:build amd64 && !purego

package gemm

import "edged/internal/kernel/cpu"

//go:noescape
func depthF32AVX2(t *TileF32)

//go:noescape
func depthI16AVX2(t *TileI16)

func depthF32(t *TileF32) bool {
	if cpu.Active() == cpu.Generic {
		return false
	}
	depthF32AVX2(t)
	return true
}

func depthI16(t *TileI16) bool {
	if cpu.Active() == cpu.Generic {
		return false
	}
	depthI16AVX2(t)
	return true
}
