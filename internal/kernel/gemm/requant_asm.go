//go:build (amd64 || arm64) && !purego

package gemm

import "edged/internal/kernel/cpu"

// requantSIMD reads the fields of r by offset; TestTileLayout checks them.
//
//go:noescape
func requantSIMD(r *Requant)

func requantTile(r *Requant) bool {
	if cpu.Active() == cpu.Generic {
		return false
	}
	requantSIMD(r)
	return true
}
