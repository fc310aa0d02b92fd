//go:build amd64 && !purego

package conv

import (
	features "golang.org/x/sys/cpu"

	"edged/internal/kernel/cpu"
)

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

var winogradI8AVX2 = winogradKernelI8{variant: cpu.AVX2, lanes: 8, channels: 16, in: winogradInI8AVX2, inSigned: winogradInI8AVX2Signed,
	mul:       [2]func(*winogradCallI8){winogradMulI8x8AVX2, winogradMulI8x16AVX2},
	out:       [2]func(*winogradCallI8){winogradOutI8x8AVX2, winogradOutI8x16AVX2},
	outSigned: [2]func(*winogradCallI8){winogradOutI8x8AVX2Signed, winogradOutI8x16AVX2Signed}}

//go:noescape
func winogradInI8AVX512(c *winogradCallI8)

//go:noescape
func winogradInI8AVX512Signed(c *winogradCallI8)

//go:noescape
func winogradMulI8x16AVX512(c *winogradCallI8)

//go:noescape
func winogradMulI8x32AVX512(c *winogradCallI8)

//go:noescape
func winogradOutI8x16AVX512(c *winogradCallI8)

//go:noescape
func winogradOutI8x32AVX512(c *winogradCallI8)

var winogradI8AVX512 = winogradKernelI8{variant: cpu.AVX512, lanes: 16, channels: 32, order: highPairs, big: &winogradI8AVX2,
	in: winogradInI8AVX512, inSigned: winogradInI8AVX512Signed,
	mul:       [2]func(*winogradCallI8){winogradMulI8x16AVX512, winogradMulI8x32AVX512},
	out:       [2]func(*winogradCallI8){winogradOutI8x16AVX512, winogradOutI8x32AVX512},
	outSigned: [2]func(*winogradCallI8){winogradOutI8x16AVX512, winogradOutI8x32AVX512}}

// winogradKernelsI8 lists the variants this machine can run, the best first.
func winogradKernelsI8() []*winogradKernelI8 {
	var ks []*winogradKernelI8
	if hasVNNI() {
		ks = append(ks, &winogradI8AVX512)
	}
	if features.X86.HasAVX2 {
		ks = append(ks, &winogradI8AVX2)
	}
	return append(ks, winogradI8Generic)
}
