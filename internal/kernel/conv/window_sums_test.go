package conv

import (
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestWindowSums compares every variant with the sum itself: taps of every length
// around its chunks, greatest bytes behind them and behind the picture.
func TestWindowSums(t *testing.T) {
	const taps, pixels, pix = 3, 5, 131
	for _, on := range distinct(func(r *Routines) any { return r.convI8 }) {
		k := on.convI8
		if k.widens {
			continue // its weights are wide enough for their zero point
		}
		r := rand.New(rand.NewPCG(31, 32))
		for kc := 1; kc <= pix; kc++ {
			src := kerneltest.RandomBytes(r, (pixels+taps)*pix+Slack)
			fill(src[(pixels+taps-2)*pix+kc:], 255)
			p := ConvI8Params{Signed: kc%2 == 0, WeightZero: randomZero(r)*2 + 1}
			s := newWindowSums(k, []int{0, pix, 2 * pix}, kc, p)
			worker := &Worker{windows: make([]int32, pixels+1)}
			worker.windows[pixels] = 77
			s.run(worker, Plane[uint8]{src, 0, pix}, 1, pixels)
			for i, got := range worker.windows[:pixels] {
				sum := 0
				for j := range taps * kc {
					v := int(src[(i+j/kc)*pix+j%kc])
					if k.findSigned(p.Signed) {
						v = int(int8(v)) + 128
					}
					sum += v
				}
				if want := -sum * int(p.WeightZero); int(got) != want {
					t.Fatalf("%s: %d bytes a tap, pixel %d: %d, want %d", on.variant, kc, i, got, want)
				}
			}
			if worker.windows[pixels] != 77 {
				t.Fatalf("%s: %d bytes a tap: written past the last pixel", on.variant, kc)
			}
		}
	}
}
