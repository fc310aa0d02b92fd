//go:build arm64 && !purego

package cpu

import "golang.org/x/sys/cpu"

// machineVariants asks for the dot product alone: Advanced SIMD is part of
// every arm64 profile that Go supports.
func machineVariants() []Variant {
	if cpu.ARM64.HasASIMDDP {
		return []Variant{NEON, NEONDot}
	}
	return []Variant{NEON}
}
