package kernel

import "testing"

func TestSumBytes(t *testing.T) {
	eachVariant(t, func(t *testing.T) {
		for n := range 70 {
			for _, signed := range []bool{true, false} {
				src := make([]byte, n+3)[3:]
				acc, check := guarded(t, n, int32(1000))
				for i := range src {
					src[i] = byte(i*37 + n)
				}
				SumBytes(acc, src, signed)
				check()
				for i, b := range src {
					want := 1000 + int32(b)
					if signed {
						want = 1000 + int32(int8(b))
					}
					if acc[i] != want {
						t.Fatalf("length %d signed %v element %d: %d, want %d", n, signed, i, acc[i], want)
					}
				}
			}
		}
	})
}

func BenchmarkSumBytes(b *testing.B) {
	acc, src := make([]int32, 1024), make([]byte, 1024)
	benchVariants(b, len(acc), func() { SumBytes(acc, src, true) })
}
