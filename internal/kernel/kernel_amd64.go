//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

func machineVariants() []Variant {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		return []Variant{AVX2}
	}
	return nil
}
