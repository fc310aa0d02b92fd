package vec

import "edged/internal/kernel/cpu"

// averageMost bounds the count by which sums are divided in float32. To a sum
// goes its rounding and half a unit more, with its sign; times 1/count, two
// roundings away from the quotient, at most 2^-15 where that is below 256. A
// quotient that counts stays 1/2count away from the next whole number.
const averageMost = 1 << 13

// Pixels says where the sums lie that averages are taken of: N pixels of C
// elements, each the sum of K that begin Tap elements apart, Step elements from
// one pixel to the next.
type Pixels struct{ N, C, Step, Tap, K int }

// reach is the number of elements that are read.
func (p Pixels) reach() int { return max(0, (p.N-1)*p.Step+max(0, p.K-1)*p.Tap+p.C) }

// within is the number of pixels, first ones, that a routine may take which works
// in pieces of elements, none of 0, and so past a pixel's end into those that come later.
func (p Pixels) within(piece, dst, src int) int {
	if piece == 0 || p.K == 0 {
		return 0
	}
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
func (r *Routines) AverageBytes(dst []byte, acc []int32, p Pixels, count int, lo, hi int32) {
	dst, acc = dst[:p.N*p.C], acc[:p.reach()]
	done := r.averageFirst(dst, acc, p, count, lo, hi)
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

// averageFirst computes the first pixels and says how many.
func (r *Routines) averageFirst(dst []byte, acc []int32, p Pixels, count int, lo, hi int32) int {
	n := p.within(r.averageBytes.size, len(dst), len(acc))
	if n == 0 || count == 0 || count > averageMost {
		return 0
	}
	r.averageBytes.fn(&dst[0], &acc[0], n, p.C, 4*p.Step, 4*p.Tap, p.K, 1/float32(count), float32(count/2)+0.5, lo, hi)
	return n
}

// AverageF32 is the same for floats, of which each is divided and clamped.
func (r *Routines) AverageF32(dst, acc []float32, p Pixels, count int, lo, hi float32) {
	dst, acc = dst[:p.N*p.C], acc[:p.reach()]
	n, done := float32(count), p.within(r.averageF32.size, len(dst), len(acc))
	if done > 0 {
		r.averageF32.fn(&dst[0], &acc[0], done, p.C, 4*p.Step, 4*p.Tap, p.K, n, lo, hi)
	}
	for i := done; i < p.N; i++ {
		for j := range p.C {
			var v float32
			for t := range p.K {
				v += acc[i*p.Step+t*p.Tap+j]
			}
			dst[i*p.C+j] = min(max(v/n, lo), hi)
		}
	}
}
