//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

//go:noescape
func winogradInI8AVX2(c *winogradCallI8)

//go:noescape
func winogradInI8AVX2Signed(c *winogradCallI8)

//go:noescape
func winogradMulI8x8AVX2(c *winogradCallI8)

//go:noescape
func winogradMulI8x16AVX2(c *winogradCallI8)

//go:noescape
func winogradOutI8x8AVX2(c *winogradCallI8)

//go:noescape
func winogradOutI8x16AVX2(c *winogradCallI8)

//go:noescape
func winogradOutI8x8AVX2Signed(c *winogradCallI8)

//go:noescape
func winogradOutI8x16AVX2Signed(c *winogradCallI8)

var winogradI8AVX2 = winogradKernelI8{variant: AVX2, in: winogradInI8AVX2, inSigned: winogradInI8AVX2Signed,
	mul:       [2]func(*winogradCallI8){winogradMulI8x8AVX2, winogradMulI8x16AVX2},
	out:       [2]func(*winogradCallI8){winogradOutI8x8AVX2, winogradOutI8x16AVX2},
	outSigned: [2]func(*winogradCallI8){winogradOutI8x8AVX2Signed, winogradOutI8x16AVX2Signed}}

// winogradKernelsI8 lists the variants this machine can run, the best first.
func winogradKernelsI8() []*winogradKernelI8 {
	if cpu.X86.HasAVX2 {
		return []*winogradKernelI8{&winogradI8AVX2, winogradI8Generic}
	}
	return []*winogradKernelI8{winogradI8Generic}
}
