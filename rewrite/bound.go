package rewrite

import (
	"math"

	"edged/model"
)

// ranges bounds one map per channel: its values, and how far two computations
// of it that sum in different orders can lie apart.
type ranges struct{ lo, hi, err []float64 }

func newRanges(n int) *ranges {
	return &ranges{make([]float64, n), make([]float64, n), make([]float64, n)}
}

// unit is float32's rounding error, u of the theory.
const unit = 1.0 / (1 << 24)

// gamma bounds the relative error of a sum of k products.
func gamma(k int) float64 { return float64(k) * unit / (1 - float64(k)*unit) }

// propagate bounds every map of the net for inputs in [-limit, limit]. A map
// behind an operator that it does not know is missing.
func (n *net) propagate(limit float64) map[*value]*ranges {
	in := newRanges(n.input.ch)
	for i := range in.lo {
		in.lo[i], in.hi[i] = -limit, limit
	}
	at := map[*value]*ranges{n.input: in}
	if n.input.typ != model.TypeFloat32 {
		delete(at, n.input)
	}
	for _, nd := range n.nodes {
		var args []*ranges
		for _, m := range nd.maps() {
			if at[m] != nil {
				args = append(args, at[m])
			}
		}
		if len(args) != len(nd.maps()) || nd.out[0].typ != model.TypeFloat32 {
			n.restart(nd, at)
			continue
		}
		if r := n.boundNode(nd, args); r != nil && len(r.lo) == nd.out[0].ch && len(nd.out) == 1 {
			at[nd.out[0]] = r
		}
	}
	return at
}

// restart gives a dequantised map the range of its integers and no error:
// integers are the same in both computations.
func (n *net) restart(nd *node, at map[*value]*ranges) {
	if nd.code != model.OpDequantize || len(nd.maps()) != 1 {
		return
	}
	q := nd.maps()[0].quant
	if q == nil || len(q.Scale) != 1 || len(q.ZeroPoint) != 1 {
		return
	}
	r := newRanges(nd.out[0].ch)
	for i := range r.lo {
		r.lo[i], r.hi[i] = -256*float64(q.Scale[0]), 256*float64(q.Scale[0])
	}
	at[nd.out[0]] = r
}

func (n *net) boundNode(nd *node, in []*ranges) *ranges {
	switch nd.kind {
	case kindConv, kindFlat, kindRows:
		return n.boundProducts(nd, in[0])
	case kindMax, kindCrop:
		return activated(in[0].copy(), nd.op.Options)
	case kindPad:
		if nd.channelPad != (pair{}) {
			return nil
		}
		return in[0].withZero()
	case kindMean, kindAverage, kindGlobal:
		r := in[0].withZero()
		k := nd.win.k.area()
		for i := range r.err {
			r.err[i] += 2 * gamma(k+2) * r.abs(i)
		}
		return activated(r, nd.op.Options)
	case kindPoint:
		return n.boundPoint(nd, in)
	}
	return nil
}

func (r *ranges) copy() *ranges {
	c := newRanges(len(r.lo))
	copy(c.lo, r.lo)
	copy(c.hi, r.hi)
	copy(c.err, r.err)
	return c
}

func (r *ranges) withZero() *ranges {
	c := r.copy()
	for i := range c.lo {
		c.lo[i], c.hi[i] = min(c.lo[i], 0), max(c.hi[i], 0)
	}
	return c
}

func (r *ranges) abs(i int) float64 { return max(math.Abs(r.lo[i]), math.Abs(r.hi[i])) }

// boundProducts is e_out <= |W| e_in + 2 gamma_K (|W||x| + |b|).
func (n *net) boundProducts(nd *node, in *ranges) *ranges {
	w := n.floats(nd.args[1].konst)
	if w == nil {
		return nil
	}
	out := newRanges(nd.out[0].ch)
	var bias []float64
	if len(nd.args) > 2 && nd.args[2].konst >= 0 {
		bias = n.floats(nd.args[2].konst)
	}
	in = in.withZero()
	taps := 0
	for i, x := range w {
		o, c := nd.weightAt(i, len(w), in, out)
		if o < 0 {
			return nil
		}
		if o == 0 {
			taps++
		}
		a := math.Abs(x)
		out.lo[o] += min(x*in.lo[c], x*in.hi[c])
		out.hi[o] += max(x*in.lo[c], x*in.hi[c])
		out.err[o] += a*in.err[c] + 2*gammaGuess(len(w), len(out.lo))*a*in.abs(c)
	}
	for o := range out.lo {
		b := 0.0
		if o < len(bias) {
			b = bias[o]
		}
		out.lo[o] += b
		out.hi[o] += b
		out.err[o] += 2 * gammaGuess(len(w), len(out.lo)) * math.Abs(b)
	}
	return activated(out, nd.op.Options)
}

// gammaGuess is gamma for the number of products in one output: all weights
// over all outputs, and the bias.
func gammaGuess(weights, outputs int) float64 { return gamma(weights/max(outputs, 1) + 1) }

// weightAt gives the output and input channel of weight i, -1 where the shapes
// are not understood.
func (nd *node) weightAt(i, total int, in, out *ranges) (o, c int) {
	cin, cout := len(in.lo), len(out.lo)
	if nd.code == model.OpDepthwiseConv2D {
		o = i % cout
		return o, o * cin / cout
	}
	per := total / cout
	o, c = i/per, i%per
	if nd.args[1].perm != nil { // flattened with the channels first
		return o, min(c/max(per/cin, 1), cin-1)
	}
	group := per / nd.win.k.area()
	if nd.kind == kindFlat || group == cin {
		return o, c % cin
	}
	if group == 0 || cin%group != 0 {
		return -1, 0
	}
	groups := cin / group
	return o, o*groups/cout*group + c%group
}

// activated applies a fused activation, which never lengthens an error.
func activated(r *ranges, options any) *ranges {
	lo, hi := math.Inf(-1), math.Inf(1)
	switch model.ActivationOf(options) {
	case model.ActRelu:
		lo = 0
	case model.ActRelu6:
		lo, hi = 0, 6
	case model.ActReluN1To1:
		lo, hi = -1, 1
	case model.ActTanh:
		for i := range r.err {
			r.lo[i], r.hi[i], r.err[i] = -1, 1, r.err[i]+16*unit
		}
	}
	for i := range r.lo {
		r.lo[i], r.hi[i] = min(max(r.lo[i], lo), hi), min(max(r.hi[i], lo), hi)
	}
	return r
}
