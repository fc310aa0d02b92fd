// Package kernel holds the hot loops of edged, in rooms: vec, loops over slices;
// picture, a frame into a model's input and its output into class ids; gemm, tiles
// of matrix products; conv, convolutions and pooling; cpu, which instruction sets
// there are. README.md has the names and what exists for which.
//
// Every routine exists as portable Go, which is always built and is the oracle of
// its SIMD variants. A doc comment states the loop that a routine computes. Who
// plans picks the routines of one variant, which are a value: two variants run
// side by side. The environment variable EDGED_KERNEL names the one to use:
// generic, avx2, avx512, neon or neondot. The build tag purego leaves the assembly
// out.
//
// Integer routines give the same bits in every variant. Float routines may
// differ in the last bits, since some CPUs fuse multiplication and addition;
// within one variant every result depends on its operands alone, never on the
// position of a tile or the number of threads.
package kernel

import (
	"edged/internal/kernel/conv"
	"edged/internal/kernel/cpu"
	"edged/internal/kernel/gemm"
	"edged/internal/kernel/picture"
	"edged/internal/kernel/vec"
)

// Routines are those of all rooms in one variant.
type Routines struct {
	Variant cpu.Variant
	Vec     *vec.Routines
	Picture *picture.Routines
	GEMM    *gemm.Routines
	Conv    *conv.Routines
}

// For gives the routines of v, one of cpu.Available.
func For(v cpu.Variant) *Routines {
	return &Routines{Variant: v, Vec: vec.For(v), Picture: picture.For(v), GEMM: gemm.For(v), Conv: conv.For(v)}
}

// Default gives the routines of this machine's best variant, or of the one that the
// environment names; an error where that one is not here, or where the environment
// holds rates that are none.
func Default() (*Routines, error) {
	v, err := cpu.Default()
	if err == nil {
		err = conv.RatesErr()
	}
	return For(v), err
}
