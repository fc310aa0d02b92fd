package conv

import (
	"encoding/binary"
	"math"
	"slices"
	"unsafe"

	"edged/internal/kernel/cpu"
	"edged/internal/kernel/vec"
)

// DepthwiseI8 is a depthwise convolution of 8-bit activations and 8-bit weights
// with one filter a channel, exact in 32 bits, scaled as MulByQuantized does.
type DepthwiseI8 struct {
	table  *convTableI8
	lanes  int
	shape  ConvShape
	taps   []int   // bytes, an even number
	parts  int     // that a weight has: each is a tap of its own
	order  []int   // of the taps
	paired bool    // they are pairedTaps
	reach  int     // bytes from a window's first to one past its last
	stream []int32 // [block of channels][bias | pairs of weights | requant constants]
	block  int     // elements of stream that one block takes
	pair   int     // elements of stream that one pair of taps takes
	zero   int32
	lo, hi int32
	big    int32 // see convCallI8
	flip   uint8
	back   uint8
	kernel *convKernelI8
	// columns computes all, where it is not nil.
	columns *depthColumns
}

// NewDepthwiseI8 packs w, shaped [KH][KW][C], and bias (nil: none). s.IC and
// s.OC are C.
func (r *Routines) NewDepthwiseI8(s ConvShape, w []int8, bias []int32, p ConvI8Params) *DepthwiseI8 {
	return newDepthwiseI8(r.depthwiseI8, s, w, bias, p)
}

func newDepthwiseI8(k *convKernelI8, s ConvShape, w []int8, bias []int32, p ConvI8Params) *DepthwiseI8 {
	k = k.taking(p.Factors)
	if c := newDepthColumns(k, s, w, bias, p); c != nil {
		return &DepthwiseI8{columns: c}
	}
	d := &DepthwiseI8{kernel: k, lanes: k.lanes, pair: k.lanes, parts: 1, shape: s}
	d.zero, d.lo, d.hi, d.back = k.result(&p)
	d.big = p.big()
	d.table, d.flip = k.suit(&p, w)
	if k.sums16 {
		d.pair = k.lanes / 2
		d.parts = p.parts(w)
	}
	d.order = make([]int, s.KH*s.KW)
	for i := range d.order {
		d.order[i] = i
	}
	if d.paired = s.KH == 3 && s.KW == 3 && d.parts == 1; d.paired {
		d.order = pairedTaps
	}
	for _, t := range d.order {
		for range d.parts {
			d.taps = append(d.taps, t/s.KW*s.DY*s.Row+t%s.KW*s.DX*s.Pix)
		}
	}
	d.reach = slices.Max(d.taps) + s.IC
	if len(d.taps)%2 == 1 {
		d.taps = append(d.taps, d.taps[0]) // its weights are zero
	}
	d.block = k.lanes*(1+requantRows) + len(d.taps)/2*d.pair
	d.stream = make([]int32, cpu.RoundUp(s.OC, k.lanes)/k.lanes*d.block)
	for c := range s.OC {
		d.pack(c, w, bias, p)
	}
	return d
}

// pairedTaps is the order of the taps of a 3x3 filter by pairs: of the first two
// rows those of a column, then what is left.
var pairedTaps = []int{0, 3, 1, 4, 2, 5, 6, 7, 8}

// pack lays out channel c in its block.
func (d *DepthwiseI8) pack(c int, w []int8, bias []int32, p ConvI8Params) {
	lane := laneOf(c%d.lanes, d.lanes)
	block := d.stream[c/d.lanes*d.block:]
	sum := int32(0)
	for at, t := range d.order {
		v := p.weight(w[t*d.shape.OC+c])
		for i := range d.parts {
			tap, n := at*d.parts+i, int32(d.parts)
			d.weight(block[d.lanes+tap/2*d.pair:], tap%2, lane, v*int32(i+1)/n-v*int32(i)/n)
		}
		sum += v
	}
	if bias != nil {
		block[lane] = bias[c]
	}
	block[lane] -= sum * p.SrcZero
	d.kernel.lay(p.Factors[c], block[d.lanes+len(d.taps)/2*d.pair:], lane, d.lanes)
}

// parts is how many bytes add up to any of the weights w, which go up to 255: one
// where they have no zero point, else as many as keep clear of -128.
func (p ConvI8Params) parts(w []int8) int {
	most := int32(0)
	for _, v := range w {
		most = max(most, p.weight(v), -p.weight(v))
	}
	if p.WeightZero == 0 {
		return 1
	}
	return max(1, int((most+math.MaxInt8-1)/math.MaxInt8))
}

// weight lays out a weight of the first or second tap of a pair: in 16 bits,
// both taps of a channel together or, in 8 bits, the first taps of all channels
// in front of the second ones.
func (d *DepthwiseI8) weight(pair []int32, second, lane int, v int32) {
	if d.pair == d.lanes {
		pair[lane] |= v & 0xFFFF << (16 * second)
		return
	}
	at := second*d.lanes + lane
	pair[at/4] |= v & 0xFF << (8 * (at % 4))
}

// laneOf is where channel c of a block stands in a row: unpacking leaves, of
// every eight channels, four in the first vector and four in the second.
func laneOf(c, lanes int) int {
	if lanes < 8 {
		return c
	}
	return c/8*4 + c%8/4*(lanes/2) + c%4
}

// Run computes rows x cols output pixels; see ConvF32.Run.
func (d *DepthwiseI8) Run(k *Worker, dst, src Plane[uint8], rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	if d.columns != nil {
		d.columns.run(k, dst, src, rows, cols)
		return
	}
	dst.holds("destination", rows, cols, d.shape.OC)
	src.holds("source", rows, cols, d.reach)
	k.i8 = convCallI8{taps: &d.taps[0], ntaps: len(d.taps) / 2, srcStride: src.Pix, dstStride: dst.Pix,
		zero: d.zero, lo: d.lo, hi: d.hi, big: d.big, flip: d.flip, back: d.back}
	k.i8.clamps = k.i8.bounded()
	if d.paired && d.shape.DX*d.shape.Pix == src.Pix {
		k.i8.shared = 1
	}
	m, full, short := cut(cols, len(d.table[0])-1)
	for y := range rows {
		x := 0
		for range full {
			d.tile(&k.i8, dst, src, y, x, m)
			x += m
		}
		for range short {
			d.tile(&k.i8, dst, src, y, x, m-1)
			x += m - 1
		}
	}
}

// tile computes m pixels from (y, x) on, all channels.
func (d *DepthwiseI8) tile(call *convCallI8, dst, src Plane[uint8], y, x, m int) {
	call.src = unsafe.Pointer(&src.P[y*src.Row+x*src.Pix])
	call.dst = unsafe.Pointer(&dst.P[y*dst.Row+x*dst.Pix])
	full := d.shape.OC / d.lanes
	call.tileSteps = tileSteps{tiles: full, srcStep: d.lanes, dstStep: d.lanes}
	call.w, call.kc = unsafe.Pointer(&d.stream[0]), 1<<d.lanes-1
	call.live = d.lanes
	if full > 0 {
		d.table[0][m](call)
	}
	if rest := d.shape.OC % d.lanes; rest > 0 {
		call.tiles, call.kc = 1, 1<<rest-1
		call.live = rest
		call.w = unsafe.Pointer(&d.stream[full*d.block])
		d.table[0][m](call)
	}
}

var depthwiseI8Generic = convKernelI8{lanes: genericLanes, table: depthwiseTableI8Generic}

var depthwiseTableI8Generic = convTableI8{{nil, depthwiseI8Portable}}

// depthwiseI8Portable computes one pixel of some blocks of four channels; kc
// has a bit for each channel that exists.
func depthwiseI8Portable(c *convCallI8) {
	taps := unsafe.Slice(c.taps, 2*c.ntaps)
	rows := 1 + c.ntaps + requantRows
	stream := unsafe.Slice((*[genericLanes]int32)(c.w), c.tiles*rows)
	for ; c.tiles > 0; c.next() {
		s := stream[:rows]
		stream = stream[rows:]
		acc := s[0]
		if c.kc&15 == 15 {
			depthwiseFour(&acc, c, s[1:], taps)
		} else {
			depthwiseSome(&acc, c, s[1:], taps)
		}
		r := s[1+c.ntaps:]
		for i := 0; i < genericLanes && c.kc>>i&1 == 1; i++ {
			q := vec.MulByQuantized(acc[i], r[1][i], r[0][i]-r[4][i])
			*(*uint8)(unsafe.Add(c.dst, c.dstAt+i)) = uint8(min(max(q+c.zero, c.lo), c.hi))
		}
	}
}

// depthwiseFour adds the products of four channels; a word of w holds the weights of
// two taps.
func depthwiseFour(acc *[genericLanes]int32, c *convCallI8, w [][genericLanes]int32, taps []int) {
	a0, a1, a2, a3 := acc[0], acc[1], acc[2], acc[3]
	flip := uint32(c.flip) * 0x01010101
	src := unsafe.Add(c.src, c.srcAt)
	for t := 0; t+1 < len(taps); t += 2 {
		x := binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(src, taps[t]))[:]) ^ flip
		y := binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(src, taps[t+1]))[:]) ^ flip
		r := &w[t/2]
		a0 += int32(x&0xff)*int32(int16(r[0])) + int32(y&0xff)*(r[0]>>16)
		a1 += int32(x>>8&0xff)*int32(int16(r[1])) + int32(y>>8&0xff)*(r[1]>>16)
		a2 += int32(x>>16&0xff)*int32(int16(r[2])) + int32(y>>16&0xff)*(r[2]>>16)
		a3 += int32(x>>24)*int32(int16(r[3])) + int32(y>>24)*(r[3]>>16)
	}
	*acc = [...]int32{a0, a1, a2, a3}
}

// depthwiseSome is depthwiseFour for the channels that exist, of fewer than four.
func depthwiseSome(acc *[genericLanes]int32, c *convCallI8, w [][genericLanes]int32, taps []int) {
	for i := 0; i < genericLanes && c.kc>>i&1 == 1; i++ {
		for t, off := range taps {
			x := *(*uint8)(unsafe.Add(c.src, c.srcAt+off+i))
			acc[i] += int32(x^c.flip) * int32(int16(w[t/2][i]>>(16*(t%2))))
		}
	}
}
