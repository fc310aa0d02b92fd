//go:build !(amd64 || arm64) || purego

package kernel

func requantTile(*Requant) bool { return false }
