package fallback

import (
	"math"

	"edged/model"
)

// resizeShape reads the new height and width.
func (c *opContext) resizeShape() (h, w int, err error) {
	size, err := c.ints(1)
	if err != nil {
		return 0, 0, err
	}
	in := c.in[0].shape
	if len(in) != 4 || product(in) == 0 || len(size) != 2 || size[0] < 1 || size[1] < 1 {
		return 0, 0, c.malformed("input %v to size %v", in, size)
	}
	if c.in[0].typ != c.out[0].typ {
		return 0, 0, c.types()
	}
	return size[0], size[1], c.shape(0, in[0], size[0], size[1], in[3])
}

// resizeScale is the input step of one output.
func resizeScale(in, out int, alignCorners bool) float32 {
	if alignCorners && out > 1 {
		return float32(in-1) / float32(out-1)
	}
	return float32(in) / float32(out)
}

// planResizeNearest plans RESIZE_NEAREST_NEIGHBOR, a copy by element.
func planResizeNearest(c *opContext) error {
	o, err := options[model.ResizeNearestNeighborOptions](c)
	if err != nil {
		return err
	}
	h, w, err := c.resizeShape()
	if err != nil {
		return err
	}
	in, out := c.in[0], c.out[0]
	ih, iw := in.shape[1], in.shape[2]
	ys := nearest(ih, h, o.AlignCorners, o.HalfPixelCenters)
	xs := nearest(iw, w, o.AlignCorners, o.HalfPixelCenters)
	ch, elem := in.shape[3], in.elem()
	s := c.emit("nearest", in.shape[0]*h, out.elems(), c.in[:1], func(_ *worker, lo, hi int) {
		from, to := in.pitch(ih, iw, ch), out.pitch(h, w, ch)
		for r := lo; r < hi; r++ {
			src := in.data[from.at(r/h, ys[r%h], 0)*elem:]
			dst := out.data[to.at(r/h, r%h, 0)*elem:]
			for x, at := range xs {
				copy(dst[x*to.pix*elem:][:ch*elem], src[at*from.pix*elem:])
			}
		}
	})
	s.can.writes.gaps, s.can.reads.gaps = true, c.in[:1]
	return nil
}

// nearest is the input position of every output position.
func nearest(in, out int, alignCorners, halfPixel bool) []int {
	scale := resizeScale(in, out, alignCorners)
	offset := float32(0)
	if halfPixel {
		offset = 0.5
	}
	list := make([]int, out)
	for i := range list {
		v := (float32(i) + offset) * scale
		if alignCorners {
			list[i] = int(math.Round(float64(v)))
		} else {
			list[i] = int(math.Floor(float64(v)))
		}
		list[i] = max(0, min(list[i], in-1))
	}
	return list
}

// lerp is how one output position mixes two input positions.
type lerp struct {
	lo, hi int
	t      float32 // weight of hi
}

// planResizeBilinear plans RESIZE_BILINEAR.
func planResizeBilinear(c *opContext) error {
	o, err := options[model.ResizeBilinearOptions](c)
	if err != nil {
		return err
	}
	h, w, err := c.resizeShape()
	if err != nil {
		return err
	}
	in, out := c.in[0], c.out[0]
	if in.typ == model.TypeInt8 {
		c.bilinearFixed(o, h, w)
		return nil
	}
	ys := lerps(in.shape[1], h, o.AlignCorners, o.HalfPixelCenters)
	xs := lerps(in.shape[2], w, o.AlignCorners, o.HalfPixelCenters)
	switch in.typ {
	case model.TypeFloat32:
		c.bilinearF32(ys, xs)
	case model.TypeInt16:
		c.bilinearI16(o, h, w)
	case model.TypeUint8:
		c.emit("bilinear", in.shape[0]*h, 4*out.elems(), c.in[:1], func(_ *worker, lo, hi int) {
			bilinearBytes(out.data, in.data, in.shape, ys, xs, lo, hi)
		})
	default:
		return c.types()
	}
	return nil
}

// bilinearF32 emits the step for floats.
func (c *opContext) bilinearF32(ys, xs []lerp) {
	in, out := c.in[0], c.out[0]
	h, ch := in.shape[1], in.shape[3]
	var low, high []int
	var share []float32
	for _, x := range xs {
		low, high, share = append(low, x.lo), append(high, x.hi), append(share, x.t)
	}
	mix, n, w := c.p.routines.Vec.NewLerpF32(low, high, share, ch, ch), len(ys), len(xs)
	s := c.emit("bilinear", in.shape[0]*n, 4*out.elems(), c.in[:1], func(_ *worker, lo, hi int) {
		from, to := in.pitch(h, in.shape[2], ch), out.pitch(n, w, ch)
		src, dst := in.f32(), out.f32()
		for r := lo; r < hi; r++ {
			y, image := ys[r%n], r/n
			mix.Run(dst[to.at(image, r%n, 0):], src[from.at(image, y.lo, 0):], src[from.at(image, y.hi, 0):], y.t)
			edge(out, dst, n, w, ch, image, r%n, r%n+1, 0)
		}
	})
	s.can.writes.border, s.can.reads.border = true, c.in[:1]
}

func lerps(in, out int, alignCorners, halfPixel bool) []lerp {
	scale := resizeScale(in, out, alignCorners)
	list := make([]lerp, out)
	for i := range list {
		v := float32(i) * scale
		if halfPixel {
			v = (float32(i)+0.5)*scale - 0.5
		}
		low := max(int(math.Floor(float64(v))), 0)
		list[i] = lerp{low, max(min(int(math.Ceil(float64(v))), in-1), 0), v - float32(low)}
		list[i].lo = min(low, in-1)
	}
	return list
}

// bilinearBytes computes rows [lo, hi) of uint8 in float32, rounded by adding
// a half and dropping the fraction.
func bilinearBytes(out, in []uint8, shape []int, ys, xs []lerp, lo, hi int) {
	h, w, c := shape[1], shape[2], shape[3]
	for r := lo; r < hi; r++ {
		y := ys[r%len(ys)]
		top := in[(r/len(ys)*h+y.lo)*w*c:][:w*c]
		bottom := in[(r/len(ys)*h+y.hi)*w*c:][:w*c]
		for i, x := range xs {
			dst := out[(r*len(xs)+i)*c:][:c]
			a, b := top[x.lo*c:][:c], top[x.hi*c:][:c]
			d, e := bottom[x.lo*c:][:c], bottom[x.hi*c:][:c]
			wa, wb, wd, we := (1-y.t)*(1-x.t), (1-y.t)*x.t, y.t*(1-x.t), y.t*x.t
			for k := range dst {
				dst[k] = uint8(float32(a[k])*wa + float32(b[k])*wb + float32(d[k])*wd + float32(e[k])*we + 0.5)
			}
		}
	}
}

// lerp10 is lerp in fixed point with ten fractional bits.
type lerp10 struct {
	lo, hi int
	t      int // 0 to 1024, or any number where lo is hi
}

// bilinearFixed mixes in integers, as TFLite does for int8.
func (c *opContext) bilinearFixed(o model.ResizeBilinearOptions, h, w int) {
	in, out := c.in[0], c.out[0]
	ys := lerps10(in.shape[1], h, o.AlignCorners, o.HalfPixelCenters)
	var low, high, share []int
	for _, x := range lerps10(in.shape[2], w, o.AlignCorners, o.HalfPixelCenters) {
		low, high, share = append(low, x.lo), append(high, x.hi), append(share, x.t)
	}
	ih, row, ch := in.shape[1], in.shape[2]*in.shape[3], in.shape[3]
	mix := c.p.routines.Vec.NewLerpI8(low, high, share, ch)
	c.emit("bilinear fixed point", in.shape[0]*h, 4*out.elems(), c.in[:1], func(_ *worker, from, to int) {
		for r := from; r < to; r++ {
			y, image := ys[r%h], r/h*ih
			mix.Run(out.data[r*w*ch:], in.data[(image+y.lo)*row:], in.data[(image+y.hi)*row:], y.t)
		}
	})
}

func lerps10(in, out int, alignCorners, halfPixel bool) []lerp10 {
	scale := int64((1<<10*in + out/2) / out)
	if alignCorners && out > 1 {
		scale = int64((1<<10*(in-1) + (out-1)/2) / (out - 1))
	}
	list := make([]lerp10, out)
	for i := range list {
		v := int64(i) * scale
		if halfPixel {
			v += scale/2 - 1<<9
		}
		lo := max(v>>10, 0)
		if v < 0 {
			lo = max(-((-v) / 1024), 0)
		}
		list[i] = lerp10{lo: int(min(lo, int64(in-1))), hi: int(max(0, min((v+1023)/1024, int64(in-1)))), t: int(v - lo<<10)}
	}
	return list
}

// bilinearI16 is bilinearFixed of int16.
func (c *opContext) bilinearI16(o model.ResizeBilinearOptions, h, w int) {
	in, out := c.in[0], c.out[0]
	ih, iw, ch := in.shape[1], in.shape[2], in.shape[3]
	ys, xs := lerps10(ih, h, o.AlignCorners, o.HalfPixelCenters), lerps10(iw, w, o.AlignCorners, o.HalfPixelCenters)
	c.emit("bilinear fixed point", in.shape[0]*h, 8*out.elems(), c.in[:1], func(_ *worker, from, to int) {
		for r := from; r < to; r++ {
			y, image := ys[r%h], r/h*ih
			top, bottom := in.i16()[(image+y.lo)*iw*ch:], in.i16()[(image+y.hi)*iw*ch:]
			for i, x := range xs {
				dst := out.i16()[(r*w+i)*ch:][:ch]
				for k := range dst {
					a, b := x.lo*ch+k, x.hi*ch+k
					v := (int64(top[a])*int64(1024-x.t)+int64(top[b])*int64(x.t))*int64(1024-y.t) +
						(int64(bottom[a])*int64(1024-x.t)+int64(bottom[b])*int64(x.t))*int64(y.t)
					half := int64(1 << 19)
					if v <= 0 {
						half = -half
					}
					dst[k] = int16((v + half) / (1 << 20))
				}
			}
		}
	})
}
