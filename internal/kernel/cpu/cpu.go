// Package cpu tells which instruction sets this machine offers to the kernels,
// and which of them is in use.
//
// The rooms beside it hold the hot loops of edged: vec, loops over slices;
// picture, a frame into a model's input and its output into class ids; gemm,
// tiles of matrix products; conv, convolutions and pooling. Every routine there
// exists as portable Go, which is always built and is the oracle of its SIMD
// variants. A doc comment states the loop that a routine computes.
//
// The environment variable EDGED_KERNEL forces one variant: generic, avx2,
// avx512, neon or neondot. The build tag purego leaves the assembly out.
//
// Integer routines give the same bits in every variant. Float routines may
// differ in the last bits, since some CPUs fuse multiplication and addition;
// within one variant every result depends on its operands alone, never on the
// position of a tile or the number of threads.
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
	NEON    Variant = "neon"    // arm64
	NEONDot Variant = "neondot" // arm64 with the dot product (Cortex-A55, A76 and later)
)

// EnvVariable is the environment variable that forces a variant.
const EnvVariable = "EDGED_KERNEL"

// active is the variant in use: the dispatch, and the package's only state.
var active, activeErr = choose(os.Getenv(EnvVariable))

// choose resolves a name from the environment; the empty name asks for the
// best variant of this machine.
func choose(name string) (Variant, error) {
	have := Available()
	best := have[len(have)-1]
	if name == "" || slices.Contains(have, Variant(name)) {
		if name != "" {
			best = Variant(name)
		}
		return best, nil
	}
	names := make([]string, len(have))
	for i, v := range have {
		names[i] = string(v)
	}
	return best, fmt.Errorf("kernel: %s=%s is not available on this machine; it has %s", EnvVariable, name, strings.Join(names, ", "))
}

// Available lists this machine's variants, the portable one first, the fastest last.
func Available() []Variant { return append([]Variant{Generic}, machineVariants()...) }

// Active is the variant in use.
func Active() Variant { return active }

// Err is not nil where EDGED_KERNEL names a variant that this machine lacks.
func Err() error { return activeErr }

// Use switches to variant v, for tests and benchmarks that compare variants.
// No routine may run meanwhile.
func Use(v Variant) error {
	chosen, err := choose(string(v))
	if err != nil {
		return err
	}
	active, activeErr = chosen, nil
	return nil
}
