package conv

import (
	"unsafe"

	"edged/internal/kernel/vec"
)

const (
	i16Lanes   = 8       // channels of a vector
	i16Row     = 64      // int32 constants of a vector of channels: see lay
	copyBudget = 1 << 15 // activations to copy at a time: they stay in the cache
)

// convI16 is a ConvI8 for routines that read activations widened to int16 and
// rid of their zero point. Its blocks have 8 or 16 channels.
type convI16 struct {
	vec     *vec.Routines
	table   *convTableI8
	shape   ConvShape
	taps    []int // bytes of widened activations
	reach   int
	pairs   int // of channels, a tap
	blocks  []convBlock
	w       []int16 // [block][tap][pair][width][2]
	bias    []int32
	requant []int32 // [block][vector][i16Row]
	zero    int16   // of the activations
	signed  bool
	lo, hi  int32
	back    uint8
}

func newConvI16(r *vec.Routines, k *convKernelI8, s ConvShape, w []int8, bias []int32, p ConvI8Params) *convI16 {
	taps, kc := s.window()
	c := &convI16{vec: r, table: &k.table, shape: s, pairs: (kc + 1) / 2, zero: int16(p.SrcZero), signed: p.Signed}
	_, c.lo, c.hi, c.back = k.result(&p)
	for _, t := range taps {
		c.taps = append(c.taps, 2*t)
	}
	c.reach = s.reach()
	c.blocks = s.blocks(i16Lanes, len(taps)*c.pairs*2)
	last := c.blocks[len(c.blocks)-1]
	c.w = make([]int16, last.w+last.width*len(taps)*c.pairs*2)
	c.bias = make([]int32, last.at+last.width)
	c.requant = make([]int32, (last.at+last.width)/i16Lanes*i16Row)
	for i := range c.blocks {
		c.pack(&c.blocks[i], w, bias, kc, p)
	}
	return c
}

// pack lays out one block's weights and constants.
func (c *convI16) pack(b *convBlock, w []int8, bias []int32, kc int, p ConvI8Params) {
	per := len(c.taps) * kc
	requant := c.requant[b.at/i16Lanes*i16Row:]
	for o := b.first; o < b.first+b.live; o++ {
		at := i16Lane(o-b.first, b.vectors)
		for i, v := range w[o*per : (o+1)*per] {
			tap, k := i/kc, i%kc
			c.w[b.w+((tap*c.pairs+k/2)*b.width+at)*2+k%2] = int16(p.weight(v))
		}
		if bias != nil {
			c.bias[b.at+at] = bias[o]
		}
		p.Factors[o].layI16(requant[at/i16Lanes*i16Row:], at%i16Lanes, p.DstZero)
	}
}

// i16Lane is where channel c of a block of one or two vectors stands, such that
// the routines' last shuffles leave the channels in order.
func i16Lane(c, vectors int) int {
	inner := [4]int{0, 2, 1, 3}[c%4]
	if vectors == 1 {
		return c/4*4 + inner
	}
	return c/4%2*i16Lanes + c/8*4 + inner
}

// layI16 writes f's constants for one lane of a vector: left shift; multipliers of
// the even and of the odd lanes; what is added to the 64-bit products; how far
// these go to the right; the zero point. The two roundings are one: see the
// generator's requantI16Macro.
func (f Factor) layI16(dst []int32, lane int, zero int32) {
	left, right := max(f.Shift, 0), max(-f.Shift, 0)
	term := uint64(1)<<63 + 1<<30
	if right > 0 {
		term += 1 << (30 + right)
	}
	odd := lane % 2 * i16Lanes
	at := lane / 2 * 2
	dst[lane] = left
	dst[8+odd+at] = f.Multiplier
	dst[24+odd+at], dst[24+odd+at+1] = int32(term), int32(term>>32)
	dst[40+odd+at] = 31 + right
	dst[56+(lane/4*4)+[4]int{0, 2, 1, 3}[lane%4]] = zero - int32(uint64(1)<<(32-right))
}

// run computes rows x cols output pixels: as many rows at a time as fit the
// scratch memory, widened.
func (c *convI16) run(k *Worker, dst, src Plane[uint8], rows, cols int) {
	dst.holds("destination", rows, cols, c.shape.OC)
	src.holds("source", rows, cols, c.reach)
	row := (cols-1)*src.Pix + c.reach
	most := rowsAtOnce(row, src.Row)
	for y := 0; y < rows; y += most {
		n := min(most, rows-y)
		size := (n-1)*src.Row + row
		reserve(&k.widened, i16Size(n, row, src.Row))
		c.vec.Widen(k.widened[:size], src.P[y*src.Row:][:size], c.zero, c.signed)
		c.band(k, Plane[uint8]{dst.P[y*dst.Row:], dst.Row, dst.Pix}, Plane[int16]{k.widened, src.Row, src.Pix}, n, cols)
	}
}

// rowsAtOnce is the number of output rows whose input is copied at a time, where
// that of one covers one elements and the next begins step later: windows of
// many rows share theirs.
func rowsAtOnce(one, step int) int { return max(1, (max(copyBudget, 2*one)-one)/max(step, 1)) }

// i16Size is the memory for the input of rows rows: the last pair of channels
// may have only one.
func i16Size(rows, one, step int) int { return (rows-1)*step + one + 1 }

func (c *convI16) band(k *Worker, dst Plane[uint8], src Plane[int16], rows, cols int) {
	call := &k.i8
	*call = convCallI8{taps: &c.taps[0], ntaps: len(c.taps), kc: c.pairs, srcStride: 2 * src.Pix, dstStride: dst.Pix, lo: c.lo, hi: c.hi, back: c.back}
	for i := range c.blocks {
		b := &c.blocks[i]
		call.w, call.bias = unsafe.Pointer(&c.w[b.w]), unsafe.Pointer(&c.bias[b.at])
		call.requant = unsafe.Pointer(&c.requant[b.at/i16Lanes*i16Row])
		call.live = b.live
		for y := range rows {
			call.src = unsafe.Pointer(&src.P[y*src.Row+b.src])
			call.dst = unsafe.Pointer(&dst.P[y*dst.Row+b.first])
			call.pixels(c.table[b.vectors-1], cols)
		}
	}
}
