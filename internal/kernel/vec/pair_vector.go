package vec

import "math"

// pairConstants are the constants of a pair, each in all lanes, in the order in
// which the assembly numbers them: the last two are the other operand's factor as
// NEON wants it.
type pairConstants [14][8]int32

// pairLoop is a routine of PairBytes: of a sum, the first operand is the one
// whose factor is a half.
type pairLoop = loop[func(dst, half, other *byte, blocks int, table *pairConstants)]

// pairTable is a pair that is computed in vectors.
type pairTable struct {
	lanes pairConstants
	loop  pairLoop
	swap  bool // y is the operand of half the factor
}

// Vector says that p.Run works in vectors, and prepares it. The result's factor must
// be below a half; of a sum, one operand's must be a half, as that of the larger
// scale is, and the other's no more and not much less.
func (r *Routines) Vector(p *PairBytes) bool {
	half := Fixed{1 << 30, 0}
	t := &pairTable{swap: p.Op != MulPair && p.X != half}
	first, other := p.X, p.Y
	if t.swap {
		first, other = other, first
	}
	const least = -15
	sums := first == half && (other == half || other.Shift < 0 && other.Shift >= least)
	if t.loop = *r.pairLoop(p, t.swap); t.loop.size == 0 || p.Result.Shift >= 0 || p.Op != MulPair && !sums {
		return false
	}
	t.fill(p, other)
	p.table = t
	return true
}

// pairLoop is the routine of p; swapped, y is the operand of half the factor.
func (r *Routines) pairLoop(p *PairBytes, swapped bool) *pairLoop {
	switch {
	case p.Op == MulPair:
		return bySign(p.Signed, &r.mulBytesI8, &r.mulBytesU8)
	case p.Op == SubPair && swapped:
		return bySign(p.Signed, &r.subFromBytesI8, &r.subFromBytesU8)
	case p.Op == SubPair:
		return bySign(p.Signed, &r.subBytesI8, &r.subBytesU8)
	}
	return bySign(p.Signed, &r.addBytesI8, &r.addBytesU8)
}

// fill computes the constants. Where a shift to the right by n rounds half away
// from zero, 2^(n-1) is added before: here to a constant that is added anyway.
func (t *pairTable) fill(p *PairBytes, other Fixed) {
	first, second := p.ZeroX, p.ZeroY
	if t.swap {
		first, second = second, first
	}
	if p.Op == MulPair {
		first, second, other = twoWords(first), twoWords(second), Fixed{0, -1}
	}
	factor := other
	if other.Shift == 0 {
		other = Fixed{math.MinInt32, -1} // twice that, then a half of it: 1<<31 without its sign
	}
	m, half := uint32(other.Mul), int32(1)<<(-p.Result.Shift-1)
	for i, v := range [...]int32{first, second, int32(m >> 11), int32(m & (1<<11 - 1)), 1<<10 + 1<<(10-other.Shift), -other.Shift,
		p.Result.Mul, math.MinInt32, -p.Result.Shift, twoWords(p.Zero), twoWords(p.Lo), twoWords(p.Hi), factor.Mul, factor.Shift} {
		for lane := range t.lanes[i] {
			t.lanes[i][lane] = v
			if i == 7 && lane%2 == 1 { // 1<<31 and the half 32 bits above it, in 64 bits
				t.lanes[i][lane] = half
			}
		}
	}
}

func twoWords(v int32) int32 { return v<<16 | v&0xFFFF }

// blocks computes whole blocks and says how many bytes these are.
func (p *PairBytes) blocks(dst, x, y []byte) int {
	if p.table == nil {
		return 0
	}
	l := &p.table.loop
	b := l.blocks(len(dst))
	if p.table.swap {
		x, y = y, x
	}
	if b > 0 {
		l.fn(&dst[0], &x[0], &y[0], b, &p.table.lanes)
	}
	return b * l.size
}
