package fallback

import (
	"math"

	"edged/internal/kernel/vec"
	"edged/model"
)

// curveBits are the fractional bits of int16 inputs of LOGISTIC and TANH as
// TFLite reads them: -8 to 8.
const curveBits = 12

// curveQuant checks the quantisation that TFLite asks of LOGISTIC and TANH on
// int16, and gives the shift that an input scale of a power of two stands for.
func (c *opContext) curveQuant() (shift int32, power bool, err error) {
	in, out := c.in[0], c.out[0]
	if err := c.scaled(in, out); err != nil {
		return 0, false, err
	}
	if e, near := log2(out.quant.scale[0]); !near || e != -15 || in.quant.zero0() != 0 || out.quant.zero0() != 0 {
		return 0, false, c.malformed("int16 with zero points %d and %d and an output scale of %g: want 0, 0 and 1/32768", in.quant.zero0(), out.quant.zero0(), out.quant.scale[0])
	}
	e, power := log2(in.quant.scale[0])
	return e + curveBits, power, nil
}

// i16Logistic is LOGISTIC on int16: in fixed point where the scale is 1/4096, else
// by a table.
func i16Logistic(c *opContext) (func(q int32) int32, error) {
	shift, power, err := c.curveQuant()
	if err != nil {
		return nil, err
	}
	if power && shift == 0 {
		return func(q int32) int32 { return int32(logisticQ(int16(q))) }, nil
	}
	t := newCurve(c.in[0].quant.scale[0])
	return func(q int32) int32 {
		x, at := t.scaled(q)
		at, between := at>>1, at&0x1ff // half of where TANH looks: tanh x is 2 sigmoid 2x - 1
		v := uint32(0x7fff << 10)
		if i := at >> 8; i < 255 {
			v = t.sigmoid[i]<<9 + between*(t.sigmoid[i+1]-t.sigmoid[i])
		}
		if x < 0 {
			v = 1<<25 - v - 1
		}
		return int32(int16((v + 1<<9) >> 10))
	}, nil
}

// i16Tanh is TANH on int16, likewise.
func i16Tanh(c *opContext) (func(q int32) int32, error) {
	shift, power, err := c.curveQuant()
	if err != nil {
		return nil, err
	}
	if power && (shift == 0 || shift == 1) {
		return func(q int32) int32 { return int32(tanhQ(saturate16(q << shift))) }, nil
	}
	t := newCurve(c.in[0].quant.scale[0])
	return func(q int32) int32 {
		x, at := t.scaled(q)
		v := int32(0xffff << 8)
		if i := at >> 8; i < 255 {
			v = int32(t.sigmoid[i]<<8 + at&0xff*(t.sigmoid[i+1]-t.sigmoid[i]))
		}
		v -= 1 << 23
		if x < 0 {
			v = -v - 1
		}
		return int32(int16((v + 1<<7) >> 8))
	}, nil
}

// curve is the sigmoid of 0 to 10.7 in 256 steps, in 16 bits, and the factor that
// brings an input to it: 2^17 stands for 10.7.
type curve struct {
	sigmoid    [256]uint32
	mul, right int32
}

// raised are the places at which TFLite's table is one more than the sigmoid
// rounded, so that the lines between lie nearer: its TANH at a scale of 1/6144 tells
// the table's values.
var raised = [...]uint8{4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46, 49, 50, 54,
	62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255}

func newCurve(scale float32) *curve {
	t := &curve{}
	for i := range t.sigmoid {
		t.sigmoid[i] = uint32(min(math.Round(65536/(1+math.Exp(-float64(i)/24))), 65535))
	}
	for _, i := range raised {
		t.sigmoid[i]++
	}
	mul := float64(scale) * 3 * (1 << curveBits)
	for mul <= 32767.0/2 && t.right <= 30 {
		t.right++
		mul *= 2
	}
	t.mul = int32(mul)
	return t
}

// scaled is an input at the table's scale, and its magnitude.
func (t *curve) scaled(q int32) (x int32, magnitude uint32) {
	half := int32(0)
	if t.right > 0 {
		half = 1 << (t.right - 1)
	}
	x = (q*t.mul + half) >> t.right
	return x, uint32(max(x, -x))
}

// The fixed-point arithmetic of 16 bits that TFLite uses where a scale is a power of
// two. Numbers are named by their fractional bits.

func saturate16(v int32) int16 { return int16(min(max(v, math.MinInt16), math.MaxInt16)) }

// mulQ is the doubled high half of a product, rounded half away from zero.
func mulQ(a, b int16) int16 {
	if a == b && a == math.MinInt16 {
		return math.MaxInt16
	}
	p := int32(a) * int32(b)
	half := int32(1 << 14)
	if p < 0 {
		half = 1 - half
	}
	return int16((p + half) / (1 << 15))
}

// halfSumQ is (a+b)/2, half away from zero.
func halfSumQ(a, b int16) int16 {
	sum := int32(a) + int32(b)
	if sum >= 0 {
		return int16((sum + 1) / 2)
	}
	return int16((sum - 1) / 2)
}

// shiftQ divides by a power of two, half away from zero.
func shiftQ(a int16, by int32) int16 { return int16(vec.DivideByPOT(int32(a), by)) }

// timesQ multiplies by a power of two and saturates.
func timesQ(a int16, by int32) int16 { return saturate16(int32(a) << by) }

// expQ15 are the factors e^-(2^i/4), in 15 bits.
var expQ15 = [...]struct {
	bit int16 // of a number of 11 fractional bits
	by  int16
}{{1 << 9, 25520}, {1 << 10, 19875}, {1 << 11, 12055}, {1 << 12, 4435}, {1 << 13, 600}, {1 << 14, 11}}

// expNegative is e^x of a negative number with frac fractional bits, in 15 bits.
func expNegative(x int16, frac int) int16 {
	if x == 0 {
		return math.MaxInt16
	}
	quarter := int16(1) << (frac - 2)
	part := x&(quarter-1) - quarter // of -1/4 to 0
	v := expQuarter(timesQ(part, int32(15-frac)))
	rest := part - x
	for _, e := range expQ15 {
		bit := int32(e.bit) << frac >> 11
		if bit < 1<<15 && int32(rest)&bit != 0 {
			v = mulQ(v, e.by)
		}
	}
	return v
}

// expQuarter is e^x for x of -1/4 to 0, by a polynomial around -1/8.
func expQuarter(x int16) int16 {
	const eighth, third = 28918, 10923 // e^-1/8 and 1/3
	x += 1 << 12
	x2 := mulQ(x, x)
	x3, x4 := mulQ(x2, x), mulQ(x2, x2)
	rest := shiftQ(mulQ(shiftQ(x4, 2)+x3, third)+x2, 1)
	return saturate16(eighth + int32(mulQ(eighth, x+rest)))
}

// reciprocalQ13 is 2/(1+x) for x of 0 to 1 in 15 bits, in 13 bits, by Newton's steps.
func reciprocalQ13(x int16) int16 {
	half := halfSumQ(x, math.MaxInt16)
	const c48, c32 = 23130, -15420 // 48/17 and -32/17 in 13 bits
	v := int16(c48) + mulQ(half, c32)
	for range 3 {
		left := int16(1<<13) - mulQ(half, v)
		v += timesQ(mulQ(v, left), 2)
	}
	return v
}

// logisticQ is the sigmoid of a number of 12 fractional bits, in 15 bits.
func logisticQ(x int16) int16 {
	switch {
	case x == 0:
		return 1 << 14
	case x > 0:
		return timesQ(reciprocalQ13(expNegative(-x, 12)), 1)
	}
	return math.MaxInt16 - timesQ(reciprocalQ13(expNegative(x, 12)), 1)
}

// tanhQ is the hyperbolic tangent, likewise.
func tanhQ(x int16) int16 {
	switch {
	case x == 0:
		return 0
	case x > 0:
		return timesQ(reciprocalQ13(expNegative(-x, 11))-1<<13, 2)
	}
	return -timesQ(reciprocalQ13(expNegative(x, 11))-1<<13, 2)
}

// curveOf are the functions of int16 by operator.
var curveOf = map[model.BuiltinOperator]func(c *opContext) (func(q int32) int32, error){
	model.OpLogistic: i16Logistic, model.OpTanh: i16Tanh,
}
