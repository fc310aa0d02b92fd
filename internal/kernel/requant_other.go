//go:build !amd64 || purego

package kernel

func requantTile(*Requant) bool { return false }
