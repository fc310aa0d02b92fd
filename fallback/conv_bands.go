package fallback

import (
	"slices"

	"edged/internal/kernel/conv"
)

// bandRows is the most output rows that one unit of a direct convolution
// computes: few enough that their input stays in the second-level cache.
const bandRows = 8

// bands lays out a direct convolution: every unit is a band of output rows. How
// bands are cut does not change a result: each output is summed by itself, and
// Winograd's tiles start at fixed rows.
type bands struct {
	s             *convShape
	h, w          int // of the output; a flat one is one row
	rows          int // output rows of a band; of a flat output, its columns
	step          int // neighbouring columns that are computed together
	of            int // bands of one image
	parts         int // of the output channels: units of a band
	src, dst, res pitch
	flat          bool
}

func newBands(s *convShape, rows int) bands {
	return bands{s: s, h: s.y.out, w: s.x.out, rows: rows, step: 1, of: (s.y.out + rows - 1) / rows, parts: 1}
}

// even is the size of bands that shares n rows evenly among workers, at most
// most rows each.
func even(n, most, workers int) int {
	each := (n + most*workers - 1) / (most * workers) // bands of a worker
	return (n + each*workers - 1) / (each * workers)
}

// cutting lays out the bands of a convolution; bordered: one of its tensors has a
// border in memory, or is to be padded.
type cutting func(s *convShape, bordered bool) bands

// columns is the most output pixels in one unit of a 1x1 convolution: 16 full tiles.
const columns = 224

// directBands cuts a direct convolution evenly. A 1x1 convolution of tensors
// without borders is one long row of pixels, cut anywhere, which fills the kernels'
// tiles.
func (c *opContext) directBands(s *convShape, bordered bool) bands {
	return bandsFor(s, bordered, c.p.workers)
}

func bandsFor(s *convShape, bordered bool, workers int) bands {
	switch {
	case s.y.k != 1 || s.x.k != 1 || s.y.stride != 1 || s.x.stride != 1:
		return newBands(s, even(s.y.out, bandRows, workers))
	case bordered:
		return newBands(s, even(s.y.out, max(1, columns/s.x.out), workers))
	}
	b := newBands(s, 1)
	b.flat, b.h, b.w = true, 1, s.y.out*s.x.out
	b.rows = even(b.w, columns, workers)
	b.of = (b.w + b.rows - 1) / b.rows
	return b
}

// partedBands is directBands, but workers share the output channels of all rows
// where the weights are more than twice as much as what they are multiplied with: in
// bands of rows every worker would read all weights. Two parts for each leave
// something to help with.
func (c *opContext) partedBands(s *convShape, bordered bool) bands {
	const least = 64 // channels of a part
	weights, pixels := s.y.k*s.x.k*s.oc, s.n*s.y.in*s.x.in
	if parts := min(2*c.p.workers, s.oc/least); c.p.workers > 1 && parts > 1 && s.groups == 1 && weights > 2*pixels {
		b := bandsFor(s, bordered, 1)
		b.parts = parts
		return b
	}
	return c.directBands(s, bordered)
}

// winogradBands cuts along the rows at which tiles start.
func (c *opContext) winogradBands(s *convShape, _ bool) bands {
	tile := 4 * s.y.dilate
	if s.y.dilate == 1 && s.x.out < 112 {
		tile *= 2 // short rows: more tiles share the transformed weights
	}
	b := newBands(s, tile)
	b.step = 4 * s.x.dilate
	return b
}

// shape is the convolution's geometry for the kernels.
func (b *bands) shape() conv.ConvShape {
	s := b.s
	return conv.ConvShape{KH: s.y.k, KW: s.x.k, DY: s.y.dilate, DX: s.x.dilate, IC: s.c, OC: s.oc, Row: b.src.row, Pix: b.src.pix, Groups: s.groups}
}

func (b *bands) units() int             { return b.s.n * b.of * b.parts }
func (b *bands) work(perOutput int) int { return b.s.n * b.h * b.w * b.s.oc * perOutput }

// unit is one band, rows x cols of an image from (y, x) on, or a part of its channels.
type unit struct{ image, y, x, rows, cols, part int }

func (b *bands) unit(i int) unit {
	all := b.s.n * b.of
	part, image, at := i/all, i%all/b.of, i%b.of*b.rows
	if b.flat {
		return unit{image, 0, at, 1, min(b.rows, b.w-at), part}
	}
	return unit{image, at, 0, min(b.rows, b.h-at), b.w, part}
}

// plane is where u's results, or what is added to them, lie in data.
func plane[T any](l pitch, u unit, data []T) conv.Plane[T] {
	return conv.Plane[T]{P: data[l.at(u.image, u.y, u.x):], Row: l.row, Pix: l.pix}
}

// source is where u's windows begin in data.
func source[T any](b *bands, u unit, data []T) conv.Plane[T] {
	row, pix := b.advance()
	return conv.Plane[T]{P: data[b.src.at(u.image, u.y*b.s.y.stride, u.x*b.s.x.stride):], Row: row, Pix: pix}
}

// advance is how far windows begin from those of the output row above and of the
// pixel before.
func (b *bands) advance() (row, pix int) { return b.s.y.stride * b.src.row, b.s.x.stride * b.src.pix }

// banded is a direct convolution in bands of rows, and its tensors.
type banded struct {
	bands
	in, out *tensor
	other   *tensor // the residual that is added, or nil
	area    *tensor // the input with its border; nil: in is read where it lies
	cut     cutting
	gaps    bool // it reads and writes strided tensors

	f32  []conv.RunnerF32 // once it is packed, one for each part,
	i8   []conv.RunnerI8  // or one of these
	then *banded          // the fused 1x1 convolution, or nil
}

// last is the convolution whose result is written: the 1x1 one of a fused pair.
func (b *banded) last() *banded {
	if b.then != nil {
		return b.then
	}
	return b
}

// input is what the convolution reads.
func (b *banded) input() *tensor {
	if b.area != nil {
		return b.area
	}
	return b.in
}

func (b *banded) reads() []*tensor {
	if b.other != nil {
		return []*tensor{b.input(), b.other}
	}
	return []*tensor{b.input()}
}

// settle lays the bands out once the passes have settled where the tensors lie.
func (b *banded) settle() {
	s, f := b.s, b.s.border()
	bordered := !f.plain() || slices.ContainsFunc([]*tensor{b.in, b.out, b.other}, func(t *tensor) bool { return t != nil && t.rowGaps() })
	b.bands = b.cut(s, bordered)
	if b.src = b.in.pitch(s.y.in, s.x.in, s.c); b.area != nil {
		b.src = pitch{image: f.hp() * f.wp() * s.c, row: f.wp() * s.c, pix: s.c}
	} else {
		b.src.base -= f.top*b.src.row + f.left*b.src.pix
	}
	b.dst = b.out.pitch(s.y.out, s.x.out, b.last().s.oc)
	if b.other != nil {
		b.res = b.other.pitch(s.y.out, s.x.out, b.other.shape[3])
	}
}

// emitted tells the passes what b's step is, and what it can do.
func (b *banded) emitted(by how, s *step) {
	s.how, s.conv, s.chainable = by, b, b
	in, out := []int{b.s.n, b.s.y.in, b.s.x.in, b.s.c}, []int{b.s.n, b.s.y.out, b.s.x.out, b.s.oc}
	fits := slices.Equal(b.out.shape, out) // a fully connected layer sees another map than its tensors are
	s.can.writes.border, s.can.writes.gaps = fits, fits && b.gaps
	if b.in != b.area && slices.Equal(b.in.shape, in) {
		s.can.reads.border = append(s.can.reads.border, b.in)
	}
	if b.other != nil && b.other != b.area && slices.Equal(b.other.shape, out) {
		s.can.reads.border = append(s.can.reads.border, b.other)
	}
	if b.gaps {
		s.can.reads.gaps = s.can.reads.border
	}
}
