package fallback

import (
	"math"

	"edged/internal/kernel/vec"
	"edged/model"
)

// activationF32 is the range of a fused activation on floats. Without one,
// TFLite clamps to the finite range.
func (c *opContext) activationF32(a model.Activation) (lo, hi float32, err error) {
	lo, hi = -math.MaxFloat32, math.MaxFloat32
	switch a {
	case model.ActNone:
	case model.ActRelu:
		lo = 0
	case model.ActRelu6:
		lo, hi = 0, 6
	case model.ActReluN1To1:
		lo, hi = -1, 1
	default:
		return 0, 0, c.unsupported("fused activation %v", a)
	}
	lo, hi = max(lo, c.n.fused.lo), min(hi, c.n.fused.hi)
	return lo, hi, nil
}

// activationQuant is the same in the steps of output t.
func (c *opContext) activationQuant(a model.Activation, t *tensor) (lo, hi int32, err error) {
	lo, hi = t.bounds()
	if a == model.ActNone {
		return lo, hi, nil
	}
	if !t.quant.perTensor() {
		return 0, 0, c.malformed("output %q has no scale", t.name)
	}
	step := func(v float32) int32 {
		return t.quant.zero0() + int32(clampF64(math.Round(float64(v/t.quant.scale[0])), -1<<30, 1<<30))
	}
	switch a {
	case model.ActRelu:
		lo = max(lo, step(0))
	case model.ActRelu6:
		lo, hi = max(lo, step(0)), min(hi, step(6))
	case model.ActReluN1To1:
		lo, hi = max(lo, step(-1)), min(hi, step(1))
	default:
		return 0, 0, c.unsupported("fused activation %v", a)
	}
	return lo, hi, nil
}

func clampF64(v, lo, hi float64) float64 { return math.Min(math.Max(v, lo), hi) }

// scaled demands that every tensor given is quantised as a whole.
func (c *opContext) scaled(tensors ...*tensor) error {
	for _, t := range tensors {
		if !t.quant.perTensor() {
			return c.malformed("tensor %d %q is %v without one positive scale", t.index, t.name, t.typ)
		}
		lo, hi := t.bounds()
		if z := t.quant.zero0(); z < lo || z > hi {
			return c.malformed("tensor %d %q has zero point %d", t.index, t.name, z)
		}
	}
	return nil
}

// multiplier is a real factor in fixed point.
type multiplier struct{ mul, shift int32 }

func newMultiplier(factor float64) multiplier {
	m, s := vec.QuantizeMultiplier(factor)
	return multiplier{m, s}
}

// fixed is the same for kernels.
func (m multiplier) fixed() vec.Fixed { return vec.Fixed{Mul: m.mul, Shift: m.shift} }

// apply rounds twice, the second time half away from zero.
func (m multiplier) apply(v int32) int32 { return vec.MulByQuantized(v, m.mul, m.shift) }

// byteValue reads an 8-bit value of t's type.
func byteValue(b byte, signed bool) int32 {
	if signed {
		return int32(int8(b))
	}
	return int32(b)
}
