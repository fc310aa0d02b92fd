//go:build amd64 && !purego

package cpu

import "golang.org/x/sys/cpu"

func machineVariants() []Variant {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return nil
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		return []Variant{AVX2, AVX512}
	}
	return []Variant{AVX2}
}

// HasVNNI says whether a machine with AVX512 also adds products of bytes.
func HasVNNI() bool { return cpu.X86.HasAVX512VNNI }
