//go:build (!amd64 && !arm64) || purego

package cpu

func machineVariants() []Variant { return nil }
