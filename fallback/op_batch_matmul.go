package fallback

import (
	"edged"
	"edged/internal/kernel/gemm"
	"edged/model"
)

// matmul is the geometry of a batch of matrix products: a [rows, inner] times
// b [inner, cols], either of which may lie transposed.
type matmul struct {
	rows, inner, cols int
	adjX, adjY        bool
	batches           *stretch // over both operands' batches, a dimension of one behind them
	nb                int      // batches of b
}

// planBatchMatMul plans BATCH_MATMUL. The right operand is packed once where it is
// constant, else in every frame; then tiles run as in a convolution.
func planBatchMatMul(c *opContext) error {
	o, err := options[model.BatchMatMulOptions](c)
	if err != nil {
		return err
	}
	m, err := c.matmul(o)
	if err != nil {
		return err
	}
	a, b, out := c.in[0], c.in[1], c.out[0]
	switch {
	case isType(model.TypeFloat32, a, b, out):
		return c.matmulF32(m)
	case isType(model.TypeInt8, a, b, out):
		return c.matmulI8(m)
	case isType(model.TypeInt16, a, b, out):
		return c.matmulI16(m)
	case isType(model.TypeFloat32, a, out) && b.typ == model.TypeInt8:
		return c.matmulHybrid(m, o.AsymmetricQuantizeInputs)
	}
	return c.types()
}

// matmul reads and checks the shapes.
func (c *opContext) matmul(o model.BatchMatMulOptions) (*matmul, error) {
	a, b := c.in[0].shape, c.in[1].shape
	if len(a) < 2 || len(b) < 2 || product(a) == 0 || product(b) == 0 {
		return nil, c.malformed("matrices of %v and %v", a, b)
	}
	m := &matmul{adjX: o.AdjX, adjY: o.AdjY, rows: a[len(a)-2], inner: a[len(a)-1], cols: b[len(b)-1], nb: product(b[:len(b)-2])}
	inner := b[len(b)-2]
	if o.AdjX {
		m.rows, m.inner = m.inner, m.rows
	}
	if o.AdjY {
		inner, m.cols = m.cols, inner
	}
	one := func(s []int) []int { return append(append([]int{}, s[:len(s)-2]...), 1) }
	if m.batches = newStretch(one(a), one(b)); m.batches == nil || m.inner != inner {
		return nil, c.malformed("matrices of %v and %v do not multiply", a, b)
	}
	batch := m.batches.shape[:len(m.batches.shape)-1]
	return m, c.shape(0, append(append([]int{}, batch...), m.rows, m.cols)...)
}

// each calls f for batches [lo, hi) with the batches of the operands.
func (m *matmul) each(lo, hi int, f func(batch, a, b int)) {
	m.batches.each(lo, hi, func(d, _ int, at, _ [mostOperands]int) { f(d, at[0], at[1]) })
}

// place is where element (k, n) of a batch of b lies.
func (m *matmul) place(k, n int) int {
	if m.adjY {
		return n*m.inner + k
	}
	return k*m.cols + n
}

// tiling lays one product out: its rows are positions, k elements apart.
func (m *matmul) tiling() tiling {
	return tiling{images: 1, outH: 1, outW: m.rows, stepX: m.inner, taps: []int{0}, k: m.inner, groups: 1, groupIn: m.inner, cols: m.cols}
}

// upright is the left operand with its rows in memory one after the other.
func (c *opContext) upright(m *matmul) (*tensor, error) {
	in := c.in[0]
	if !m.adjX {
		return in, nil
	}
	t, err := c.scratch(int(in.bytes))
	if err != nil {
		return nil, err
	}
	t.typ, t.quant = in.typ, in.quant
	t.shape = []int{in.elems()}
	size := m.rows * m.inner
	c.emitMove(t, in, move{dims: []int{in.elems() / size, m.rows, m.inner}, ds: []int{size, m.inner, 1}, ss: []int{size, 1, m.rows}})
	return t, nil
}

// units are the batches, each in shares of so many tiles that all workers have some.
func (m *matmul) units(l *tiling) (units, share int) {
	const least = 8 // tiles, so that a share is worth its start
	share = max(least, chunk)
	return m.batches.units() * ((l.tiles() + share - 1) / share), share
}

// split finds a unit's batch and its tiles.
func (m *matmul) split(l *tiling, u, share int) (batch, lo, hi int) {
	n := (l.tiles() + share - 1) / share
	lo = u % n * share
	return u / n, lo, min(lo+share, l.tiles())
}

func (c *opContext) matmulF32(m *matmul) error {
	a, err := c.upright(m)
	if err != nil {
		return err
	}
	b, out := c.in[1], c.out[0]
	lo, hi, err := c.activationF32(model.ActNone)
	if err != nil {
		return err
	}
	f := &floatTiles{tiling: m.tiling(), lo: lo, hi: hi, mul: c.p.routines.GEMM.MulF32}
	n, cols := gemm.PackedF32(f.rows(), f.blocks()*gemm.TileCols), f.blocks()*gemm.TileCols
	reads, err := c.packedFrom(4*(m.nb*n+cols), func(t *tensor) {
		all, size := t.f32(), m.inner*m.cols
		f.weights, f.bias = all[:m.nb*n], all[m.nb*n:]
		for i := range m.nb {
			from := b.f32()[i*size:][:size]
			gemm.PackF32(f.weights[i*n:][:n], m.inner, m.cols, func(k, n int) float32 { return from[m.place(k, n)] })
		}
	}, b)
	if err != nil {
		return err
	}
	units, share := m.units(&f.tiling)
	c.emit("tile f32", units, m.batches.units()*f.work(), append(reads, a), func(w *worker, lo, hi int) {
		for u := lo; u < hi; u++ {
			batch, first, last := m.split(&f.tiling, u, share)
			m.each(batch, batch+1, func(d, i, j int) {
				one := *f
				one.weights = f.weights[j*n:][:n]
				one.run(w, out.f32()[d*m.rows*m.cols:], a.f32()[i*m.rows*m.inner:], first, last)
			})
		}
	})
	return nil
}

func (c *opContext) matmulI8(m *matmul) error {
	a, err := c.upright(m)
	if err != nil {
		return err
	}
	b, out := c.in[1], c.out[0]
	if err := c.scaled(b); err != nil {
		return err
	}
	r, err := c.requant(a, b, nil, out, m.cols, 0, model.ActNone)
	if err != nil {
		return err
	}
	area, err := c.widened(a, padded{n: 1, h: a.elems() / m.inner, w: 1, c: m.inner})
	if err != nil {
		return err
	}
	q := &quantTiles{tiling: m.tiling(), halfUp: true, mulTile: c.p.routines.GEMM.MulI16, requant: c.p.routines.GEMM.Requant, zero: r.zero, lo: r.lo, hi: r.hi}
	q.k += q.k % 2
	n, cols := gemm.PackedI16(q.rows(), q.blocks()*gemm.TileCols), q.blocks()*gemm.TileCols
	reads, err := c.packedFrom(2*m.nb*n+12*cols, func(t *tensor) {
		i32 := edged.View[int32](t.data[2*m.nb*n:])
		q.weights, q.bias, q.mul, q.shift = t.i16()[:m.nb*n], i32[:cols], i32[cols:2*cols], i32[2*cols:]
		m.packI16(q, b, n)
		q.channels(r, nil, 0, 0)
	}, b)
	if err != nil {
		return err
	}
	units, share := m.units(&q.tiling)
	c.emit("tile i16", units, m.batches.units()*q.work(), append(reads, area), func(w *worker, lo, hi int) {
		for u := lo; u < hi; u++ {
			batch, first, last := m.split(&q.tiling, u, share)
			m.each(batch, batch+1, func(d, i, j int) {
				one := *q
				one.weights = q.weights[j*n:][:n]
				one.run(w, out.data[d*m.rows*m.cols:], area.i16()[i*m.rows*m.inner:], first, last)
			})
		}
	})
	return nil
}

// packI16 packs every batch of b, its zero point taken off.
func (m *matmul) packI16(q *quantTiles, b *tensor, n int) {
	zero, size := b.quant.zero0(), m.inner*m.cols
	for i := range m.nb {
		from := b.i8()[i*size:][:size]
		gemm.PackI16(q.weights[i*n:][:n], q.rows(), m.cols, func(k, n int) int16 {
			if k >= m.inner {
				return 0
			}
			return int16(from[m.place(k, n)]) - int16(zero)
		})
	}
}

// matmulHybrid has constant int8 weights on the right, without batches: rows are
// quantised one by one, as those of a hybrid FULLY_CONNECTED.
func (c *opContext) matmulHybrid(m *matmul, asymmetric bool) error {
	if m.nb != 1 {
		return c.unsupported("int8 weights in batches beside floats")
	}
	if len(c.in[1].quant.scale) != 1 {
		return c.malformed("%d scales of the weights", len(c.in[1].quant.scale))
	}
	a, err := c.upright(m)
	if err != nil {
		return err
	}
	rows := a.elems() / m.inner
	one := window{in: 1, out: 1, k: 1, stride: 1, dilate: 1}
	s := &convShape{n: rows, c: m.inner, oc: m.cols, groups: 1, y: one, x: one}
	b := s.border()
	l := geometry(s, b.hp(), b.wp())
	l.k += l.k % 2
	return c.planHybrid(s, a, b, l, c.p.routines.GEMM.MulI16, model.ActNone, asymmetric, func(q *quantTiles) {
		m.packI16(q, c.in[1], len(q.weights))
	})
}

// matmulI16 multiplies int16 with int16 in sums of 64 bits, row by row.
func (c *opContext) matmulI16(m *matmul) error {
	a, err := c.upright(m)
	if err != nil {
		return err
	}
	b, out := c.in[1], c.out[0]
	if err := c.scaled(a, b, out); err != nil {
		return err
	}
	scale := newMultiplier(float64(a.quant.scale[0]) * float64(b.quant.scale[0]) / float64(out.quant.scale[0]))
	za, zb := int64(a.quant.zero0()), int64(b.quant.zero0())
	lo, hi := out.bounds()
	c.emit("products i16", m.batches.units()*m.rows, m.batches.units()*m.rows*m.inner*m.cols, []*tensor{a, b}, func(_ *worker, from, to int) {
		for u := from; u < to; u++ {
			batch, row := u/m.rows, u%m.rows
			m.each(batch, batch+1, func(d, i, j int) {
				left, right := a.i16()[(i*m.rows+row)*m.inner:][:m.inner], b.i16()[j*m.inner*m.cols:]
				dst := out.i16()[(d*m.rows+row)*m.cols:][:m.cols]
				for n := range dst {
					var sum int64
					for k, v := range left {
						sum += (int64(v) - za) * (int64(right[m.place(k, n)]) - zb)
					}
					dst[n] = scaleWide(sum, scale, lo, hi)
				}
			})
		}
	})
	return nil
}
