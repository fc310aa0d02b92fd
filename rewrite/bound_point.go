package rewrite

import (
	"encoding/binary"
	"math"
	"slices"

	"edged/model"
)

// boundPoint bounds the operators that work position by position.
func (n *net) boundPoint(nd *node, in []*ranges) *ranges {
	switch nd.code {
	case model.OpConcatenation:
		r := newRanges(0)
		for _, x := range in {
			r.lo, r.hi, r.err = append(r.lo, x.lo...), append(r.hi, x.hi...), append(r.err, x.err...)
		}
		return r
	case model.OpStridedSlice:
		r := newRanges(nd.span.n)
		for i := range r.lo {
			k := nd.span.begin + i*nd.span.step
			r.lo[i], r.hi[i], r.err[i] = in[0].lo[k], in[0].hi[k], in[0].err[k]
		}
		return r
	case model.OpAdd, model.OpSub, model.OpMul, model.OpMaximum, model.OpMinimum:
		return n.boundBinary(nd, in)
	case model.OpPrelu:
		return n.boundPrelu(nd, in[0])
	}
	return boundUnary(nd, in[0].copy())
}

// boundUnary bounds functions of one number: r's error times the steepest
// slope, and a few units for the function itself.
func boundUnary(nd *node, r *ranges) *ranges {
	clip := func(lo, hi, slope, own float64) *ranges {
		for i := range r.lo {
			r.lo[i], r.hi[i] = max(min(r.lo[i], hi), lo), min(max(r.hi[i], lo), hi)
			r.err[i] = r.err[i]*slope + own
		}
		return r
	}
	switch nd.code {
	case model.OpRelu:
		return clip(0, math.Inf(1), 1, 0)
	case model.OpRelu6:
		return clip(0, 6, 1, 0)
	case model.OpReluN1To1:
		return clip(-1, 1, 1, 0)
	case model.OpLogistic:
		return boundedBy(r, 0, 1, 0.25, 16*unit)
	case model.OpTanh:
		return boundedBy(r, -1, 1, 1, 16*unit)
	case model.OpSoftmax:
		worst := slices.Max(r.err)
		for i := range r.err {
			r.err[i] = worst
		}
		return boundedBy(r, 0, 1, 0.5, float64(16+len(r.err))*unit)
	case model.OpLeakyRelu, model.OpElu, model.OpHardSwish, model.OpGelu:
		for i := range r.err {
			a := r.abs(i)
			r.lo[i], r.err[i] = min(r.lo[i], -a), 1.5*r.err[i]+8*unit*max(a, 1)
		}
		return r
	case model.OpAbs, model.OpNeg:
		for i := range r.err {
			a := r.abs(i)
			r.lo[i], r.hi[i] = -a, a
		}
		return r
	}
	return nil
}

func boundedBy(r *ranges, lo, hi, slope, own float64) *ranges {
	for i := range r.lo {
		r.lo[i], r.hi[i], r.err[i] = lo, hi, r.err[i]*slope+own
	}
	return r
}

func (n *net) boundPrelu(nd *node, in *ranges) *ranges {
	if len(nd.args) < 2 {
		return nil
	}
	alpha := n.floats(nd.args[1].konst)
	if len(alpha) != 1 && len(alpha) != len(in.lo) {
		return nil
	}
	r := in.copy()
	for i := range r.lo {
		a := alpha[i%len(alpha)]
		s := max(1, math.Abs(a))
		r.err[i] = s*r.err[i] + 2*unit*s*in.abs(i)
		r.lo[i], r.hi[i] = min(in.lo[i], a*in.lo[i], 0), max(in.hi[i], a*in.lo[i], 0)
	}
	return r
}

// boundBinary bounds an elementwise operator of two maps, or a map and a
// constant per channel.
func (n *net) boundBinary(nd *node, in []*ranges) *ranges {
	ch := nd.out[0].ch
	var side [2]*ranges
	for i, k := 0, 0; i < 2 && i < len(nd.args); i++ {
		if nd.args[i].val != nil {
			side[i], k = in[k], k+1
		} else if side[i] = constRanges(n.floats(nd.args[i].konst)); side[i] == nil {
			return nil
		}
		if len(side[i].lo) != ch && len(side[i].lo) != 1 {
			return nil
		}
	}
	if side[1] == nil {
		return nil
	}
	r := newRanges(ch)
	for i := range ch {
		r.binary(nd.code, i, side[0].one(i), side[1].one(i))
	}
	return activated(r, nd.op.Options)
}

func constRanges(v []float64) *ranges {
	if v == nil {
		return nil
	}
	r := newRanges(len(v))
	copy(r.lo, v)
	copy(r.hi, v)
	return r
}

// one is channel i, or the only channel of a map that is broadcast.
func (r *ranges) one(i int) [3]float64 {
	i %= len(r.lo)
	return [3]float64{r.lo[i], r.hi[i], r.err[i]}
}

func (r *ranges) binary(code model.BuiltinOperator, i int, a, b [3]float64) {
	switch code {
	case model.OpAdd:
		r.lo[i], r.hi[i], r.err[i] = a[0]+b[0], a[1]+b[1], a[2]+b[2]
	case model.OpSub:
		r.lo[i], r.hi[i], r.err[i] = a[0]-b[1], a[1]-b[0], a[2]+b[2]
	case model.OpMul:
		p := []float64{a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]}
		r.lo[i], r.hi[i] = slices.Min(p), slices.Max(p)
		ma, mb := max(math.Abs(a[0]), math.Abs(a[1])), max(math.Abs(b[0]), math.Abs(b[1]))
		r.err[i] = ma*b[2] + mb*a[2] + a[2]*b[2]
	case model.OpMaximum:
		r.lo[i], r.hi[i], r.err[i] = max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2])
		return
	case model.OpMinimum:
		r.lo[i], r.hi[i], r.err[i] = min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2])
		return
	}
	r.err[i] += 2 * unit * (r.abs(i) + r.err[i])
}

// floats reads a constant as numbers: float32, or float16 and integers behind
// DEQUANTIZE; nil for anything else.
func (n *net) floats(t int32) []float64 {
	if t < 0 {
		return nil
	}
	src := n.g.Tensors[t]
	data := n.m.Data(src)
	switch {
	case data == nil:
		for _, op := range n.g.Operators {
			if n.m.Code(op).Builtin == model.OpDequantize && len(op.Inputs) == 1 && slices.Contains(op.Outputs, t) {
				return n.floats(op.Inputs[0])
			}
		}
		return nil
	case src.Type == model.TypeFloat32:
		out := make([]float64, len(data)/4)
		for i := range out {
			out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		}
		return out
	case src.Type == model.TypeFloat16:
		out := make([]float64, len(data)/2)
		for i := range out {
			out[i] = halfFloat(binary.LittleEndian.Uint16(data[2*i:]))
		}
		return out
	}
	return nil
}

// halfFloat is the number that a float16 holds.
func halfFloat(h uint16) float64 {
	sign, exp, frac := 1.0, int(h>>10&31), float64(h&1023)
	if h>>15 != 0 {
		sign = -1
	}
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		return math.NaN()
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

// integerNet reports whether every value of the net is a whole number that
// float32 holds exactly, given whole inputs: its outputs must agree bit for bit.
func (v *verification) integerNet() bool {
	if v.net.input.typ != model.TypeFloat32 {
		return false
	}
	for _, nd := range v.net.nodes {
		if model.ActivationOf(nd.op.Options) == model.ActTanh {
			return false
		}
		switch nd.kind {
		case kindConv, kindFlat, kindRows, kindMax, kindPad, kindCrop:
		case kindPoint:
			switch nd.code {
			case model.OpAdd, model.OpSub, model.OpMul, model.OpMaximum, model.OpMinimum, model.OpConcatenation, model.OpRelu, model.OpRelu6, model.OpStridedSlice, model.OpSplit:
			default:
				return false
			}
		default:
			return false
		}
		for _, a := range nd.args {
			if a.konst >= 0 && v.net.g.Tensors[a.konst].Type == model.TypeFloat32 && !wholeNumbers(v.net.floats(a.konst)) {
				return false
			}
		}
	}
	return v.exactlyHeld()
}

func wholeNumbers(f []float64) bool {
	return f != nil && !slices.ContainsFunc(f, func(x float64) bool { return x != math.Trunc(x) })
}

// exactlyHeld reports whether no map can leave the whole numbers of float32.
func (v *verification) exactlyHeld() bool {
	at := v.net.propagate(4)
	for _, nd := range v.net.nodes {
		for _, o := range nd.out {
			r := at[o]
			if r == nil {
				return false
			}
			for i := range r.lo {
				if r.abs(i) >= 1<<24 {
					return false
				}
			}
		}
	}
	return true
}
