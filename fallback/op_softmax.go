package fallback

import (
	"math"

	"edged/internal/kernel/vec"
	"edged/model"
)

// planSoftmax plans SOFTMAX over the last dimension.
func planSoftmax(c *opContext) error {
	o, err := options[model.SoftmaxOptions](c)
	if err != nil {
		return err
	}
	in, out := c.in[0], c.out[0]
	if len(in.shape) == 0 || in.elems() == 0 {
		return c.malformed("input %v", in.shape)
	}
	if err := c.shape(0, in.shape...); err != nil {
		return err
	}
	depth := in.shape[len(in.shape)-1]
	rows := in.elems() / depth
	switch {
	case isType(model.TypeFloat32, in, out):
		c.emit("softmax f32", rows, 8*in.elems(), c.in, func(_ *worker, lo, hi int) {
			softmaxRows(c.p.routines.Vec, out.f32()[lo*depth:hi*depth], in.f32()[lo*depth:], depth, o.Beta)
		})
	case in.quantised() && out.quantised():
		return c.planSoftmaxQuant(o.Beta, rows, depth)
	case isType(model.TypeInt16, in, out):
		return c.planSoftmaxI16(o.Beta, rows, depth)
	default:
		return c.types()
	}
	return nil
}

// softmaxRows computes whole rows; of short ones many at once.
func softmaxRows(k *vec.Routines, dst, src []float32, depth int, beta float32) {
	const short = 16
	if depth < short {
		for len(dst) > 0 {
			n := min(len(dst), max(1, tileSize/depth)*depth)
			softmaxShort(k, dst[:n], src[:n], depth, beta)
			dst, src = dst[n:], src[n:]
		}
		return
	}
	for at := 0; at < len(dst); at += depth {
		row := dst[at:][:depth]
		sum := k.ExpF32(row, src[at:], k.TopF32(src[at:][:depth]), beta)
		k.ScaleF32(row, row, 1/sum)
	}
}

func softmaxShort(k *vec.Routines, dst, src []float32, depth int, beta float32) {
	for at := 0; at < len(dst); at += depth {
		row := src[at:][:depth]
		top := row[0]
		for _, v := range row {
			if v > top {
				top = v
			}
		}
		for i, v := range row {
			dst[at+i] = v - top
		}
	}
	k.ExpF32(dst, dst, 0, beta)
	for at := 0; at < len(dst); at += depth {
		row := dst[at:][:depth]
		var sum float32
		for _, v := range row {
			sum += v
		}
		factor := 1 / sum
		for i := range row {
			row[i] *= factor
		}
	}
}

// planSoftmaxQuant works on a table of e^(beta*scale*d) for every difference d
// from the largest value of a row.
func (c *opContext) planSoftmaxQuant(beta float32, rows, depth int) error {
	in, out := c.in[0], c.out[0]
	if err := c.scaled(in, out); err != nil {
		return err
	}
	var table [256]float32
	factor := -in.quant.scale[0] * beta
	for d := range table {
		table[d] = exp32(factor * float32(d))
	}
	signed := in.typ == model.TypeInt8
	lo, hi := out.bounds()
	c.emit("softmax table", rows, 4*in.elems(), c.in, func(_ *worker, from, to int) {
		for r := from; r < to; r++ {
			src, dst := in.data[r*depth:][:depth], out.data[r*depth:][:depth]
			top := byteValue(src[0], signed)
			for _, v := range src {
				top = max(top, byteValue(v, signed))
			}
			var sum float32
			for _, v := range src {
				sum += table[top-byteValue(v, signed)]
			}
			inverse := 1 / (sum * out.quant.scale[0])
			for i, v := range src {
				p := table[top-byteValue(v, signed)] * inverse
				q := int32(p+0.5) + out.quant.zero0()
				dst[i] = byte(min(max(q, lo), hi))
			}
		}
	})
	return nil
}

// planLogSoftmax plans LOG_SOFTMAX over the last dimension.
func planLogSoftmax(c *opContext) error {
	in, out := c.in[0], c.out[0]
	if len(in.shape) == 0 || in.elems() == 0 {
		return c.malformed("input %v", in.shape)
	}
	if err := c.shape(0, in.shape...); err != nil {
		return err
	}
	depth := in.shape[len(in.shape)-1]
	rows := in.elems() / depth
	switch {
	case isType(model.TypeFloat32, in, out):
		c.emit("log softmax f32", rows, 20*in.elems(), c.in, func(_ *worker, lo, hi int) {
			for r := lo; r < hi; r++ {
				logSoftmaxRow(out.f32()[r*depth:][:depth], in.f32()[r*depth:][:depth])
			}
		})
	case in.quantised() && in.typ == out.typ:
		return c.planLogSoftmaxQuant(rows, depth)
	default:
		return c.types()
	}
	return nil
}

func logSoftmaxRow(dst, src []float32) {
	top := src[0]
	for _, v := range src {
		top = max(top, v)
	}
	var sum float32
	for _, v := range src {
		sum += exp32(v - top)
	}
	log := float32(math.Log(float64(sum)))
	for i, v := range src {
		dst[i] = v - top - log
	}
}

func (c *opContext) planLogSoftmaxQuant(rows, depth int) error {
	in, out := c.in[0], c.out[0]
	if err := c.scaled(in, out); err != nil {
		return err
	}
	var table [256]float32
	for d := range table {
		table[d] = exp32(-in.quant.scale[0] * float32(d))
	}
	signed := in.typ == model.TypeInt8
	lo, hi := out.bounds()
	scale := in.quant.scale[0] / out.quant.scale[0]
	c.emit("log softmax table", rows, 4*in.elems(), c.in, func(_ *worker, from, to int) {
		for r := from; r < to; r++ {
			src, dst := in.data[r*depth:][:depth], out.data[r*depth:][:depth]
			top := byteValue(src[0], signed)
			for _, v := range src {
				top = max(top, byteValue(v, signed))
			}
			var sum float32
			for _, v := range src {
				sum += table[top-byteValue(v, signed)]
			}
			log := float32(math.Log(float64(sum)))
			shift := (in.quant.scale[0]*float32(top) + log) / out.quant.scale[0]
			for i, v := range src {
				// Half to even, as the C library's rint.
				q := int32(math.RoundToEven(float64(scale*float32(byteValue(v, signed))-shift))) + out.quant.zero0()
				dst[i] = byte(min(max(q, lo), hi))
			}
		}
	})
	return nil
}
