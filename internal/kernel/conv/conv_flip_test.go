package conv

import (
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestFlip compares with x + 128, at any alignment and of any length.
func TestFlip(t *testing.T) {
	for _, on := range distinct(func(r *Routines) any { return r.convI8 }) {
		k := on.convI8
		if k.flips == nil {
			continue
		}
		r := rand.New(rand.NewPCG(1, 2))
		for n := 1; n < 800; n++ {
			src := kerneltest.RandomBytes(r, n+n%7)[n%7:]
			dst, intact := kerneltest.Guard(n, 1+n%13, uint8(0xA5))
			k.flips(&dst[0], &src[0], n)
			for i, b := range src {
				if dst[i] != b+128 {
					t.Fatalf("%s: byte %d of %d: %d becomes %d", on.variant, i, n, b, dst[i])
				}
			}
			intact(t)
		}
	}
}
