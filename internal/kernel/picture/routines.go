package picture

import "edged/internal/kernel/cpu"

// Routines are the loops over pictures in one variant. They are made by For, hold
// no state, and serve any number of threads. Each row is a routine of the machine
// that begins, and says how many elements or positions it has done; portable Go
// does the rest.
type Routines struct {
	prepareF32 func(dst []float32, src []byte, n *Norm, swap bool) int
	argmaxF32  func(dst []uint8, src []float32, classes int) int
}

// Default gives the routines of this machine's best variant, or of the one that the
// environment names. All variants give the same bits.
func Default() *Routines {
	v, _ := cpu.Default() // which the engine complains of, where it is not here
	return For(v)
}
