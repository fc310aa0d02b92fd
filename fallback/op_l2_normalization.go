package fallback

import (
	"math"
	"math/bits"

	"edged/internal/kernel/vec"
	"edged/model"
)

// planL2Normalization plans L2_NORMALIZATION over the last dimension.
func planL2Normalization(c *opContext) error {
	in, out := c.in[0], c.out[0]
	if len(in.shape) == 0 || in.elems() == 0 {
		return c.malformed("input %v", in.shape)
	}
	if o, err := options[model.L2NormOptions](c); err != nil || o.Activation != model.ActNone {
		return c.unsupported("fused activation")
	}
	if err := c.shape(0, in.shape...); err != nil {
		return err
	}
	depth := in.shape[len(in.shape)-1]
	rows := in.elems() / depth
	switch {
	case isType(model.TypeFloat32, in, out):
		c.emit("l2 f32", rows, 2*in.elems(), c.in, func(_ *worker, lo, hi int) {
			for r := lo; r < hi; r++ {
				l2Row(out.f32()[r*depth:][:depth], in.f32()[r*depth:][:depth])
			}
		})
	case in.quantised() && in.typ == out.typ:
		if err := c.scaled(in, out); err != nil {
			return err
		}
		signed, zero := in.typ == model.TypeInt8, in.quant.zero0()
		c.emit("l2 fixed point", rows, 2*in.elems(), c.in, func(_ *worker, lo, hi int) {
			for r := lo; r < hi; r++ {
				l2QuantRow(out.data[r*depth:][:depth], in.data[r*depth:][:depth], zero, signed)
			}
		})
	default:
		return c.types()
	}
	return nil
}

func l2Row(dst, src []float32) {
	var sum float32
	for _, v := range src {
		sum += v * v
	}
	const least = 1e-6 // of the norm, so that a row of zeros stays one
	norm := max(sqrt32(sum), least)
	for i, v := range src {
		dst[i] = v / norm
	}
}

// l2QuantRow writes values in 128ths: int8 around 0, uint8 around 128.
func l2QuantRow(dst, src []byte, zero int32, signed bool) {
	var sum int32
	for _, b := range src {
		d := byteValue(b, signed) - zero
		sum += d * d
	}
	inverse, right := inverseRoot(sum)
	for i, b := range src {
		d := byteValue(b, signed) - zero
		if signed {
			v := vec.MulByQuantized(d, inverse, 7-right)
			dst[i] = byte(min(max(v, math.MinInt8), math.MaxInt8))
			continue
		}
		v := 128 + vec.DivideByPOT(vec.DoublingHighMul(128*d, inverse), right)
		dst[i] = byte(min(max(v, 0), math.MaxUint8))
	}
}

// inverseRoot is 1/sqrt(v) as raw/2^31 / 2^right: five steps of Newton's method
// in fixed point with 28 fractional bits, from 1.
func inverseRoot(v int32) (raw, right int32) {
	if v <= 1 {
		return math.MaxInt32, 0
	}
	right = 11
	for v >= 1<<29 {
		v /= 4
		right++
	}
	pairs := int32(bits.LeadingZeros32(uint32(v))-1)/2 - 1
	right -= pairs
	v <<= 2 * pairs
	half := vec.DivideByPOT(v>>1, 1)
	const (
		one       = 1 << 28
		halfThree = one + one/2
		halfRoot2 = 1518500250 // sqrt(2)/2 with 31 fractional bits
	)
	x := int32(one)
	for range 5 {
		square := vec.DoublingHighMul(x, x)
		cube := saturate32(int64(vec.DoublingHighMul(square, x)) << 6)
		x = saturate32(int64(vec.DoublingHighMul(halfThree, x)-vec.DoublingHighMul(half, cube)) << 3)
	}
	raw = vec.DoublingHighMul(x, halfRoot2)
	if right < 0 {
		raw, right = raw<<-right, 0
	}
	return raw, right
}
