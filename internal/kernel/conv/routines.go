package conv

import (
	"edged/internal/kernel/cpu"
	"edged/internal/kernel/vec"
)

// Routines are the convolutions of one variant. They are made by For, hold no
// state, and serve any number of threads.
type Routines struct {
	variant cpu.Variant
	vec     *vec.Routines

	convF32      *convKernel
	convI8       *convKernelI8
	depthwiseF32 *convKernel
	depthwiseI8  *convKernelI8
	dotF32       *dotKernel
	poolF32      *poolKernel
	winograd     *winogradKernel
	winogradI8   *winogradKernelI8
}

// generic is built for every machine and is the oracle of the assembly.
var generic = Routines{
	convF32:      &convF32Generic,
	convI8:       &convI8Generic,
	depthwiseF32: &depthwiseF32Generic,
	depthwiseI8:  &depthwiseI8Generic,
	dotF32:       &dotF32Generic,
	poolF32:      &poolF32Generic,
	winograd:     &winogradGeneric,
	winogradI8:   &winogradI8Generic,
}

// For gives the routines of v, one of cpu.Available: those of its tables, the best
// of which comes first, and for what none has the portable ones.
func For(v cpu.Variant) *Routines {
	r := &Routines{variant: v, vec: vec.For(v)}
	for _, t := range append(tables(v), &generic) {
		orElse(&r.convF32, t.convF32)
		orElse(&r.convI8, t.convI8)
		orElse(&r.depthwiseF32, t.depthwiseF32)
		orElse(&r.depthwiseI8, t.depthwiseI8)
		orElse(&r.dotF32, t.dotF32)
		orElse(&r.poolF32, t.poolF32)
		orElse(&r.winograd, t.winograd)
		orElse(&r.winogradI8, t.winogradI8)
	}
	return r
}

func orElse[K any](k **K, other *K) {
	if *k == nil {
		*k = other
	}
}
