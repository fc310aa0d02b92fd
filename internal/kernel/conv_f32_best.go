package kernel

func bestConvF32() *convKernel  { return convF32Kernels()[0] }
func bestConvI8() *convKernelI8 { return convI8Kernels()[0] }
