//go:build (!amd64 && !arm64) || purego

package kernel

func dotF32Kernels() []*dotKernel { return []*dotKernel{dotF32Generic} }
