package vec

import (
	"testing"

	"edged/internal/kernel/kerneltest"
)

func TestWiden(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		for n := range 70 {
			for _, signed := range []bool{true, false} {
				src := make([]byte, n+3)[3:]
				for i := range src {
					src[i] = byte(i*37 + n)
				}
				dst, check := kerneltest.Guarded(t, n, int16(-77))
				k.Widen(dst, src, 19, signed)
				check()
				for i, b := range src {
					want := int16(b) - 19
					if signed {
						want = int16(int8(b)) - 19
					}
					if dst[i] != want {
						t.Fatalf("length %d signed %v element %d: %d becomes %d, want %d", n, signed, i, b, dst[i], want)
					}
				}
			}
		}
	})
}
