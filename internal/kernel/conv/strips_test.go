package conv

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// stripCase is a picture with a border, some with a pool, and a copy that has
// both applied.
type stripCase struct {
	shape      ConvShape
	src        Picture
	rows, cols int
	w, bias    []float32
	bordered   Plane[float32]
}

func newStripCase(pool *poolKernel, r *rand.Rand) stripCase {
	s := ConvShape{KH: 3, KW: 3, DY: 1 + r.IntN(5), DX: 1 + r.IntN(5), IC: 1 + r.IntN(30), OC: 1 + r.IntN(30)}
	src := Picture{H: 1 + r.IntN(30), W: 1 + r.IntN(40), Top: r.IntN(6) - 1, Left: r.IntN(6) - 1}
	c := stripCase{shape: s, rows: max(1, src.H+src.Top+r.IntN(5)-2*s.DY), cols: max(1, src.W+src.Left+r.IntN(5)-2*s.DX)}
	kh, kw, d := 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(3)
	h, w := src.H+(kh-1)*d, src.W+(kw-1)*d
	src.Plane = Plane[float32]{kerneltest.Uniform(r, h*w*s.IC), w * s.IC, s.IC}
	if kh*kw > 1 {
		src.Pool = newPoolF32(pool, kh, kw, d*src.Row, d*s.IC)
	}
	wide := max(c.cols+2*s.DX, src.W+src.Left)
	c.bordered = Plane[float32]{make([]float32, max(c.rows+2*s.DY, src.H+src.Top)*wide*s.IC), wide * s.IC, s.IC}
	for i := range src.H * src.W * s.IC {
		y, x := i/(src.W*s.IC), i/s.IC%src.W
		if y+src.Top < 0 || x+src.Left < 0 {
			continue
		}
		most := float32(math.Inf(-1))
		for k := range kh * kw {
			most = max(most, src.P[(y+k/kw*d)*src.Row+(x+k%kw*d)*s.IC+i%s.IC])
		}
		c.bordered.P[(y+src.Top)*c.bordered.Row+(x+src.Left)*s.IC+i%s.IC] = most
	}
	c.src, c.w, c.bias = src, kerneltest.Uniform(r, s.OC*9*s.IC), kerneltest.Uniform(r, s.OC)
	return c
}

// same holds the result of any share of the strips against the convolution of
// the copy, bit for bit.
func (c stripCase) same(t *testing.T, r *rand.Rand, g StripsF32, whole interface {
	Run(k *Worker, dst, src, res Plane[float32], rows, cols int)
}) {
	t.Helper()
	worker, res := new(Worker), Plane[float32]{}
	want, got := make([]float32, c.rows*c.cols*c.shape.OC), make([]float32, c.rows*c.cols*c.shape.OC)
	plane := func(p []float32) Plane[float32] { return Plane[float32]{p, c.cols * c.shape.OC, c.shape.OC} }
	if r.IntN(2) == 0 {
		res = plane(kerneltest.Uniform(r, len(want)))
	}
	whole.Run(worker, plane(want), c.bordered, res, c.rows, c.cols)
	for lo, hi := 0, 0; lo < c.shape.Strips(c.rows); lo = hi {
		hi = min(lo+1+r.IntN(7), c.shape.Strips(c.rows))
		g.RunStrips(worker, plane(got), c.src, res, c.rows, c.cols, lo, hi)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%+v, picture %dx%d at (%d,%d), %dx%d: strips give other bits", c.shape, c.src.H, c.src.W, c.src.Top, c.src.Left, c.rows, c.cols)
	}
}

// TestWinogradStrips shares strips of pictures with a border and a pool.
func TestWinogradStrips(t *testing.T) {
	for _, on := range distinct(func(r *Routines) any { return r.winograd }) {
		t.Run(string(on.variant), func(t *testing.T) {
			r := rand.New(rand.NewPCG(17, 8))
			for range kerneltest.Cases(60) {
				c := newStripCase(on.poolF32, r)
				g := on.NewWinogradF32(c.shape, c.w, c.bias, -3, 6)
				c.same(t, r, g, g)
			}
		})
	}
}

// TestDirectStrips is TestWinogradStrips for the direct convolution.
func TestDirectStrips(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, on *Routines) {
		r := rand.New(rand.NewPCG(17, 9))
		for range kerneltest.Cases(60) {
			c := newStripCase(on.poolF32, r)
			s := c.shape
			s.Row, s.Pix = c.bordered.Row, c.bordered.Pix
			c.same(t, r, on.NewDirectStripsF32(c.shape, c.cols, c.w, c.bias, -3, 6), on.NewConvF32(s, c.w, c.bias, -3, 6))
		}
	})
}

// TestPoolF32 compares every variant with the definition: any length, values
// that are no numbers, guards around the result.
func TestPoolF32(t *testing.T) {
	for _, on := range distinct(func(r *Routines) any { return r.poolF32 }) {
		k := on.poolF32
		t.Run(string(on.variant), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 3))
			for n := 1; n < 150; n++ {
				kh, kw, row, pix := 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(200), 1+r.IntN(20)
				p := newPoolF32(k, kh, kw, row, pix)
				src := kerneltest.Uniform(r, n+p.reach)
				for i := range src {
					switch r.IntN(20) {
					case 0:
						src[i] = float32(math.NaN())
					case 1:
						src[i] = float32(math.Inf(-1))
					}
				}
				dst, intact := kerneltest.Guard(n, 1+r.IntN(16), float32(-12345))
				p.Run(new(Worker), dst, src)
				intact(t)
				for i, v := range dst {
					want := float32(-math.MaxFloat32)
					for y := range kh {
						for x := range kw {
							if s := src[i+y*row+x*pix]; s > want {
								want = s
							}
						}
					}
					if v != want {
						t.Fatalf("%d of %d, %dx%d taps %d and %d apart: %g, want %g", i, n, kh, kw, row, pix, v, want)
					}
				}
			}
		})
	}
}

func BenchmarkPoolF32(b *testing.B) {
	for _, on := range distinct(func(r *Routines) any { return r.poolF32 }) {
		k := on.poolF32
		b.Run(string(on.variant), func(b *testing.B) {
			p, worker := newPoolF32(k, 2, 2, 2048, 16), new(Worker)
			src, dst := make([]float32, 4096), make([]float32, 2000)
			b.SetBytes(4 * int64(len(dst)))
			for b.Loop() {
				p.Run(worker, dst, src)
			}
		})
	}
}
