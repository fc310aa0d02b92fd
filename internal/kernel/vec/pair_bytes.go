package vec

// Fixed is the real factor Mul * 2^(Shift-31), as QuantizeMultiplier writes it.
type Fixed struct{ Mul, Shift int32 }

// Apply rounds twice, the second time half away from zero.
func (f Fixed) Apply(v int32) int32 { return MulByQuantized(v, f.Mul, f.Shift) }

// SumShift is how far TFLite shifts the operands of quantised sums to the left, to
// lose nothing in the first rescaling.
const SumShift = 20

// PairBytes is the sum, difference or product of 8-bit values as TFLite computes
// it in fixed point; x and y without their zero points:
//
//	clamp(Zero + Result.Apply(X.Apply(x << SumShift) ± Y.Apply(y << SumShift)))
//	clamp(Zero + Result.Apply(x * y))
type PairBytes struct {
	Op           PairF32 // AddPair, SubPair or MulPair
	Signed       bool
	X, Y, Result Fixed // of a sum, X and Y at most a half
	ZeroX, ZeroY int32
	Zero, Lo, Hi int32
	table        *pairTable
}

// Value is the result for the values x and y.
func (p *PairBytes) Value(x, y int32) int32 {
	x, y = x-p.ZeroX, y-p.ZeroY
	v := x * y
	if p.Op != MulPair {
		v = p.Y.Apply(y << SumShift)
		if p.Op == SubPair {
			v = -v
		}
		v += p.X.Apply(x << SumShift)
	}
	return min(max(p.Result.Apply(v)+p.Zero, p.Lo), p.Hi)
}

// Run computes a row of results. dst may be x or y.
func (p *PairBytes) Run(dst, x, y []byte) {
	x, y = x[:len(dst)], y[:len(dst)]
	n := p.blocks(dst, x, y)
	for i := n; i < len(dst); i++ {
		if p.Signed {
			dst[i] = byte(p.Value(int32(int8(x[i])), int32(int8(y[i]))))
		} else {
			dst[i] = byte(p.Value(int32(x[i]), int32(y[i])))
		}
	}
}
