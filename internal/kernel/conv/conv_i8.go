package conv

import (
	"math"
	"slices"
	"unsafe"
)

// convCallI8 is convCall for 8-bit convolutions.
type convCallI8 struct {
	src, dst, w, bias, requant unsafe.Pointer
	taps                       *int // byte offsets from a pixel's source
	ntaps, kc                  int  // kc in groups of four channels
	srcStride, dstStride       int  // bytes from pixel to pixel
	zero, lo, hi               int32
	big                        int32 // not 0: one of the factors is a half or more
	mask                       unsafe.Pointer
	tileSteps
	flip   uint8 // XORed into each activation: 128 turns signed ones into unsigned ones, and back
	back   uint8 // XORed into each result, where routines clamp all as signed ones: see result
	live   int   // channels of the block that exist, for routines without masks
	clamps uint8 // not 0: lo, hi or back change a byte that is signed and saturated
	// Not 0: the taps are pairedTaps, and a pixel's, all but those of the first
	// column, are those of the pixels beside it, which routines may load once.
	shared int
	sums   unsafe.Pointer // added to the sums of all channels, pixel by pixel from resAt on: nil or windowSums'
	// Bytes from a row to the second one that is computed beside it, if any.
	srcBelow, dstBelow int
}

type convKernelI8 struct {
	lanes    int
	reads    reading
	sums16   bool          // adds products by pairs in 16 bits: lays out weights so
	widens   bool          // its routines read activations that convI16 has widened to int16
	goesBack bool          // its routines take back off the words that they pack, to clamp all bytes as signed ones
	signs    bool          // its routines clamp all bytes as signed ones
	flips    flipping      // not nil: its routines want activations in memory as reads says
	big      *convKernelI8 // not nil: its routines want factors below a half, written by layHigh; this one takes bigger ones
	table    convTableI8
	signed   convTableI8       // of sums16, for activations that are signed already and weights without -128
	columns  [2][2]convTableI8 // of depthColumns: weights of one byte or two; negative halves go up, or away from zero; by blocks of 32 or 64 channels and by stride
	windows  func(*windowCall)
	chunk    int // bytes that windows takes at a time
}

// reading says which activations the routines of a kernel multiply.
type reading uint8

const (
	asUnsigned reading = iota // signed ones get 128 added on the way: flip
	asSigned                  // unsigned ones get 128 taken off
)

// flipsFirst says that the routines want such activations with 128 added in memory.
func (k *convKernelI8) flipsFirst(signed bool) bool {
	return k.flips != nil && signed != (k.reads == asSigned)
}

// findSigned says that the routines find signed ones in memory where the
// activations are signed or not.
func (k *convKernelI8) findSigned(signed bool) bool {
	return signed != k.flipsFirst(signed)
}

// taking is k, or the kernel that stands in where k cannot scale by factors.
func (k *convKernelI8) taking(factors []Factor) *convKernelI8 {
	if k.big != nil && halfOrMore(factors) {
		return k.big
	}
	return k
}

// halfOrMore says that one of the factors is a half or more, which layHigh does not take.
func halfOrMore(factors []Factor) bool {
	return slices.ContainsFunc(factors, func(f Factor) bool { return f.Shift > -1 && f.Multiplier != 0 })
}

// big is what routines that scale by any factor read: see convCallI8.
func (p *ConvI8Params) big() int32 {
	if halfOrMore(p.Factors) {
		return 1
	}
	return 0
}

// lay writes the constants of a block of width channels for the channel in lane.
func (k *convKernelI8) lay(f Factor, requant []int32, lane, width int) {
	if k.big != nil {
		f.layHigh(requant, lane, width)
		return
	}
	f.lay(requant, lane, width)
	if k.signs { // NEON shifts to the left by negative numbers
		requant[3*width+lane] = -requant[4*width+lane]
	}
}

// result is the zero point and the clamp of results as the routines see them,
// and what gives these their type back.
func (k *convKernelI8) result(p *ConvI8Params) (zero, lo, hi int32, back uint8) {
	switch zero, lo, hi, back = p.signedResult(); {
	case k.big != nil, k.signs:
		return zero, lo, hi, back
	case k.goesBack:
		return p.DstZero, lo, hi, back
	}
	return p.DstZero, p.Lo, p.Hi, 0
}

// bounded is what clamps is.
func (c *convCallI8) bounded() uint8 {
	if c.lo > math.MinInt8 || c.hi < math.MaxInt8 || c.back != 0 {
		return 1
	}
	return 0
}

// suit chooses the routines for the weights w and moves p's zero point to where
// they see it.
func (k *convKernelI8) suit(p *ConvI8Params, w []int8) (t *convTableI8, flip uint8) {
	t = &k.table
	if k.sums16 && p.Signed && !slices.Contains(w, math.MinInt8) {
		t = &k.signed
	}
	switch {
	case k.reads == asUnsigned && p.Signed:
		p.SrcZero, flip = p.SrcZero+128, 128
	case k.reads == asSigned && !p.Signed:
		p.SrcZero, flip = p.SrcZero-128, 128
	}
	return t, flip
}

// convTableI8 holds the routines for one kind of activations: [vectors-1][pixels].
type convTableI8 [2][]func(*convCallI8)

// Factor is the real factor that takes one output channel's sums to 8-bit
// values, as QuantizeMultiplier writes it.
type Factor struct{ Multiplier, Shift int32 }

// requantRows is the number of constants of one channel.
const requantRows = 5

// lay writes f's constants for the lane at of vectors of width: left shift,
// multiplier, multiplier moved from odd lanes to even ones (odd lanes are
// multiplied there), rounding term, right shift.
func (f Factor) lay(dst []int32, at, width int) {
	left, right := max(f.Shift, 0), max(-f.Shift, 0)
	dst[at], dst[width+at] = left, f.Multiplier
	if at%2 == 1 {
		dst[2*width+at-1] = f.Multiplier
	}
	dst[3*width+at], dst[4*width+at] = int32(int64(1)<<right>>1), right
}

// layHigh writes f's constants, f below a half, for routines that take the high
// halves of 64-bit products: multipliers of the even lanes, then of the odd ones;
// what is added to the products of either; right shift less one.
func (f Factor) layHigh(dst []int32, at, width int) {
	right := max(1, -f.Shift)
	term := int64(1)<<30 + 1<<(30+right)
	even := dst[at%2*width+at&^1:]
	even[0] = f.Multiplier
	even[2*width], even[2*width+1] = int32(term), int32(term>>32)
	dst[4*width+at] = right - 1
}

// ConvI8 is a convolution of 8-bit activations, signed or not, with 8-bit
// weights, exact in 32 bits, scaled as MulByQuantizedHalfUp does.
type ConvI8 struct {
	table   *convTableI8
	flip    uint8
	back    uint8
	kernel  *convKernelI8
	shape   ConvShape
	groups  int // of four values a tap
	taps    []int
	reach   int
	blocks  []convBlock
	w       []int8   // [block][tap][group][width][4], or as place says
	bias    []int32  // the input's zero point folded in
	requant []int32  // [block][requantRows][width]
	zero    int32    // of the output, as stored
	lo, hi  int32    // clamp, as stored
	big     int32    // see convCallI8
	flipped flipping // nil: activations are read where they lie
	i16     *convI16
	sums    *windowSums // nil: none
}

// ConvI8Params are the quantities of a ConvI8 beside its weights.
type ConvI8Params struct {
	Signed  bool  // the activations are int8, else uint8
	SrcZero int32 // zero point of the activations
	DstZero int32 // zero point of the result
	// WeightZero is the zero point of the weights, -128 to 127; uint8 ones are
	// stored less 128, and so is theirs.
	WeightZero int32
	Lo, Hi     int32    // clamp of the result, in its own type: the fused activation
	Factors    []Factor // one for each output channel
}

// signedResult is zero point and clamp for routines that clamp results as int8,
// and what these XOR into them at the end.
func (p *ConvI8Params) signedResult() (zero, lo, hi int32, back uint8) {
	if !p.Signed {
		return p.DstZero - 128, p.Lo - 128, p.Hi - 128, 128
	}
	return p.DstZero, p.Lo, p.Hi, 0
}

// Slack is the number of bytes that must be readable behind a source's last
// element: a routine reads whole groups of four channels, or 16 at a time.
const Slack = 15

// NewConvI8 packs w, shaped [OC][KH][KW][IC], and bias (nil: none).
func (r *Routines) NewConvI8(s ConvShape, w []int8, bias []int32, p ConvI8Params) *ConvI8 {
	return r.newConvI8(r.convI8, s, w, bias, p)
}

func (r *Routines) newConvI8(k *convKernelI8, s ConvShape, w []int8, bias []int32, p ConvI8Params) *ConvI8 {
	if k = k.taking(p.Factors); k.widens {
		return &ConvI8{i16: newConvI16(r.vec, k, s, w, bias, p)}
	}
	taps, kc := s.window()
	c := &ConvI8{kernel: k, shape: s, groups: (kc + 3) / 4, taps: taps}
	c.sums = newWindowSums(k, taps, kc, p)
	c.zero, c.lo, c.hi, c.back = k.result(&p)
	c.big = p.big()
	if k.flipsFirst(p.Signed) {
		c.flipped = k.flips
	}
	c.table, c.flip = k.suit(&p, w)
	c.reach = s.reach()
	c.blocks = s.blocks(k.lanes, len(taps)*c.groups*4)
	last := c.blocks[len(c.blocks)-1]
	c.w = make([]int8, last.w+last.width*len(taps)*c.groups*4)
	c.bias = make([]int32, last.at+last.width)
	c.requant = make([]int32, requantRows*(last.at+last.width))
	for i := range c.blocks {
		c.pack(&c.blocks[i], w, bias, kc, p)
	}
	return c
}

// pack lays out one block's weights and constants.
func (c *ConvI8) pack(b *convBlock, w []int8, bias []int32, kc int, p ConvI8Params) {
	per := len(c.taps) * kc
	requant := c.requant[requantRows*b.at:]
	for o := b.first; o < b.first+b.live; o++ {
		sum, lane := int32(0), c.lane(b, o-b.first)
		for i, v := range w[o*per : (o+1)*per] {
			tap, k := i/kc, i%kc
			c.w[b.w+(tap*c.groups+k/4)*b.width*4+c.place(lane, k%4)] = v
			sum += int32(v)
		}
		if bias != nil {
			c.bias[b.at+lane] = bias[o]
		}
		c.bias[b.at+lane] += c.sums.always() - sum*p.SrcZero
		c.kernel.lay(p.Factors[o], requant, lane, b.width)
	}
}

// lane is where channel o of a block stands.
func (c *ConvI8) lane(b *convBlock, o int) int {
	if c.kernel.big != nil {
		return pairedLane(o, b)
	}
	return o
}

// pairedLane is where channel o of block b stands for routines that pack two
// vectors to bytes: of every eight channels, four are in the first and four in
// the second.
func pairedLane(o int, b *convBlock) int {
	if b.vectors == 2 {
		return laneOf(o, b.width)
	}
	return o
}

// place is where in a group the weight of a lane and of input channel i stands:
// the four of a lane together or, of every four lanes, the first two of each in
// front of the others.
func (c *ConvI8) place(lane, i int) int {
	if c.kernel.sums16 {
		return lane/4*16 + i/2*8 + lane%4*2 + i%2
	}
	return lane*4 + i
}

// Run computes rows x cols output pixels; see ConvF32.Run.
func (c *ConvI8) Run(k *Worker, dst, src Plane[uint8], rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	if c.i16 != nil {
		c.i16.run(k, dst, src, rows, cols)
		return
	}
	dst.holds("destination", rows, cols, c.shape.OC)
	src.holds("source", rows, cols, c.reach)
	if c.flipped != nil {
		c.runFlipped(k, dst, src, rows, cols)
		return
	}
	c.band(k, dst, src, rows, cols)
}

func (c *ConvI8) band(k *Worker, dst, src Plane[uint8], rows, cols int) {
	call := &k.i8
	*call = convCallI8{taps: &c.taps[0], ntaps: len(c.taps), kc: c.groups, srcStride: src.Pix, dstStride: dst.Pix,
		zero: c.zero, lo: c.lo, hi: c.hi, big: c.big, flip: c.flip, back: c.back}
	call.clamps = call.bounded()
	for i := range c.blocks {
		b := &c.blocks[i]
		if c.sums != nil && (i == 0 || b.src != c.blocks[i-1].src) {
			c.sums.run(k, Plane[uint8]{src.P[b.src:], src.Row, src.Pix}, rows, cols)
		}
		call.w, call.bias = unsafe.Pointer(&c.w[b.w]), unsafe.Pointer(&c.bias[b.at])
		call.requant, call.mask = unsafe.Pointer(&c.requant[requantRows*b.at]), unsafe.Pointer(&b.mask)
		call.live = b.live
		for y := range rows {
			if c.sums != nil {
				call.sums = unsafe.Pointer(&k.windows[y*cols])
			}
			c.row(call, b, dst, src, y, cols)
		}
	}
}

func (c *ConvI8) row(call *convCallI8, b *convBlock, dst, src Plane[uint8], y, cols int) {
	call.src = unsafe.Pointer(&src.P[y*src.Row+b.src])
	call.dst = unsafe.Pointer(&dst.P[y*dst.Row+b.first])
	call.pixels(c.table[b.vectors-1], cols)
}

// pixels computes a row of cols pixels by fns.
func (c *convCallI8) pixels(fns []func(*convCallI8), cols int) {
	c.tileSteps = tileSteps{}
	m, full, short := cut(cols, len(fns)-1)
	c.again(m, full, c.srcStride, c.dstStride, 0)
	fns[m](c)
	if short > 0 {
		c.again(m-1, short, c.srcStride, c.dstStride, 0)
		fns[m-1](c)
	}
}
