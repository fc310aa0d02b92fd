//go:build arm64 && !purego

package kernel

// machineVariants needs no question: Advanced SIMD is part of every arm64
// profile that Go supports.
func machineVariants() []Variant { return []Variant{NEON} }
