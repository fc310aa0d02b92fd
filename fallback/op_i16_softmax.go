package fallback

import (
	"math"
	"math/bits"
)

// stepsI16 is the number of steps of a table over all values of int16.
const stepsI16 = 512

// tableI16 is a function of lo to hi in 15 bits, for arguments of -32768 to 32767:
// 512 values with a line between each two, each moved by half of what the line is
// off in its middle, as TFLite's tables are.
type tableI16 [stepsI16 + 1]int16

func newTableI16(f func(x float64) float64, lo, hi float64) *tableI16 {
	t := &tableI16{}
	step := (hi - lo) / stepsI16
	at := func(x float64) float64 { return f(x) * (1 << 15) }
	for i := range stepsI16 {
		x := lo + float64(i)*step
		here := math.Round(at(x))
		line := math.Round((at(lo+float64(i+1)*step) + here) / 2)
		off := math.Round((line - math.Round(at(x+step/2))) / 2)
		t[i] = int16(clampF64(here-off, math.MinInt16, math.MaxInt16))
	}
	t[stepsI16] = int16(clampF64(math.Round(at(hi)), math.MinInt16, math.MaxInt16))
	return t
}

func (t *tableI16) at(x int32) int32 {
	x = int32(saturate16(x))
	i := stepsI16/2 + x>>7
	return int32(int16(int32(t[i]) + (int32(t[i+1]-t[i])*(x&0x7f)+64)>>7))
}

// planSoftmaxI16 is SOFTMAX on int16: e^x and 1/(1+x) by tables.
func (c *opContext) planSoftmaxI16(beta float32, rows, depth int) error {
	in, out := c.in[0], c.out[0]
	if err := c.scaled(in, out); err != nil {
		return err
	}
	if in.quant.zero0() != 0 || out.quant.zero0() != 0 {
		return c.malformed("int16 with zero points %d and %d", in.quant.zero0(), out.quant.zero0())
	}
	exp := newTableI16(math.Exp, -10, 0)
	inverse := newTableI16(func(x float64) float64 { return 1 / (1 + x) }, 0, 1)
	m := newMultiplier(float64(in.quant.scale[0]*beta) / (10.0 / 65535.0))
	c.emit("softmax int16", rows, 16*in.elems(), c.in, func(_ *worker, from, to int) {
		for r := from; r < to; r++ {
			softmaxRowI16(out.i16()[r*depth:][:depth], in.i16()[r*depth:][:depth], exp, inverse, m)
		}
	})
	return nil
}

func softmaxRowI16(dst, src []int16, exp, inverse *tableI16, m multiplier) {
	top := src[0]
	for _, v := range src {
		top = max(top, v)
	}
	var sum int32
	for i, v := range src {
		e := exp.at(m.apply(int32(v)-int32(top)) + math.MaxInt16)
		dst[i] = int16(e)
		sum += e
	}
	room := bits.LeadingZeros32(uint32(sum))
	// The sum as 1 + x, in 16 bits; the table takes x as -32768 to 32767.
	one := int32((int64(sum)<<(room-1) + 1<<13) >> 14)
	scale := int64(inverse.at(one - (1<<15 + 1<<16)))
	right := 31 - room
	for i, v := range dst {
		p := int32((int64(v)*scale + 1<<(right-1)) >> right)
		dst[i] = int16(min(max(p, 0), math.MaxInt16))
	}
}
