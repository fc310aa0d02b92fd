package fallback

import "edged/model"

// planSpaceToBatchND plans SPACE_TO_BATCH_ND on NHWC or NWC: zero padding, then
// position (y, x) goes to batch (y%by)*bx + x%bx. The batch of block offset
// comes before the batch of the input.
func planSpaceToBatchND(c *opContext) error {
	in, out := c.in[0], c.out[0]
	block, pads, err := c.blocks()
	if err != nil {
		return err
	}
	shape := append([]int{}, in.shape...)
	for i, b := range block {
		total := in.shape[1+i] + pads[2*i] + pads[2*i+1]
		if total%b != 0 {
			return c.malformed("size %d is no multiple of block %d", total, b)
		}
		shape[1+i] = total / b
		shape[0] *= b
	}
	if in.typ != out.typ {
		return c.types()
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	n := out.elems()
	if product(pads2(pads)) != 1 {
		value, err := c.zeroOf(out)
		if err != nil {
			return err
		}
		c.emit("fill", pieces(n), n, c.in[:1], func(_ *worker, lo, hi int) {
			lo, hi = cut(lo, hi, n)
			value.fill(out, lo, hi)
		})
	}
	moves, _ := blockMoves(in.shape, shape, block, pads)
	c.emitMoves(out, repeatTensor(in, len(moves)), moves)
	return nil
}

// pads2 is all ones where there is no padding.
func pads2(pads []int) []int {
	r := make([]int, len(pads))
	for i, p := range pads {
		r[i] = 1 + p
	}
	return r
}

func (c *opContext) zeroOf(t *tensor) (filler, error) {
	if t.quantised() {
		return filler{bytes: [8]byte{byte(t.quant.zero0())}}, nil
	}
	return filler{}, nil
}

func repeatTensor(t *tensor, n int) []*tensor {
	list := make([]*tensor, n)
	for i := range list {
		list[i] = t
	}
	return list
}

// mostBlock bounds a block's side: nets use 2 to 32.
const mostBlock = 256

// blocks reads block sizes and paddings (or crops), two for each block.
func (c *opContext) blocks() (block, pads []int, err error) {
	if block, err = c.ints(1); err != nil {
		return nil, nil, err
	}
	if pads, err = c.ints(2); err != nil {
		return nil, nil, err
	}
	rank := len(c.in[0].shape)
	if rank < 3 || rank > 4 || len(block) != rank-2 || len(pads) != 2*len(block) {
		return nil, nil, c.malformed("input %v, block %v, paddings %v", c.in[0].shape, block, pads)
	}
	for i, b := range block {
		if b < 1 || b > mostBlock || pads[2*i] < 0 || pads[2*i+1] < 0 || max(pads[2*i], pads[2*i+1]) > 1<<28 {
			return nil, nil, c.malformed("block %v, paddings %v", block, pads)
		}
	}
	return block, pads, nil
}

// blockMoves is one strided copy for each offset within a block, between the
// tensor of whole space and the tensor of blocks in the batch: as a copy from
// space to blocks, and the same backwards. pads are the space's paddings;
// negative sizes cannot occur.
func blockMoves(space, batch, block, pads []int) (there, back []move) {
	if len(block) == 1 {
		space, batch = []int{space[0], space[1], 1, space[2]}, []int{batch[0], batch[1], 1, batch[2]}
		block, pads = []int{block[0], 1}, []int{pads[0], pads[1], 0, 0}
	}
	ss, sb := strides(space), strides(batch)
	for oy := range block[0] {
		y0, y1 := inside(oy, pads[0], block[0], space[1], batch[1])
		for ox := range block[1] {
			x0, x1 := inside(ox, pads[2], block[1], space[2], batch[2])
			if y0 >= y1 || x0 >= x1 {
				continue
			}
			m := move{
				dims: []int{space[0], y1 - y0, x1 - x0, space[3]},
				ds:   sb,
				ss:   []int{ss[0], ss[1] * block[0], ss[2] * block[1], 1},
				dst0: (oy*block[1]+ox)*space[0]*sb[0] + y0*sb[1] + x0*sb[2],
				src0: (y0*block[0]+oy-pads[0])*ss[1] + (x0*block[1]+ox-pads[2])*ss[2],
			}
			there = append(there, m)
			back = append(back, move{dims: m.dims, ds: m.ss, ss: m.ds, dst0: m.src0, src0: m.dst0})
		}
	}
	return there, back
}

// inside is the range of block rows whose position at offset o lies in a space
// of n behind a padding.
func inside(o, pad, block, n, rows int) (lo, hi int) {
	if o < pad {
		lo = (pad - o + block - 1) / block
	}
	if last := n - 1 + pad - o; last >= 0 {
		hi = min(rows, last/block+1)
	}
	return lo, hi
}

// planBatchToSpaceND plans BATCH_TO_SPACE_ND, the way back, and crops.
func planBatchToSpaceND(c *opContext) error {
	in, out := c.in[0], c.out[0]
	block, crops, err := c.blocks()
	if err != nil {
		return err
	}
	shape := append([]int{}, in.shape...)
	for i, b := range block {
		if shape[0]%b != 0 {
			return c.malformed("batch %d is no multiple of block %d", in.shape[0], product(block))
		}
		shape[0] /= b
		shape[1+i] = in.shape[1+i]*b - crops[2*i] - crops[2*i+1]
		if shape[1+i] <= 0 {
			return c.malformed("crops %v leave nothing of %v", crops, in.shape)
		}
	}
	if in.typ != out.typ {
		return c.types()
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	_, moves := blockMoves(shape, in.shape, block, crops)
	c.emitMoves(out, repeatTensor(in, len(moves)), moves)
	return nil
}

// planSpaceToDepth plans SPACE_TO_DEPTH: blocks become channels, row by row.
func planSpaceToDepth(c *opContext) error {
	o, err := options[model.SpaceToDepthOptions](c)
	if err != nil {
		return err
	}
	in, b := c.in[0].shape, int(o.BlockSize)
	if len(in) != 4 || b < 1 || in[1]%b != 0 || in[2]%b != 0 {
		return c.malformed("input %v, block %d", in, b)
	}
	if c.in[0].typ != c.out[0].typ {
		return c.types()
	}
	if err := c.shape(0, in[0], in[1]/b, in[2]/b, in[3]*b*b); err != nil {
		return err
	}
	dims, ds, ss := depthStrides(in, b)
	c.emitMove(c.out[0], c.in[0], move{dims: dims, ds: ds, ss: ss})
	return nil
}

// depthStrides views a space [n, h, w, c] as [n, h/b, b, w/b, b*c], with its
// strides and those of the same elements in the depth form.
func depthStrides(space []int, b int) (dims, depth, flat []int) {
	n, h, w, c := space[0], space[1]/b, space[2]/b, space[3]
	row := b * c
	return []int{n, h, b, w, row},
		[]int{h * w * b * row, w * b * row, row, b * row, 1},
		[]int{h * b * w * row, b * w * row, w * row, row, 1}
}

// planDepthToSpace plans DEPTH_TO_SPACE, the way back.
func planDepthToSpace(c *opContext) error {
	o, err := options[model.DepthToSpaceOptions](c)
	if err != nil {
		return err
	}
	in, b := c.in[0].shape, int(o.BlockSize)
	if len(in) != 4 || b < 1 || b > 1<<15 || in[3]%(b*b) != 0 {
		return c.malformed("input %v, block %d", in, b)
	}
	if c.in[0].typ != c.out[0].typ {
		return c.types()
	}
	shape := []int{in[0], in[1] * b, in[2] * b, in[3] / (b * b)}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	dims, depth, flat := depthStrides(shape, b)
	c.emitMove(c.out[0], c.in[0], move{dims: dims, ds: flat, ss: depth})
	return nil
}
