package conv

import (
	"math"
	"unsafe"

	"edged/internal/kernel/cpu"
)

// Of a depthColumns: channels of a block, and parts of its stream in int32s.
const (
	columnLanes   = 64
	columnWeights = columnLanes
	columnRequant = columnWeights + 3*columnLanes
	columnClamps  = columnRequant + requantRows*columnLanes
	columnRest    = columnClamps + 4*columnLanes/4
	columnBlock   = columnRest + 3*columnLanes // without a rest of weights: columnRest
)

// depthColumns is a DepthwiseI8 with up to three rows of three taps, for
// routines that make each column of three pixels of the source one dword a
// channel and compute a row of windows, each column for all windows that it is
// part of. A last block of at most 32 channels computes two rows at a time.
type depthColumns struct {
	table  *convTableI8
	shape  ConvShape
	rows   [3]int // bytes from a window's first row
	reach  int
	flip   uint8
	block  int     // elements of stream that one block takes
	stream []int32 // [block][bias | weights of three columns | requant constants | zero point, clamp and back, a vector each | rest of the weights]
}

// newDepthColumns is nil where k has no routines or these do not take the kernels.
func newDepthColumns(k *convKernelI8, s ConvShape, w []int8, bias []int32, p ConvI8Params) *depthColumns {
	if k.columns[0][0][0] == nil || s.KH > 3 || s.KW != 3 {
		return nil
	}
	least, most := p.extremes(w)
	if most > 2*math.MaxInt8 {
		return nil
	}
	d := &depthColumns{shape: s, reach: (s.KH-1)*s.DY*s.Row + 2*s.DX*s.Pix + s.IC, block: columnRest}
	tables := &k.columns[0]
	if least < math.MinInt8 || most > math.MaxInt8 {
		tables, d.block = &k.columns[1], columnBlock
	}
	d.table = &tables[1]
	if p.Lo >= p.DstZero {
		d.table = &tables[0] // where negative halves go makes no difference
	}
	if p.Signed {
		p.SrcZero, d.flip = p.SrcZero+128, 128
	}
	for y := range s.KH {
		d.rows[y] = y * s.DY * s.Row
	}
	d.stream = make([]int32, cpu.RoundUp(s.OC, columnLanes)/columnLanes*d.block)
	for c := range s.OC {
		d.pack(k, c, w, bias, &p)
	}
	d.clamps(k.result(&p))
	return d
}

// extremes are the least and the greatest of the weights w less their zero point.
func (p *ConvI8Params) extremes(w []int8) (least, most int32) {
	for _, v := range w {
		least, most = min(least, p.weight(v)), max(most, p.weight(v))
	}
	return least, most
}

// clamps writes what follows scaling, a vector each in every block.
func (d *depthColumns) clamps(zero, lo, hi int32, back uint8) {
	const vector = columnLanes / 4
	for at := columnClamps; at < len(d.stream); at += d.block {
		for i := range vector {
			d.stream[at+i] = zero<<16 | zero&0xFFFF
			for row, b := range [...]uint8{uint8(lo), uint8(hi), back} {
				d.stream[at+vector*(1+row)+i] = int32(uint32(b) * 0x01010101)
			}
		}
	}
}

// pack lays out channel c in its block, for both rows where there are two.
func (d *depthColumns) pack(k *convKernelI8, c int, w []int8, bias []int32, p *ConvI8Params) {
	d.packLane(k, c, columnLane(c%columnLanes), w, bias, p)
	if c/columnLanes*columnLanes+columnLanes/2 >= d.shape.OC {
		d.packLane(k, c, columnLane(c%columnLanes+columnLanes/2), w, bias, p)
	}
}

func (d *depthColumns) packLane(k *convKernelI8, c, lane int, w []int8, bias []int32, p *ConvI8Params) {
	block, sum := d.stream[c/columnLanes*d.block:], int32(0)
	for t := range 3 * d.shape.KH {
		v, at := p.weight(w[t*d.shape.OC+c]), t%3*columnLanes+lane
		whole := min(max(v, math.MinInt8), math.MaxInt8)
		block[columnWeights+at] |= whole & 0xFF << (t / 3 * 8)
		if d.block == columnBlock {
			block[columnRest+at] |= (v - whole) & 0xFF << (t / 3 * 8)
		}
		sum += v
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
	for x := range min(step, cols) {
		k.i8.kc = (cols - x + step - 1) / step
		d.blocks(&k.i8, stride, Plane[uint8]{dst.P[x*dst.Pix:], dst.Row, 0}, Plane[uint8]{src.P[x*src.Pix:], src.Row, 0}, rows)
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

// blocks computes rows of windows: full blocks of channels, then the rest.
func (d *depthColumns) blocks(call *convCallI8, stride int, dst, src Plane[uint8], rows int) {
	call.w, call.live = unsafe.Pointer(&d.stream[0]), columnLanes
	full, rest := d.shape.OC/columnLanes, d.shape.OC%columnLanes
	for y := 0; y < rows && full > 0; y++ {
		d.row(call, d.table[1][stride], dst, src, y, 0, full)
	}
	if rest == 0 {
		return
	}
	call.w, call.live = unsafe.Pointer(&d.stream[full*d.block]), rest
	if rest > columnLanes/2 {
		for y := range rows {
			d.row(call, d.table[1][stride], dst, src, y, full*columnLanes, 1)
		}
		return
	}
	for y := 0; y < rows; y += 2 {
		if call.srcBelow, call.dstBelow = src.Row, dst.Row; y+1 == rows {
			call.srcBelow, call.dstBelow = 0, 0 // the same row twice
		}
		d.row(call, d.table[0][stride], dst, src, y, full*columnLanes, 1)
	}
}

// row computes a number of blocks, from channel first on, of row y.
func (d *depthColumns) row(call *convCallI8, fn func(*convCallI8), dst, src Plane[uint8], y, first, blocks int) {
	call.src = unsafe.Pointer(&src.P[y*src.Row+first])
	call.dst = unsafe.Pointer(&dst.P[y*dst.Row+first])
	call.tileSteps = tileSteps{tiles: blocks, srcStep: columnLanes, dstStep: columnLanes}
	fn(call)
}
