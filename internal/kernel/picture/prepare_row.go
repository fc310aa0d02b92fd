// Package picture turns frames into a model's input and a model's output into
// class ids.
package picture

// normPeriod is the number of elements after which both the channel pattern of
// three interleaved channels and an 8-lane register start again: lcm(3, 8).
const normPeriod = 24

// Norm holds the normalisation x = (pixel - mean) * scale of interleaved
// pixels, laid out for every lane of one period.
type Norm struct {
	mean, scale [normPeriod]float32
}

// NewNorm lays out one mean and one scale per channel, in the order in which
// the channels are written. It takes 1 or 3 of each.
func NewNorm(mean, scale []float32) Norm {
	if len(mean) != len(scale) || len(mean) != 1 && len(mean) != 3 {
		panic("BUG: kernel: a Norm takes 1 or 3 means and as many scales")
	}
	var n Norm
	for i := range n.mean {
		n.mean[i] = mean[i%len(mean)]
		n.scale[i] = scale[i%len(scale)]
	}
	return n
}

// PrepareF32 turns 8-bit pixels into the floats of a model's input:
//
//	for i := range src {
//		j := i
//		if swap {
//			j = i - i%3 + 2 - i%3 // exchanges the outer two of three channels
//		}
//		dst[i] = (float32(src[j]) - mean[i%channels]) * scale[i%channels]
//	}
//
// Each of the two operations rounds once to float32, in every variant, so all
// variants agree bit for bit. dst must be as long as src; with swap the length
// is a multiple of 3. src and dst do not overlap.
func (r *Routines) PrepareF32(dst []float32, src []byte, n *Norm, swap bool) {
	if len(dst) != len(src) || swap && len(src)%3 != 0 {
		panic("BUG: kernel: PrepareF32 lengths")
	}
	done := 0
	if r.prepareF32 != nil {
		done = r.prepareF32(dst, src, n, swap)
	}
	prepareF32Go(dst[done:], src[done:], n, swap)
}

// prepareF32Go is the portable variant and the oracle of the others. src
// starts at a whole period.
func prepareF32Go(dst []float32, src []byte, n *Norm, swap bool) {
	for len(src) >= 3 {
		k := 0
		for ; k < normPeriod && k+3 <= len(src); k += 3 {
			a, b, c := src[k], src[k+1], src[k+2]
			if swap {
				a, c = c, a
			}
			dst[k] = (float32(a) - n.mean[k]) * n.scale[k]
			dst[k+1] = (float32(b) - n.mean[k+1]) * n.scale[k+1]
			dst[k+2] = (float32(c) - n.mean[k+2]) * n.scale[k+2]
		}
		dst, src = dst[k:], src[k:]
	}
	// Fewer than three are left only where the pixels have one channel: every
	// lane holds the same numbers then.
	for i, p := range src {
		dst[i] = (float32(p) - n.mean[0]) * n.scale[0]
	}
}
