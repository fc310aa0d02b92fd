//go:build (!amd64 && !arm64) || purego

package gemm

func mulF32(*TileF32) bool { return false }

func mulI16(*TileI16) bool { return false }
