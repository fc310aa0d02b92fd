//go:build (!amd64 && !arm64) || purego

package conv

func poolF32Kernels() []*poolKernel { return []*poolKernel{poolF32Generic} }
