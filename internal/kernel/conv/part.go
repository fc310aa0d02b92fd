package conv

// Part is c for one of n parts of its output channels, with c's weights: what several
// threads compute of the same pixels when weights, not pixels, are what there is much
// of. No part writes what belongs to another.
func (c *ConvF32) Part(i, n int) RunnerF32 {
	p := *c
	p.blocks, p.exact = partOf(c.blocks, i, n), true
	return &p
}

// Part is ConvF32.Part.
func (c *ConvI8) Part(i, n int) RunnerI8 {
	p := *c
	if c.i16 != nil {
		wide := *c.i16
		wide.blocks = partOf(wide.blocks, i, n)
		p.i16 = &wide
		return &p
	}
	p.blocks = partOf(c.blocks, i, n)
	return &p
}

func partOf(blocks []convBlock, i, n int) []convBlock {
	return blocks[len(blocks)*i/n : len(blocks)*(i+1)/n]
}
