//go:build amd64 && !purego

package vec

import (
	"math"

	"edged/internal/kernel/cpu"
)

// pairBlock is what one pass of the loops in pair_bytes_amd64.s handles.
const pairBlock = 16

// pairTable holds the constants of a pair, each in all lanes. The assembly knows
// their order.
type pairTable struct {
	lanes [12][8]int32
	fn    func(dst, x, y *byte, blocks int, table *[12][8]int32)
	swap  bool // y is the operand of half the factor
}

//go:noescape
func addBytesI8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)

//go:noescape
func addBytesU8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)

//go:noescape
func subBytesI8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)

//go:noescape
func subBytesU8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)

//go:noescape
func subFromBytesI8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)

//go:noescape
func subFromBytesU8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)

//go:noescape
func mulBytesI8AVX2(dst, x, y *byte, blocks int, table *[12][8]int32)

//go:noescape
func mulBytesU8AVX2(dst, x, y *byte, blocks int, table *[12][8]int32)

// Vector says that Run works in vectors, and prepares it. The result's factor must
// be below a half; of a sum, one operand's must be a half, as that of the larger
// scale is, and the other's no more and not much less.
func (p *PairBytes) Vector() bool {
	half := Fixed{1 << 30, 0}
	t := &pairTable{swap: p.Op != MulPair && p.X != half}
	first, other := p.X, p.Y
	if t.swap {
		first, other = other, first
	}
	const least = -15
	sums := first == half && (other == half || other.Shift < 0 && other.Shift >= least)
	if cpu.Active() == cpu.Generic || p.Result.Shift >= 0 || p.Op != MulPair && !sums {
		return false
	}
	if other.Shift == 0 {
		other = Fixed{math.MinInt32, -1} // twice that, then a half of it: 1<<31 without its sign
	}
	t.choose(p)
	t.fill(p, other)
	p.table = t
	return true
}

func (t *pairTable) choose(p *PairBytes) {
	list := [2]func(dst, x, y *byte, blocks int, table *[12][8]int32){addBytesU8AVX2, addBytesI8AVX2}
	switch {
	case p.Op == MulPair:
		list[0], list[1] = mulBytesU8AVX2, mulBytesI8AVX2
	case p.Op == SubPair && t.swap:
		list[0], list[1] = subFromBytesU8AVX2, subFromBytesI8AVX2
	case p.Op == SubPair:
		list[0], list[1] = subBytesU8AVX2, subBytesI8AVX2
	}
	t.fn = list[0]
	if p.Signed {
		t.fn = list[1]
	}
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
	m, half := uint32(other.Mul), int32(1)<<(-p.Result.Shift-1)
	for i, v := range [...]int32{first, second, int32(m >> 11), int32(m & (1<<11 - 1)), 1<<10 + 1<<(10-other.Shift), -other.Shift,
		p.Result.Mul, math.MinInt32, -p.Result.Shift, twoWords(p.Zero), twoWords(p.Lo), twoWords(p.Hi)} {
		for lane := range t.lanes[i] {
			t.lanes[i][lane] = v
			if i == 7 && lane%2 == 1 { // 1<<31 and the half 32 bits above it, in 64 bits
				t.lanes[i][lane] = half
			}
		}
	}
}

func twoWords(v int32) int32 { return v<<16 | v&0xFFFF }

// run handles whole blocks and returns how many bytes these are.
func (p *PairBytes) run(dst, x, y []byte) int {
	blocks := len(dst) / pairBlock
	if p.table == nil || cpu.Active() == cpu.Generic || blocks == 0 {
		return 0
	}
	if p.table.swap {
		x, y = y, x
	}
	p.table.fn(&dst[0], &x[0], &y[0], blocks, &p.table.lanes)
	return blocks * pairBlock
}
