package kernel

import "unsafe"

// Of a depthColumns: channels of a block, and parts of its stream in int32s.
const (
	columnLanes   = 64
	columnWeights = columnLanes
	columnRequant = columnWeights + 3*columnLanes
	columnClamps  = columnRequant + requantRows*columnLanes
	columnBlock   = columnClamps + 4*columnLanes/4
)

// depthColumns is a DepthwiseI8 with up to three rows of three taps, for
// routines that make each column of three pixels of the source one dword a
// channel and compute a row of windows, each column for all windows that it is
// part of.
type depthColumns struct {
	fn     []func(*convCallI8) // by stride in columns
	shape  ConvShape
	rows   [3]int // bytes from a window's first row
	reach  int
	flip   uint8
	stream []int32 // [block][bias | weights of three columns | requant constants | zero point, clamp and back, a vector each]
}

// columnsFit says whether the routines of depthColumns take kernels of this shape.
func (s ConvShape) columnsFit() bool { return s.KH <= 3 && s.KW == 3 }

func newDepthColumns(k *convKernelI8, s ConvShape, w []int8, bias []int32, p ConvI8Params) *depthColumns {
	d := &depthColumns{fn: k.columns[1], shape: s, reach: (s.KH-1)*s.DY*s.Row + 2*s.DX*s.Pix + s.IC}
	if p.Lo >= p.DstZero {
		d.fn = k.columns[0] // where negative halves go makes no difference
	}
	zero, lo, hi, back := k.result(&p)
	if p.Signed {
		p.SrcZero, d.flip = p.SrcZero+128, 128
	}
	for y := range s.KH {
		d.rows[y] = y * s.DY * s.Row
	}
	d.stream = make([]int32, roundUp(s.OC, columnLanes)/columnLanes*columnBlock)
	for c := range s.OC {
		d.pack(k, c, w, bias, &p)
	}
	for at := columnClamps; at < len(d.stream); at += columnBlock {
		for i := range columnLanes / 4 {
			d.stream[at+i] = zero<<16 | zero&0xFFFF
			for row, b := range [...]uint8{uint8(lo), uint8(hi), back} {
				d.stream[at+columnLanes/4*(1+row)+i] = int32(uint32(b) * 0x01010101)
			}
		}
	}
	return d
}

// pack lays out channel c in its block.
func (d *depthColumns) pack(k *convKernelI8, c int, w []int8, bias []int32, p *ConvI8Params) {
	block, lane := d.stream[c/columnLanes*columnBlock:], columnLane(c%columnLanes)
	sum := int32(0)
	for t := range 3 * d.shape.KH {
		v := w[t*d.shape.OC+c]
		block[columnWeights+t%3*columnLanes+lane] |= int32(uint8(v)) << (t / 3 * 8)
		sum += int32(v)
	}
	if bias != nil {
		block[lane] = bias[c]
	}
	block[lane] -= sum * p.SrcZero
	k.lay(p.Factors[c], block[columnRequant:], lane, columnLanes)
}

// columnLane is where channel c of a block stands in a row: unpacking leaves, of
// every 16 channels, four in each of four vectors.
func columnLane(c int) int { return c%16/4*16 + c/16*4 + c%4 }

// run computes rows x cols output pixels.
func (d *depthColumns) run(k *Worker, dst, src Plane[uint8], rows, cols int) {
	dst.holds("destination", rows, cols, d.shape.OC)
	src.holds("source", rows, cols, d.reach)
	step, stride := d.windows(src.Pix, cols)
	k.i8 = convCallI8{taps: &d.rows[0], srcStride: d.shape.DX * d.shape.Pix, dstStride: step * dst.Pix, flip: d.flip}
	for y := range rows {
		for x := range min(step, cols) {
			k.i8.kc = (cols - x + step - 1) / step
			k.i8.src = unsafe.Pointer(&src.P[y*src.Row+x*src.Pix])
			k.i8.dst = unsafe.Pointer(&dst.P[y*dst.Row+x*dst.Pix])
			d.row(&k.i8, d.fn[stride])
		}
	}
}

// windows says which windows of a row share columns, where one begins pix
// elements after the other: every step-th, stride columns apart. Others are
// computed by themselves.
func (d *depthColumns) windows(pix, cols int) (step, stride int) {
	column := d.shape.DX * d.shape.Pix
	switch {
	case pix == 2*column:
		return 1, 2
	case pix > 0 && column%pix == 0:
		return column / pix, 1
	}
	return cols, 1
}

// row computes all channels of a row of windows.
func (d *depthColumns) row(call *convCallI8, fn func(*convCallI8)) {
	full, rest := d.shape.OC/columnLanes, d.shape.OC%columnLanes
	call.tileSteps = tileSteps{tiles: full, srcStep: columnLanes, dstStep: columnLanes}
	call.w, call.live = unsafe.Pointer(&d.stream[0]), columnLanes
	if full > 0 {
		fn(call)
	}
	if rest > 0 {
		call.tiles, call.live = 1, rest
		call.w = unsafe.Pointer(&d.stream[full*columnBlock])
		fn(call)
	}
}
