package vec

// Table is a function of 8-bit values, given by its 256 results.
type Table struct {
	r      *Routines
	values [256]byte
	// steps holds the same in pieces of 16, each but the first of either half
	// XORed with the one before: what the assembly looks up in one piece after the
	// other adds up to the piece that a value belongs to.
	steps [256]byte
}

// NewTable keeps no reference to values.
func (r *Routines) NewTable(values *[256]byte) *Table {
	t := &Table{r: r, values: *values, steps: *values}
	for i := range t.steps {
		if i%128 >= 16 {
			t.steps[i] ^= values[i-16]
		}
	}
	return t
}

// Run computes dst[i] = t(src[i]).
func (t *Table) Run(dst, src []byte) {
	dst = dst[:len(src)]
	if b := t.r.table.blocks(len(src)); b > 0 {
		t.r.table.fn(&dst[0], &src[0], b, t)
		n := b * t.r.table.size
		dst, src = dst[n:], src[n:]
	}
	for i, v := range src {
		dst[i] = t.values[v]
	}
}
