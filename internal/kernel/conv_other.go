//go:build !amd64 || purego

package kernel

func convF32Kernels() []*convKernel { return []*convKernel{convF32Generic} }
