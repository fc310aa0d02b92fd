package conv

import "unsafe"

// windowCall is what one call of a routine that sums windows gets: count
// neighbouring pixels.
type windowCall struct {
	src, dst unsafe.Pointer
	taps     *int // byte offsets from a pixel's source
	ntaps    int
	stride   int    // bytes from pixel to pixel
	count    int    // pixels
	chunks   int    // of windowChunk bytes before a tap's last one
	tail     uint64 // a bit for each byte of the last chunk that belongs to the tap, for AVX-512
	factor   int32
	flip     uint8    // XORed into each byte
	rest     [16]byte // tail as bytes, for NEON
}

// windowSums computes what the zero point z of weights adds to the sums of all
// output channels alike, where routines multiply the weights w as they are stored:
//
//	sum (a - zero)(w - z) = sum (a - zero)w - z*sum a + z*zero*K
type windowSums struct {
	routine  func(*windowCall)
	call     windowCall
	constant int32 // z*zero*K
}

// newWindowSums gives nil where there is nothing to add. p is as given, before suit.
func newWindowSums(k *convKernelI8, taps []int, kc int, p ConvI8Params) *windowSums {
	if p.WeightZero == 0 {
		return nil
	}
	chunk := k.chunk
	s := &windowSums{routine: k.windows, call: windowCall{taps: &taps[0], ntaps: len(taps), chunks: (kc - 1) / chunk, factor: -p.WeightZero}}
	zero := p.SrcZero
	if p.Signed {
		zero += 128
	}
	if k.findSigned(p.Signed) {
		s.call.flip = 128
	}
	s.constant = p.WeightZero * zero * int32(len(taps)*kc)
	for i := range kc - s.call.chunks*chunk {
		s.call.tail |= 1 << i
		if i < len(s.call.rest) {
			s.call.rest[i] = 0xFF
		}
	}
	return s
}

// always is what does not depend on the activations.
func (s *windowSums) always() int32 {
	if s == nil {
		return 0
	}
	return s.constant
}

// weight is a stored weight's value.
func (p ConvI8Params) weight(w int8) int32 { return int32(w) - p.WeightZero }

// run leaves in k what rows x cols outputs get added, row by row.
func (s *windowSums) run(k *Worker, src Plane[uint8], rows, cols int) {
	reserve(&k.windows, rows*cols)
	c := &k.sums
	*c = s.call
	c.stride, c.count = src.Pix, cols
	for y := range rows {
		c.src, c.dst = unsafe.Pointer(&src.P[y*src.Row]), unsafe.Pointer(&k.windows[y*cols])
		s.routine(c)
	}
	c.src = nil
}

// windowSumsPortable is built for every machine and is the oracle of the assembly.
// A chunk is one byte.
func windowSumsPortable(c *windowCall) {
	for i := range c.count {
		sum := int32(0)
		for _, t := range unsafe.Slice(c.taps, c.ntaps) {
			for _, v := range unsafe.Slice((*uint8)(unsafe.Add(c.src, i*c.stride+t)), c.chunks+1) {
				sum += int32(v ^ c.flip)
			}
		}
		*(*int32)(unsafe.Add(c.dst, 4*i)) = sum * c.factor
	}
}
