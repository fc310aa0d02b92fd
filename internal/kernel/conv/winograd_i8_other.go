//go:build !(amd64 || arm64) || purego

package conv

func winogradKernelsI8() []*winogradKernelI8 { return []*winogradKernelI8{winogradI8Generic} }
