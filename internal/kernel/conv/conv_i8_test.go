package conv

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"edged/internal/kernel/kerneltest"
	"edged/internal/kernel/vec"
)

func randomI8(r *rand.Rand, n int) []int8 {
	b := make([]int8, n)
	for i := range b {
		b[i] = int8(r.Uint32())
	}
	return b
}

// randomConvI8 fills activations and weights: of any value in a third of the
// cases, without the weight -128 in another, which picks other routines, and in
// the last of the smallest and greatest values alone, whose products are the
// first to pass 16 bits.
func randomConvI8(r *rand.Rand, n, values, weights int) (src []uint8, w []int8) {
	src, w = kerneltest.RandomBytes(r, values), randomI8(r, weights)
	if n%3 == 0 {
		return src, w
	}
	for i, v := range w {
		w[i] = max(v, -127)
		if n%3 == 2 {
			w[i] = [...]int8{-128, -127, 127}[min(2, r.IntN(4)+n/3%2)]
		}
	}
	for i := range src {
		if n%3 == 2 {
			src[i] = [...]uint8{0x80, 0x80, 0x7F, 0, 0xFF}[r.IntN(5)]
		}
	}
	return src, w
}

// randomZero is a zero point of weights: none in half of the cases, in others the
// least or the greatest.
func randomZero(r *rand.Rand) int32 {
	return [...]int32{0, 0, 0, 0, r.Int32N(256) - 128, r.Int32N(256) - 128, -128, 127}[r.IntN(8)]
}

// randomFactors are below a half, as real ones are, or of any size: there are
// routines for the former alone.
func randomFactors(r *rand.Rand, n int) []Factor {
	q, most := make([]Factor, n), 2-3*r.Int32N(2)
	for i := range q {
		q[i] = Factor{1<<30 + r.Int32N(1<<30), most - r.Int32N(16)}
	}
	return q
}

// TestConvI8 compares every variant bit for bit with the definition.
func TestConvI8(t *testing.T) {
	worker := new(Worker)
	for _, on := range distinct(func(r *Routines) any { return r.convI8 }) {
		t.Run(string(on.variant), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			for i := range kerneltest.Cases(400) {
				checkConvI8(t, worker, on, r, drawConvI8(r, i))
			}
			tilesI8(func(c convCaseI8) { checkConvI8(t, worker, on, r, c) })
		})
	}
}

// convCaseI8 is a convolution of rows x cols outputs at the strides sy and sx;
// values chooses the numbers: see randomConvI8.
type convCaseI8 struct {
	ConvShape
	sy, sx, rows, cols, values int
	signed                     bool
}

func drawConvI8(r *rand.Rand, n int) convCaseI8 {
	c := convCaseI8{sy: 1 + r.IntN(3), sx: 1 + r.IntN(3), rows: 1 + r.IntN(4), cols: 1 + r.IntN(33), values: n / 3, signed: r.IntN(2) == 0}
	c.ConvShape = grouped(r, ConvShape{KH: 1 + r.IntN(5), KW: 1 + r.IntN(5), DY: 1 + r.IntN(4), DX: 1 + r.IntN(4), IC: 1 + r.IntN(40), OC: 1 + r.IntN(70)})
	if n%3 == 0 {
		c.DX = 1
	}
	return c
}

// tilesI8 draws every width of a tile of one and of two vectors, whole or not,
// with and without the weight -128: every routine.
func tilesI8(f func(c convCaseI8)) {
	for n := range 4 * 4 * 16 {
		f(convCaseI8{ConvShape{KH: 1, KW: 2, DY: 1, DX: 2, IC: 5, OC: [...]int{3, 8, 13, 32}[n%4]}, 1, 1, 1, 1 + n/16, n / 8 % 2, n/4%2 == 0})
	}
}

func checkConvI8(t *testing.T, worker *Worker, on *Routines, r *rand.Rand, c convCaseI8) {
	t.Helper()
	s, sy, sx, rows, cols := c.ConvShape, c.sy, c.sx, c.rows, c.cols
	s.Pix = s.IC + r.IntN(2)*r.IntN(9)
	s.Row = ((cols-1)*sx+(s.KW-1)*s.DX+1)*s.Pix + r.IntN(5)
	src, w := randomConvI8(r, c.values, ((rows-1)*sy+(s.KH-1)*s.DY+1)*s.Row+Slack, s.OC*s.KH*s.KW*s.depth())
	bias := make([]int32, s.OC)
	for i := range bias {
		bias[i] = r.Int32N(1<<16) - 1<<15
	}
	p := ConvI8Params{SrcZero: r.Int32N(256), DstZero: r.Int32N(256), Lo: 0, Hi: 255, Factors: randomFactors(r, s.OC)}
	if p.Signed = c.signed; p.Signed {
		p.SrcZero, p.DstZero, p.Lo, p.Hi = p.SrcZero-128, p.DstZero-128, -128, 127
	}
	if r.IntN(2) == 0 {
		p.Lo, p.Hi = p.Lo+20, p.Hi-25
	}
	p.WeightZero = randomZero(r)
	pix := s.OC + r.IntN(20)
	row := cols*pix + r.IntN(20)
	dst, intact := kerneltest.Guard(rows*row, 1+r.IntN(40), uint8(0xA5))
	want := append([]uint8(nil), dst...)
	naiveConvI8(vec.MulByQuantizedHalfUp, s, w, bias, p, src, want, sy, sx, rows, cols, row, pix)
	on.NewConvI8(s, w, bias, p).Run(worker, Plane[uint8]{dst, row, pix}, Plane[uint8]{src, sy * s.Row, sx * s.Pix}, rows, cols)
	for i := range want {
		if dst[i] != want[i] {
			t.Fatalf("%+v %d groups: byte %d (row %d, pixel %d, channel %d) = %d, want %d", c, s.Groups, i, i/row, i%row/pix, i%row%pix, dst[i], want[i])
		}
	}
	intact(t)
}

// naiveConvI8 is the definition, sums scaled by scale; it leaves what lies between pixels alone.
func naiveConvI8(scale func(x, multiplier, shift int32) int32, s ConvShape, w []int8, bias []int32, p ConvI8Params, src, dst []uint8, sy, sx, rows, cols, row, pix int) {
	for i := range rows * cols * s.OC {
		y, x, o := i/s.OC/cols, i/s.OC%cols, i%s.OC
		acc := bias[o]
		depth := s.depth()
		for j := range s.KH * s.KW * depth {
			ky, kx, c := j/depth/s.KW, j/depth%s.KW, s.input(o)+j%depth
			x := int32(src[(y*sy+ky*s.DY)*s.Row+(x*sx+kx*s.DX)*s.Pix+c])
			if p.Signed {
				x = int32(int8(x))
			}
			acc += (x - p.SrcZero) * (int32(w[o*s.KH*s.KW*depth+j]) - p.WeightZero)
		}
		f := p.Factors[o]
		v := scale(acc, f.Multiplier, f.Shift)
		dst[y*row+x*pix+o] = uint8(min(max(v+p.DstZero, p.Lo), p.Hi))
	}
}

func BenchmarkConvI8(b *testing.B) {
	worker := new(Worker)
	for n := range 2 * len(variants()) {
		on, signed := variants()[n/2], n%2 == 1
		for _, c := range []struct{ size, ic, oc, d int }{{56, 64, 64, 1}, {112, 32, 32, 4}, {112, 16, 16, 2}, {112, 8, 8, 2}, {112, 24, 24, 2}, {112, 3, 16, 1}} {
			b.Run(fmt.Sprintf("%s/%dx%d_%dto%d_d%d_signed=%t", on.variant, c.size, c.size, c.ic, c.oc, c.d, signed), func(b *testing.B) {
				in := c.size + 2*c.d
				s := ConvShape{KH: 3, KW: 3, DY: c.d, DX: c.d, IC: c.ic, OC: c.oc, Row: in * c.ic, Pix: c.ic}
				r := rand.New(rand.NewPCG(1, 2))
				conv := on.NewConvI8(s, randomI8(r, 9*c.ic*c.oc), nil, ConvI8Params{Signed: signed, Hi: 127, Factors: randomFactors(r, c.oc)})
				src, dst := kerneltest.RandomBytes(r, in*s.Row+Slack), make([]uint8, c.size*c.size*c.oc)
				for b.Loop() {
					for y := 0; y < c.size; y += 8 {
						conv.Run(worker, Plane[uint8]{dst[y*c.size*c.oc:], c.size * c.oc, c.oc}, Plane[uint8]{src[y*s.Row:], s.Row, s.Pix}, min(8, c.size-y), c.size)
					}
				}
				b.ReportMetric(2*9*float64(c.ic*c.oc*c.size*c.size)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GOP/s")
			})
		}
	}
}

// Two pixels' sums in one word give what each of them gives alone, also where the lower
// one is as negative as it can be, and where there are too many products for a word.
func TestPairedSums(t *testing.T) {
	const width, groups = 8, 5
	for _, c := range []struct {
		name   string
		ntaps  int
		src, w func(i int) int
	}{
		{"all over", 3, func(i int) int { return i*37 + i/7 }, func(i int) int { return i*91 + i/5 }},
		{"the least and the most", 3, func(int) int { return 255 }, func(i int) int { return -128 + i/16%2*255 }},
		{"the most that a word holds", pairable / 4 / groups, func(int) int { return 255 }, func(int) int { return -128 }},
		{"more than a word holds", pairable/4/groups + 1, func(int) int { return 255 }, func(int) int { return -128 }},
	} {
		src, w := make([]uint8, 2*4*groups), make([]int8, c.ntaps*groups*width*4)
		for i := range src {
			src[i] = uint8(c.src(i))
		}
		for i := range w {
			w[i] = int8(c.w(i))
		}
		taps := make([]int, c.ntaps) // all of them look at the same activations
		call := convCallI8{src: unsafe.Pointer(&src[0]), w: unsafe.Pointer(&w[0]), taps: &taps[0], ntaps: c.ntaps, kc: groups, srcStride: 4 * groups, flip: 128}
		for first := 0; first < width; first += genericLanes {
			var both, one [genericMaxM][genericLanes]int32
			accumulateI8Pair(&both, &call, first, width)
			accumulateI8(&one[0], &call, 0, first, width)
			accumulateI8(&one[1], &call, call.srcStride, first, width)
			if both != one {
				t.Errorf("%s, channels from %d: %v, alone %v", c.name, first, both, one)
			}
		}
	}
}
