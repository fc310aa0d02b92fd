// Package cpu tells which instruction sets this machine offers to the kernels,
// and which of them is to be used.
package cpu

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Variant names one implementation of the routines.
type Variant string

// The variants that exist; which of them a machine has, Available tells.
const (
	Generic Variant = "generic" // portable Go
	AVX2    Variant = "avx2"    // amd64 with AVX2 and FMA
	AVX512  Variant = "avx512"  // amd64 with AVX-512 F, BW, DQ, VL; 8-bit convolutions also want VNNI
	NEON    Variant = "neon"    // arm64 without the dot product (Cortex-A53, A72)
	NEONDot Variant = "neondot" // arm64 with the dot product (Cortex-A55, A76 and later)
)

// EnvVariable is the environment variable that forces a variant.
const EnvVariable = "EDGED_KERNEL"

// Available lists this machine's variants, the portable one first, the fastest last.
func Available() []Variant { return append([]Variant{Generic}, machineVariants()...) }

// Default is the fastest variant of this machine, or the one that EDGED_KERNEL
// names; an error where the machine lacks that one.
func Default() (Variant, error) { return choose(os.Getenv(EnvVariable)) }

// choose resolves a name from the environment; the empty name asks for the
// best variant of this machine.
func choose(name string) (Variant, error) {
	have := Available()
	best := have[len(have)-1]
	if name == "" {
		return best, nil
	}
	if slices.Contains(have, Variant(name)) {
		return Variant(name), nil
	}
	names := make([]string, len(have))
	for i, v := range have {
		names[i] = string(v)
	}
	return best, fmt.Errorf("kernel: %s=%s is not available on this machine; it has %s", EnvVariable, name, strings.Join(names, ", "))
}
