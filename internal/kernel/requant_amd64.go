//go:build amd64 && !purego

package kernel

// requantAVX2 reads the fields of r by offset; TestTileLayout checks them.
//
//go:noescape
func requantAVX2(r *Requant)

func requantTile(r *Requant) bool {
	if active == Generic {
		return false
	}
	requantAVX2(r)
	return true
}
