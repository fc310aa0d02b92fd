package fallback

import (
	"math"

	"edged/internal/kernel/vec"
	"edged/model"
)

// rowsF32 computes a row of floats from another one.
type rowsF32 func(k *vec.Routines, dst, src []float32)

// planUnary plans an element by element operator of one operand. rows computes
// rows of floats; quant builds the arithmetic of 8-bit values, which becomes a table
// of 256 entries, nil where TFLite has none.
func planUnary(rows rowsF32, quant func(c *opContext) (func(q int32) int32, error)) func(c *opContext) error {
	return func(c *opContext) error {
		in, out := c.in[0], c.out[0]
		if err := c.shape(0, in.shape...); err != nil {
			return err
		}
		switch {
		case isType(model.TypeFloat32, in, out):
			c.unaryF32(rows)
			return nil
		case in.quantised() && in.typ == out.typ && quant != nil:
			q, err := quant(c)
			if err != nil {
				return err
			}
			c.emitTable(tableOf(in, q))
			return nil
		case isType(model.TypeInt16, in, out) && (onI16[c.n.code.Builtin] || curveOf[c.n.code.Builtin] != nil):
			if curve := curveOf[c.n.code.Builtin]; curve != nil {
				quant = curve
			}
			q, err := quant(c)
			if err != nil {
				return err
			}
			c.unaryI16(q)
			return nil
		}
		return c.types()
	}
}

// onI16 are the operators whose arithmetic of 8-bit values TFLite has for int16 too.
var onI16 = map[model.BuiltinOperator]bool{model.OpLeakyRelu: true, model.OpRelu: true, model.OpRelu6: true, model.OpAbs: true}

// pieces cuts n elements into units of work.
func pieces(n int) int { return (n + pieceSize - 1) / pieceSize }

// cut is the range of elements of units [lo, hi) of n elements.
func cut(lo, hi, n int) (int, int) { return lo * pieceSize, min(hi*pieceSize, n) }

func (c *opContext) unaryF32(rows rowsF32) {
	in, out, k := c.in[0], c.out[0], c.p.routines.Vec
	n := in.elems()
	c.emit("pointwise f32", pieces(n), 4*n, c.in[:1], func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		rows(k, out.f32()[lo:hi], in.f32()[lo:hi])
	})
}

// each applies f along a row.
func each(f func(x float32) float32) rowsF32 {
	return func(_ *vec.Routines, dst, src []float32) {
		for i, v := range src {
			dst[i] = f(v)
		}
	}
}

// tableOf evaluates q for every stored value of t, by its low byte.
func tableOf(t *tensor, q func(v int32) int32) *[256]byte {
	var table [256]byte
	lo, hi := t.bounds()
	for v := lo; v <= hi; v++ {
		table[v&255] = byte(q(v))
	}
	return &table
}

func (c *opContext) emitTable(table *[256]byte) {
	in, out := c.in[0], c.out[0]
	n := in.elems()
	t := c.p.routines.Vec.NewTable(table)
	c.emit("table", pieces(n), n, c.in[:1], func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		t.Run(out.data[lo:hi], in.data[lo:hi])
	})
}

// quantByFloat computes an 8-bit function through floats: the value, f of it
// in float32, divided by the output's scale, rounded half away from zero.
func quantByFloat(f func(x float32) float32) func(c *opContext) (func(q int32) int32, error) {
	return func(c *opContext) (func(q int32) int32, error) {
		in, out := c.in[0], c.out[0]
		if err := c.scaled(in, out); err != nil {
			return nil, err
		}
		lo, hi := out.bounds()
		inverse := 1 / out.quant.scale[0]
		zi, zo := in.quant.zero0(), out.quant.zero0()
		return func(q int32) int32 {
			x := in.quant.scale[0] * float32(q-zi)
			v := math.Round(float64(f(x) * inverse))
			return min(max(int32(clampF64(v, -1<<20, 1<<20))+zo, lo), hi)
		}, nil
	}
}

// logistic, tanh32 and elu are for tables of 8-bit values, where the last bit decides a
// rounding: as exact as the C library's. Rows of floats have kernel's, which are faster.
func logistic(x float32) float32 { return 1 / (1 + exp32(-x)) }

// exp32 is e^x correctly rounded but for rare ties, as the C library's is.
func exp32(x float32) float32 { return float32(math.Exp(float64(x))) }

func tanh32(x float32) float32 { return float32(math.Tanh(float64(x))) }

func elu(x float32) float32 {
	if x < 0 {
		return float32(math.Expm1(float64(x)))
	}
	return x
}

func planLogistic(c *opContext) error {
	return planUnary((*vec.Routines).LogisticF32, quantByFloat(logistic))(c)
}
func planTanh(c *opContext) error { return planUnary((*vec.Routines).TanhF32, quantByFloat(tanh32))(c) }
func planElu(c *opContext) error  { return planUnary((*vec.Routines).EluF32, quantByFloat(elu))(c) }

// planRelu plans the RELU family: a clamp to [lo, hi]; quantised, a rescaling
// and a clamp.
func planRelu(lo, hi float32) func(c *opContext) error {
	most := hi
	if hi == math.MaxFloat32 {
		most = float32(math.Inf(1))
	}
	clamp := func(k *vec.Routines, dst, src []float32) { k.ClampF32(dst, src, lo, most) }
	return planUnary(clamp, func(c *opContext) (func(q int32) int32, error) {
		in, out := c.in[0], c.out[0]
		if err := c.scaled(in, out); err != nil {
			return nil, err
		}
		m := newMultiplier(float64(in.quant.scale[0] / out.quant.scale[0]))
		qlo, qhi := out.bounds()
		zi, zo, so := in.quant.zero0(), out.quant.zero0(), out.quant.scale[0]
		qlo = max(qlo, zo+int32(math.Round(float64(lo/so))))
		if hi < math.MaxFloat32 {
			qhi = min(qhi, zo+int32(math.Round(float64(hi/so))))
		}
		return func(q int32) int32 { return min(max(zo+m.apply(q-zi), qlo), qhi) }, nil
	})
}
