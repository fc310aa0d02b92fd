package rewrite

import (
	"math"
	"math/rand/v2"

	"edged"
)

// probe is one input frame.
type probe struct {
	name string
	data []byte
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)) }

// scenes are the kinds of frames that a verification looks at: noise; noise
// below zero, which tells a padded zero from a padded minimum; and pictures
// with the structure that noise never has.
var scenes = []struct {
	name  string
	paint func(*canvas)
}{
	{"noise", nil},
	{"negative", nil},
	{"edges", (*canvas).edges},
	{"gradients", (*canvas).gradients},
	{"stripes", (*canvas).stripes},
	{"blobs", (*canvas).blobs},
	{"constants", (*canvas).constants},
	{"texture", (*canvas).texture},
}

// probes are the frames to look at; the first is noise.
func (v *verification) probes() []probe {
	s := v.dense.Inputs()[0]
	whole := v.integerNet()
	var out []probe
	for i := range v.probeCount(len(scenes)) {
		scene := scenes[i%len(scenes)]
		r := newRandom(v.o.Seed + uint64(i))
		b := make([]byte, s.Bytes())
		switch {
		case scene.paint != nil:
			v.paint(b, s, r, whole, scene.paint)
		case scene.name == "noise" && !whole && s.Type == edged.Float32:
			v.paint(b, s, r, false, (*canvas).noise)
		default:
			fillRandom(b, s.Type, r, whole)
		}
		if scene.name == "negative" {
			negate(b, s.Type)
		}
		out = append(out, probe{scene.name, b})
	}
	for _, p := range v.o.Pictures {
		if len(p.Data) == s.Bytes() {
			out = append(out, probe{p.Name, p.Data})
		}
	}
	return out
}

// enough is how many positions, over all inputs, a comparison should have: an
// integer classifier's few outputs on one patch round a changed weight away, and
// so do the few that a padded net promises on a frame smaller than its field.
const enough = 4096

// probeCount is how many inputs make up for few positions.
func (v *verification) probeCount(least int) int {
	positions := int64(math.MaxInt32)
	for _, c := range v.outs {
		positions = min(positions, max(c.promised(), 1))
	}
	return max(least, int(min(3*int64(least), enough/positions)))
}

// fillRandom fills a tensor: floats in [-1, 1), or whole numbers from -4 to 4;
// integers over their range.
func fillRandom(b []byte, t edged.DType, r *rand.Rand, whole bool) {
	switch t {
	case edged.Float32:
		f := edged.View[float32](b)
		for i := range f {
			if whole {
				f[i] = float32(r.IntN(9) - 4)
			} else {
				f[i] = 2*r.Float32() - 1
			}
		}
	default:
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	}
}

// negate makes every element negative, or small where there are no negatives.
func negate(b []byte, t edged.DType) {
	switch t {
	case edged.Float32:
		f := edged.View[float32](b)
		for i := range f {
			f[i] = -float32(math.Abs(float64(f[i])))
		}
	case edged.Int8:
		for i := range b {
			b[i] |= 0x80
		}
	case edged.Uint8:
		for i := range b {
			b[i] &= 0x7f
		}
	}
}

// crop copies the crop at pixel at of a frame as dense takes it into dst, which
// holds a picture as dims say; what lies beyond the frame is the value that
// stands for zero.
func (v *verification) crop(dst, frame []byte, at, size pair, s edged.Spec, dims [][]atom) {
	zero := byte(0)
	if s.Type == edged.Int8 || s.Type == edged.Uint8 {
		zero = byte(s.Quant.ZeroPoint)
	}
	for i := range dst {
		dst[i] = zero
	}
	from := raster{frame, v.frame, v.frameDims}
	from.copyTo(raster{dst, size, dims}, at, v.net.input.ch, s.Type.Size())
}

// raster is a picture in memory.
type raster struct {
	data []byte
	size pair
	dims [][]atom
}

// copyTo copies what lies behind pixel at of p to the corner of dst, elements
// of es bytes.
func (p raster) copyTo(dst raster, at pair, ch, es int) {
	from := stepsOf(newLayout(&value{n: p.size, ch: ch}, p.dims))
	to := stepsOf(newLayout(&value{n: dst.size, ch: ch}, dst.dims))
	h, w := min(dst.size[0], p.size[0]-at[0]), min(dst.size[1], p.size[1]-at[1])
	if to.c <= 1 && from.c <= 1 && (ch == 1 || to.x == ch || to.x == 0) && (ch == 1 || from.x == ch || from.x == 0) {
		for y := range h {
			a := ((at[0]+y)*from.y + at[1]*max(from.x, ch)) * es
			b := y * to.y * es
			copy(dst.data[b:b+w*ch*es], p.data[a:a+w*ch*es])
		}
		return
	}
	for c := range ch {
		for y := range h {
			for x := range w {
				a := ((at[0]+y)*from.y + (at[1]+x)*from.x + c*from.c) * es
				b := (y*to.y + x*to.x + c*to.c) * es
				copy(dst.data[b:b+es], p.data[a:a+es])
			}
		}
	}
}
