//go:build (!amd64 && !arm64) || purego

package conv

func dotF32Kernels() []*dotKernel { return []*dotKernel{dotF32Generic} }
