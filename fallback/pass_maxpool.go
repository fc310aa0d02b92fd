package fallback

import (
	"edged/internal/kernel/conv"
	"edged/model"
)

// deferredPool is a max pool without a step yet: the Winograd convolution that
// alone reads it computes the rows that it needs, so the pooled map is never in
// memory as a whole.
type deferredPool struct {
	c *opContext
	p *pool2D
}

// deferPool notes the max pool whose only reader is a convolution.
func (f *fuser) deferPool(i int) {
	if n := f.nodes[i]; f.is(i, model.OpMaxPool2D) {
		next, ok := f.after(n)
		n.fused.deferrable = ok && f.is(next, model.OpConv2D) && f.nodes[next].in[0] == n.out[0]
	}
}

// bare says that the pool is one of conv.PoolF32: stride 1, no padding, and
// few enough taps to be computed again where strips of rows overlap.
func (p *pool2D) bare() bool {
	const taps = 16
	return p.y.stride == 1 && p.x.stride == 1 && p.y.before == 0 && p.y.after == 0 && p.x.before == 0 && p.x.after == 0 && p.y.k*p.x.k <= taps
}

// kernel is the pool's routine.
func (p *pool2D) kernel(k *conv.Routines) *conv.PoolF32 {
	return k.NewPoolF32(p.y.k, p.x.k, p.y.dilate*p.x.in*p.c, p.x.dilate*p.c)
}

// emitDeferredPool gives the pool that t waits for, if it does, a step of its own:
// its reader does not compute it.
func (t *tensor) emitDeferredPool() {
	if t != nil && t.deferred != nil {
		t.deferred.c.emitPool(t.deferred.p)
		t.deferred = nil
	}
}

// emitPool is the step of a bare pool without activation.
func (c *opContext) emitPool(p *pool2D) {
	in, out, k := c.in[0], c.out[0], p.kernel(c.p.routines.Conv)
	c.emit("max f32", p.rows(), p.work(), []*tensor{in}, func(w *worker, lo, hi int) {
		for r := lo; r < hi; r++ {
			from := (r/p.y.out*p.y.in + r%p.y.out) * p.x.in * p.c
			k.Run(&w.direct, out.f32()[r*p.width():][:p.width()], in.f32()[from:])
		}
	})
}

// throughPool has the strips read what the pool reads, and pool it on the way.
func (st *strips) throughPool(ahead *deferredPool) {
	p := ahead.p
	st.src.Row, st.image, st.src.Pool = p.x.in*p.c, p.y.in*p.x.in*p.c, p.kernel(ahead.c.p.routines.Conv)
	st.in = ahead.c.in[0]
}
