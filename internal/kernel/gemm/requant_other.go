//go:build !(amd64 || arm64) || purego

package gemm

func requantTile(*Requant) bool { return false }
