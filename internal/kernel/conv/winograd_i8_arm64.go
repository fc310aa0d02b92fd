//go:build arm64 && !purego

package conv

import "edged/internal/kernel/cpu"

//go:noescape
func winogradInI8NEON(c *winogradCallI8)

//go:noescape
func winogradInI8NEONSigned(c *winogradCallI8)

//go:noescape
func winogradMulI8x8NEON(c *winogradCallI8)

//go:noescape
func winogradMulI8x16NEON(c *winogradCallI8)

//go:noescape
func winogradOutI8x8NEON(c *winogradCallI8)

//go:noescape
func winogradOutI8x16NEON(c *winogradCallI8)

var winogradI8NEON = winogradKernelI8{variant: cpu.NEON, lanes: 8, channels: 16, order: plain, in: winogradInI8NEON, inSigned: winogradInI8NEONSigned,
	mul:       [2]func(*winogradCallI8){winogradMulI8x8NEON, winogradMulI8x16NEON},
	out:       [2]func(*winogradCallI8){winogradOutI8x8NEON, winogradOutI8x16NEON},
	outSigned: [2]func(*winogradCallI8){winogradOutI8x8NEON, winogradOutI8x16NEON}}

// winogradKernelsI8 lists the variants this machine can run, the best first.
func winogradKernelsI8() []*winogradKernelI8 {
	return []*winogradKernelI8{&winogradI8NEON, winogradI8Generic}
}
