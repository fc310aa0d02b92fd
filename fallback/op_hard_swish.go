package fallback

import (
	"math"

	"edged/internal/kernel/vec"
)

// planHardSwish plans HARD_SWISH, x * relu6(x+3) / 6; quantised in 16-bit
// fixed point.
func planHardSwish(c *opContext) error {
	return planUnary((*vec.Routines).HardSwishF32, quantHardSwish)(c)
}

// hardSwishBits is how far the input is shifted to the left to gain precision.
const hardSwishBits = 7

// quantHardSwish repeats TFLite's arithmetic: the input with seven more bits,
// once scaled to the output and once to 32768/3, where saturation is the
// clamp; then their product.
func quantHardSwish(c *opContext) (func(q int32) int32, error) {
	in, out := c.in[0], c.out[0]
	if err := c.scaled(in, out); err != nil {
		return nil, err
	}
	fine := in.quant.scale[0] / (1 << hardSwishBits)
	toOut := newMultiplier(float64(fine / out.quant.scale[0]))
	toRelu := newMultiplier(float64(fine / (3.0 / 32768)))
	if toOut.shift > 0 {
		return nil, c.unsupported("output scale %g for input scale %g", out.quant.scale[0], in.quant.scale[0])
	}
	outMul, reluMul := narrow(toOut.mul), narrow(toRelu.mul)
	lo, hi := out.bounds()
	zi, zo := in.quant.zero0(), out.quant.zero0()
	return func(q int32) int32 {
		x := int16((q - zi) << hardSwishBits)
		gate := x
		if toRelu.shift > 0 {
			gate = saturatingShift(gate, toRelu.shift-1)
		}
		gate = doublingHighMul16(gate, reluMul)
		if toRelu.shift > 0 {
			gate = saturatingShift(gate, 1)
		} else if toRelu.shift < 0 {
			gate = int16(vec.DivideByPOT(int32(gate), -toRelu.shift))
		}
		gate = int16((int32(gate) + 1<<15) >> 1)
		product := int32(gate) * int32(doublingHighMul16(x, outMul)) / (1 << 15)
		return min(max(vec.DivideByPOT(product, -toOut.shift)+zo, lo), hi)
	}, nil
}

// narrow rounds a 32-bit multiplier to 16 bits.
func narrow(m int32) int16 {
	if m >= math.MaxInt32-1<<15 {
		return math.MaxInt16
	}
	return int16((m + 1<<15) >> 16)
}

// doublingHighMul16 is 2*a*b / 2^16, rounded half up, saturated.
func doublingHighMul16(a, b int16) int16 {
	if a == math.MinInt16 && b == math.MinInt16 {
		return math.MaxInt16
	}
	return int16((int32(a)*int32(b) + 1<<14) >> 15)
}

func saturatingShift(v int16, n int32) int16 {
	return int16(min(max(int64(v)<<n, math.MinInt16), math.MaxInt16))
}
