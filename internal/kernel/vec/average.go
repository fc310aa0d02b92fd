package vec

import "edged/internal/kernel/cpu"

// Pixels says where the sums lie that averages are taken of: N pixels of C
// elements, each the sum of K that begin Tap elements apart, Step elements from
// one pixel to the next.
type Pixels struct{ N, C, Step, Tap, K int }

// reach is the number of elements that are read.
func (p Pixels) reach() int { return max(0, (p.N-1)*p.Step+max(0, p.K-1)*p.Tap+p.C) }

// within is the number of pixels, first ones, that a routine may take which works
// in pieces of elements and so past a pixel's end into those that come later.
func (p Pixels) within(piece, dst, src int) int {
	wide := cpu.RoundUp(p.C, piece)
	for p.N > 0 && ((p.N-1)*p.C+wide > dst || (p.N-1)*p.Step+(p.K-1)*p.Tap+wide > src) {
		p.N--
	}
	return p.N
}

// AverageBytes divides sums by count, rounds half away from zero and clamps:
//
//	dst[i*C+j] = clamp(sum over t in 0..K of acc[i*Step+t*Tap+j], over count)
//
// No sum is larger than 255 times count.
func AverageBytes(dst []byte, acc []int32, p Pixels, count int, lo, hi int32) {
	dst, acc = dst[:p.N*p.C], acc[:p.reach()]
	done := averageBytes(dst, acc, p, count, lo, hi)
	n, half := int32(max(count, 1)), int32(count/2)
	for i := done; i < p.N; i++ {
		for j := range p.C {
			var v int32
			for t := range p.K {
				v += acc[i*p.Step+t*p.Tap+j]
			}
			if v > 0 {
				v = (v + half) / n
			} else {
				v = (v - half) / n
			}
			dst[i*p.C+j] = byte(min(max(v, lo), hi))
		}
	}
}

// AverageF32 is the same for floats, of which each is divided and clamped.
func AverageF32(dst, acc []float32, p Pixels, count int, lo, hi float32) {
	dst, acc = dst[:p.N*p.C], acc[:p.reach()]
	n := float32(count)
	for i := averageF32(dst, acc, p, n, lo, hi); i < p.N; i++ {
		for j := range p.C {
			var v float32
			for t := range p.K {
				v += acc[i*p.Step+t*p.Tap+j]
			}
			dst[i*p.C+j] = min(max(v/n, lo), hi)
		}
	}
}
