package conv

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
	"edged/internal/kernel/vec"
)

// naiveDepthwiseI8 is the definition, for as many rows as dst has; it leaves what
// lies between pixels alone.
func naiveDepthwiseI8(s ConvShape, w []int8, bias []int32, p ConvI8Params, src, dst []uint8, sy, sx, cols, pix int) {
	for i := range dst {
		y, x, c := i/pix/cols, i/pix%cols, i%pix
		if c >= s.OC {
			continue
		}
		acc := bias[c]
		for t := range s.KH * s.KW {
			v := int32(src[(y*sy+t/s.KW*s.DY)*s.Row+(x*sx+t%s.KW*s.DX)*s.Pix+c])
			if p.Signed {
				v = int32(int8(v))
			}
			acc += (v - p.SrcZero) * (int32(w[t*s.OC+c]) - p.WeightZero)
		}
		v := vec.MulByQuantized(acc, p.Factors[c].Multiplier, p.Factors[c].Shift)
		dst[i] = uint8(min(max(v+p.DstZero, p.Lo), p.Hi))
	}
}

// TestDepthwiseI8 compares every variant bit for bit with the definition.
func TestDepthwiseI8(t *testing.T) {
	worker := new(Worker)
	for _, on := range distinct(func(r *Routines) any { return r.depthwiseI8 }) {
		k := on.depthwiseI8
		t.Run(string(on.variant), func(t *testing.T) {
			r := rand.New(rand.NewPCG(9, 10))
			for i := range kerneltest.Cases(300) {
				checkDepthwiseI8(t, worker, k, r, drawConvI8(r, i))
			}
			tilesI8(func(c convCaseI8) { checkDepthwiseI8(t, worker, k, r, c) })
			columnsI8(func(c convCaseI8) { checkDepthwiseI8(t, worker, k, r, c) })
		})
	}
}

// columnsI8 draws windows three taps wide: every way of sharing columns, rows of
// few windows and of more, channels that fill blocks and that do not.
func columnsI8(f func(c convCaseI8)) {
	for n, channels := range []int{1, 4, 17, 31, 32, 33, 47, 63, 64, 65, 96, 97, 127, 128, 130} {
		for sx := 1; sx <= 3; sx++ {
			for d := 1; d <= 3; d++ {
				for cols := 1; cols <= 8; cols++ {
					f(convCaseI8{ConvShape{KH: 1 + (n+cols)%3, KW: 3, DY: 1 + cols%2, DX: d, OC: channels}, 1 + n%2, sx, 1 + cols%3, cols, n % 3, (d+cols)%2 == 0})
				}
			}
		}
	}
}

// checkDepthwiseI8 takes the case's output channels.
func checkDepthwiseI8(t *testing.T, worker *Worker, k *convKernelI8, r *rand.Rand, c convCaseI8) {
	t.Helper()
	c.IC = c.OC
	s, n, sy, sx, rows, cols := c.ConvShape, c.OC, c.sy, c.sx, c.rows, c.cols
	s.Pix = n + r.IntN(2)*r.IntN(9)
	s.Row = ((cols-1)*sx + (s.KW-1)*s.DX + 1) * s.Pix
	taps := s.KH * s.KW
	src, w := randomConvI8(r, c.values, ((rows-1)*sy+(s.KH-1)*s.DY+1)*s.Row-s.Pix+n+Slack, taps*n)
	bias := make([]int32, n)
	for i := range bias {
		bias[i] = r.Int32N(1<<14) - 1<<13
	}
	p := ConvI8Params{SrcZero: r.Int32N(256), DstZero: r.Int32N(256), Hi: 255, Factors: randomFactors(r, n)}
	if p.Signed = c.signed; p.Signed {
		p.SrcZero, p.DstZero, p.Lo, p.Hi = p.SrcZero-128, p.DstZero-128, -100, 120
	}
	p.WeightZero = randomZero(r)
	if r.IntN(2) == 0 {
		p.Lo = max(p.Lo, p.DstZero) // a rectifier: it hides how negative halves are rounded
	}
	pix := n + r.IntN(20)
	dst, intact := kerneltest.Guard(rows*cols*pix, 1+r.IntN(16), uint8(0xA5))
	want := append([]uint8(nil), dst...)
	naiveDepthwiseI8(s, w, bias, p, src, want, sy, sx, cols, pix)
	newDepthwiseI8(k, s, w, bias, p).Run(worker, Plane[uint8]{dst, cols * pix, pix}, Plane[uint8]{src, sy * s.Row, sx * s.Pix}, rows, cols)
	for i := range want {
		if dst[i] != want[i] {
			t.Fatalf("%+v %+v: pixel %d channel %d = %d, want %d", s, p, i/pix, i%pix, dst[i], want[i])
		}
	}
	intact(t)
}

func BenchmarkDepthwiseI8(b *testing.B) {
	for _, on := range distinct(func(r *Routines) any { return r.depthwiseI8 }) {
		k := on.depthwiseI8
		for _, c := range []struct{ size, c, k int }{{112, 64, 3}, {28, 256, 3}, {14, 512, 3}, {56, 24, 5}} {
			b.Run(fmt.Sprintf("%s/%dx%d_%d_k%d", on.variant, c.size, c.size, c.c, c.k), func(b *testing.B) {
				in := c.size + c.k - 1
				s := ConvShape{KH: c.k, KW: c.k, DY: 1, DX: 1, IC: c.c, OC: c.c, Row: in * c.c, Pix: c.c}
				r := rand.New(rand.NewPCG(1, 2))
				conv := newDepthwiseI8(k, s, randomI8(r, c.k*c.k*c.c), nil, ConvI8Params{Signed: true, Hi: 127, Factors: randomFactors(r, c.c)})
				src, dst, worker := kerneltest.RandomBytes(r, in*s.Row+Slack), make([]uint8, c.size*c.size*c.c), new(Worker)
				for b.Loop() {
					conv.Run(worker, Plane[uint8]{dst, c.size * c.c, c.c}, Plane[uint8]{src, s.Row, s.Pix}, c.size, c.size)
				}
				b.ReportMetric(2*float64(c.k*c.k*c.c*c.size*c.size)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GOP/s")
			})
		}
	}
}
