package fallback

import (
	"edged"
	"edged/internal/kernel/gemm"
	"edged/model"
)

// transposed is the geometry of a transposed convolution. Output position o
// gets input i through tap k where o + before = i*stride + k. The outputs of
// one phase, o = phase modulo stride, use the same taps on neighbouring
// inputs: a phase is a convolution of stride 1.
type transposed struct {
	convShape // c, oc: channels; x.in, x.k, x.stride, x.before, x.out as above
}

// mostPhases bounds the steps that a hostile stride asks for.
const mostPhases = 1024

// planTransposeConv plans TRANSPOSE_CONV: output shape, filter [oc, kh, kw, c],
// input, bias.
func planTransposeConv(c *opContext) error {
	o, err := options[model.TransposeConvOptions](c)
	if err != nil {
		return err
	}
	size, err := c.ints(0)
	if err != nil {
		return err
	}
	filter, in := c.in[1], c.in[2]
	if len(size) != 4 || len(filter.shape) != 4 || len(in.shape) != 4 || product(filter.shape) == 0 || product(in.shape) == 0 ||
		size[0] != in.shape[0] || size[3] != filter.shape[0] || filter.shape[3] != in.shape[3] || min(size[1], size[2]) < 1 {
		return c.malformed("output %v, filter %v, input %v", size, filter.shape, in.shape)
	}
	t := &transposed{convShape{n: size[0], c: in.shape[3], oc: size[3], groups: 1}}
	for axis, w := range []*window{&t.y, &t.x} {
		stride := int([]int32{o.StrideH, o.StrideW}[axis])
		// The padding is that of the convolution which this one transposes.
		forward := window{in: size[1+axis], k: filter.shape[1+axis], stride: stride, dilate: 1}
		if !forward.valid() {
			return c.malformed("stride %d", stride)
		}
		if o.Padding == model.PaddingSame {
			forward.resolve(o.Padding)
		}
		*w = window{in: in.shape[1+axis], out: size[1+axis], k: forward.k, stride: stride, dilate: 1, before: forward.before}
	}
	bias := (*tensor)(nil)
	if len(c.in) > 3 {
		bias = c.in[3]
	}
	return c.planTransposed(t, in, filter, bias, o.Activation)
}

// planTransposeBias plans MediaPipe's Convolution2DTransposeBias: input, filter
// [oc, kh, kw, c], bias.
func planTransposeBias(c *opContext) error {
	o, err := model.TransposeBiasOptions(c.n.op)
	if err != nil {
		return c.malformed("%v", err)
	}
	in, filter := c.in[0], c.in[1]
	if len(in.shape) != 4 || len(filter.shape) != 4 || product(in.shape) == 0 || product(filter.shape) == 0 || filter.shape[3] != in.shape[3] {
		return c.malformed("filter %v, input %v", filter.shape, in.shape)
	}
	t := &transposed{convShape{n: in.shape[0], c: in.shape[3], oc: filter.shape[0], groups: 1}}
	for axis, w := range []*window{&t.y, &t.x} {
		stride := int([]int32{o.StrideH, o.StrideW}[axis])
		*w = window{in: in.shape[1+axis], k: filter.shape[1+axis], stride: stride, dilate: 1}
		if !w.valid() {
			return c.malformed("stride %d", stride)
		}
		out, before := model.TransposeBiasSize(o.Padding, int64(w.in), int64(w.k), int64(stride))
		w.out, w.before = int(out), int(before)
	}
	return c.planTransposed(t, in, filter, c.in[2], o.Activation)
}

func (c *opContext) planTransposed(t *transposed, in, filter, bias *tensor, a model.Activation) error {
	if t.y.stride*t.x.stride > mostPhases {
		return c.unsupported("strides %d, %d", t.y.stride, t.x.stride)
	}
	if bias != nil && bias.elems() != t.oc {
		return c.malformed("%d biases for %d channels", bias.elems(), t.oc)
	}
	if err := c.shape(0, t.n, t.y.out, t.x.out, t.oc); err != nil {
		return err
	}
	switch {
	case isType(model.TypeFloat32, in, filter, bias, c.out[0]):
		return c.transposedF32(t, in, filter, bias, a)
	case in.quantised() && isType(in.typ, filter, c.out[0]):
		return c.transposedQuant(t, in, filter, bias, a)
	case isI16x8(in, filter, c.out[0]):
		return c.transposedI16x8(t, in, filter, bias, a)
	case isType(model.TypeFloat32, in, bias, c.out[0]) && filter.typ == model.TypeInt8:
		floats, err := c.floatWeights(filter, 0)
		if err != nil {
			return err
		}
		return c.transposedF32(t, in, floats, bias, a)
	}
	return c.types()
}

// floatWeights are int8 weights made floats before the first frame. Dynamic-range
// files have them where no runtime computes in integers: there is none whose
// rounding of the input could be followed, and floats are the better answer.
func (c *opContext) floatWeights(filter *tensor, axis int) (*tensor, error) {
	q := filter.quant
	if len(q.scale) != 1 && (q.axis != axis || len(q.scale) != filter.shape[axis]) {
		return nil, c.malformed("%d filter scales on dimension %d of %v", len(q.scale), q.axis, filter.shape)
	}
	t, err := c.scratch(4 * filter.elems())
	if err != nil {
		return nil, err
	}
	for i := range c.in {
		if c.in[i] == filter {
			c.in[i] = t // what packs the weights waits for it
		}
	}
	inner := product(filter.shape[axis+1:])
	c.emitTo("dequantise", filter.elems()/inner, filter.elems(), []*tensor{filter}, []*tensor{t}, func(_ *worker, lo, hi int) {
		for u := lo; u < hi; u++ {
			k := u % filter.shape[axis]
			for i, v := range filter.i8()[u*inner:][:inner] {
				t.f32()[u*inner+i] = q.scaleAt(k) * float32(int32(v)-q.zeroAt(k))
			}
		}
	})
	return t, nil
}

// phase is one residue of the output positions along an axis: positions
// first, first+stride ... ; tap number i of it is the filter's first tap plus
// i strides, on the input -i positions from where output 0 of the phase looks.
type phase struct {
	first, count int // outputs
	tap, taps    int
	input        int // input of the first tap for the first output
}

func (w window) phase(p int) phase {
	ph := phase{first: p, count: max(0, (w.out-p+w.stride-1)/w.stride)}
	ph.tap = (p + w.before) % w.stride
	ph.taps = max(0, (w.k-ph.tap+w.stride-1)/w.stride)
	ph.input = (p + w.before - ph.tap) / w.stride
	return ph
}

// border is the padding that every phase's accesses stay within.
func (t *transposed) border() padded {
	f := padded{n: t.n, h: t.y.in, w: t.x.in, c: t.c}
	for p := range t.y.stride {
		before, after := t.y.phase(p).reach(t.y.in)
		f.top, f.bottom = max(f.top, before), max(f.bottom, after)
	}
	for p := range t.x.stride {
		before, after := t.x.phase(p).reach(t.x.in)
		f.left, f.right = max(f.left, before), max(f.right, after)
	}
	return f
}

// reach is how far a phase's accesses leave an input of n positions.
func (p phase) reach(n int) (before, after int) {
	if p.count == 0 || p.taps == 0 {
		return 0, 0
	}
	return max(0, p.taps-1-p.input), max(0, p.input+p.count-n)
}

// phaseTiling lays out the convolution of one phase over the padded input.
func (t *transposed) phaseTiling(b padded, y, x phase) tiling {
	row := b.wp() * t.c
	l := tiling{images: t.n, outH: y.count, outW: x.count, image: b.hp() * row, stepY: row, stepX: t.c,
		base: (y.input+b.top)*row + (x.input+b.left)*t.c, k: t.c, groups: 1, groupIn: t.c, cols: t.oc}
	for i := range y.taps {
		for j := range x.taps {
			l.taps = append(l.taps, -i*row-j*t.c)
		}
	}
	return l
}

// weight is the place in the filter of row k of the phase's packed weights.
func (t *transposed) weight(l *tiling, y, x phase, k, n int) int {
	tap, channel := k/l.k, k%l.k
	i, j := tap/max(x.taps, 1), tap%max(x.taps, 1)
	return ((n*t.y.k+y.tap+i*t.y.stride)*t.x.k+x.tap+j*t.x.stride)*t.c + channel
}

// scatter moves a phase's results, dense in area, to their places.
func (c *opContext) scatter(t *transposed, area *tensor, y, x phase) {
	row := t.x.out * t.oc
	c.emitMove(c.out[0], area, move{
		dims: []int{t.n, y.count, x.count, t.oc},
		ds:   []int{t.y.out * row, t.y.stride * row, t.x.stride * t.oc, 1},
		ss:   strides([]int{t.n, y.count, x.count, t.oc}),
		dst0: y.first*row + x.first*t.oc,
	})
}

// eachPhase calls f for every phase that has outputs.
func (t *transposed) eachPhase(f func(y, x phase) error) error {
	for py := range t.y.stride {
		for px := range t.x.stride {
			y, x := t.y.phase(py), t.x.phase(px)
			if y.count == 0 || x.count == 0 {
				continue
			}
			if err := f(y, x); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *opContext) transposedF32(t *transposed, in, filter, bias *tensor, a model.Activation) error {
	lo, hi, err := c.activationF32(a)
	if err != nil {
		return err
	}
	b := t.border()
	src, err := c.padF32(in, b)
	if err != nil {
		return err
	}
	return t.eachPhase(func(y, x phase) error {
		f := &floatTiles{tiling: t.phaseTiling(b, y, x), lo: lo, hi: hi, mul: c.p.routines.GEMM.MulF32}
		n, cols := gemm.PackedF32(f.rows(), f.blocks()*gemm.TileCols), f.blocks()*gemm.TileCols
		reads, err := c.packedFrom(4*(n+cols), func(p *tensor) {
			all, w := p.f32(), filter.f32()
			f.weights, f.bias = all[:n], all[n:]
			gemm.PackF32(f.weights, f.rows(), f.cols, func(k, n int) float32 { return w[t.weight(&f.tiling, y, x, k, n)] })
			if bias != nil {
				copy(f.bias, bias.f32())
			}
		}, filter, bias)
		if err != nil {
			return err
		}
		area, err := c.phaseArea(f.positions()*t.oc, c.out[0])
		if err != nil {
			return err
		}
		c.emitTo("tile f32", f.tiles(), f.work(), append(reads, src), []*tensor{area}, func(w *worker, lo, hi int) {
			f.run(w, area.f32(), src.f32(), lo, hi)
		})
		c.scatter(t, area, y, x)
		return nil
	})
}

// phaseArea is a scratch area of n elements of the output's type.
func (c *opContext) phaseArea(n int, out *tensor) (*tensor, error) {
	area, err := c.scratch(n * out.elem())
	if err == nil {
		area.typ = out.typ
	}
	return area, err
}

func (c *opContext) transposedQuant(t *transposed, in, filter, bias *tensor, a model.Activation) error {
	r, err := c.requant(in, filter, bias, c.out[0], t.oc, 0, a)
	if err != nil {
		return err
	}
	b := t.border()
	src, err := c.widened(in, b)
	if err != nil {
		return err
	}
	return t.eachPhase(func(y, x phase) error {
		q := &quantTiles{tiling: t.phaseTiling(b, y, x), mulTile: c.p.routines.GEMM.MulI16, requant: c.p.routines.GEMM.Requant, zero: r.zero, lo: r.lo, hi: r.hi}
		q.k += q.k % 2
		reads, err := c.packPhase(t, q, r, filter, bias, y, x)
		if err != nil {
			return err
		}
		area, err := c.phaseArea(q.positions()*t.oc, c.out[0])
		if err != nil {
			return err
		}
		c.emitTo("tile i16", q.tiles(), q.work(), append(reads, src), []*tensor{area}, func(w *worker, lo, hi int) {
			q.run(w, area.data, src.i16(), lo, hi)
		})
		c.scatter(t, area, y, x)
		return nil
	})
}

func (c *opContext) packPhase(t *transposed, q *quantTiles, r *requant, filter, bias *tensor, y, x phase) ([]*tensor, error) {
	n, cols := gemm.PackedI16(q.rows(), q.blocks()*gemm.TileCols), q.blocks()*gemm.TileCols
	signed := filter.typ == model.TypeInt8
	return c.packedFrom(2*n+12*cols, func(p *tensor) {
		i32 := edged.View[int32](p.data[2*n:])
		q.weights, q.bias, q.mul, q.shift = p.i16()[:n], i32[:cols], i32[cols:2*cols], i32[2*cols:3*cols]
		gemm.PackI16(q.weights, q.rows(), q.cols, func(k, n int) int16 {
			if k%q.k >= t.c {
				return 0
			}
			at := t.weight(&q.tiling, y, x, k, n)
			return int16(byteValue(filter.data[at], signed) - filter.quant.zeroAt(n))
		})
		q.channels(r, bias, 0, 0)
	}, filter, bias)
}

// channels lays out multipliers and biases of the channels from first on, at
// place at.
func (q *quantTiles) channels(r *requant, bias *tensor, at, first int) {
	for i := range q.cols {
		m := r.mult[min(first+i, len(r.mult)-1)]
		q.mul[at+i], q.shift[at+i] = m.mul, m.shift
		if bias != nil {
			q.bias[at+i] = bias.i32()[first+i]
		}
	}
}
