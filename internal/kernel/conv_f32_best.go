package kernel

func bestConvF32() *convKernel { return convF32Kernels()[0] }
