//go:build !(amd64 || arm64) || purego

package kernel

func winogradKernelsI8() []*winogradKernelI8 { return []*winogradKernelI8{winogradI8Generic} }
