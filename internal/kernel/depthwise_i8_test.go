package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestDepthwiseI8 compares every variant bit for bit with the dense definition,
// whose weights are zero off the diagonal.
func TestDepthwiseI8(t *testing.T) {
	worker := new(Worker)
	for _, k := range depthwiseI8Kernels() {
		t.Run(string(k.variant), func(t *testing.T) {
			r := rand.New(rand.NewPCG(9, 10))
			for i := range cases(300) {
				checkDepthwiseI8(t, worker, k, r, drawConvI8(r, i))
			}
			tilesI8(func(c convCaseI8) { checkDepthwiseI8(t, worker, k, r, c) })
		})
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
	dense := make([]int8, n*taps*n)
	for i, v := range w {
		dense[(i%n*taps+i/n)*n+i%n] = v
	}
	pix := n + r.IntN(20)
	dst, intact := guard(rows*cols*pix, 1+r.IntN(16), uint8(0xA5))
	want := append([]uint8(nil), dst...)
	naiveConvI8(MulByQuantized, s, dense, bias, p, src, want, sy, sx, rows, cols, cols*pix, pix)
	newDepthwiseI8(k, s, w, bias, p).Run(worker, Plane[uint8]{dst, cols * pix, pix}, Plane[uint8]{src, sy * s.Row, sx * s.Pix}, rows, cols)
	for i := range want {
		if dst[i] != want[i] {
			t.Fatalf("%+v %+v: pixel %d channel %d = %d, want %d", s, p, i/pix, i%pix, dst[i], want[i])
		}
	}
	intact(t)
}

func BenchmarkDepthwiseI8(b *testing.B) {
	for _, k := range depthwiseI8Kernels() {
		for _, c := range []struct{ size, c, k int }{{112, 64, 3}, {28, 256, 3}, {14, 512, 3}, {56, 24, 5}} {
			b.Run(fmt.Sprintf("%s/%dx%d_%d_k%d", k.variant, c.size, c.size, c.c, c.k), func(b *testing.B) {
				in := c.size + c.k - 1
				s := ConvShape{KH: c.k, KW: c.k, DY: 1, DX: 1, IC: c.c, OC: c.c, Row: in * c.c, Pix: c.c}
				r := rand.New(rand.NewPCG(1, 2))
				conv := newDepthwiseI8(k, s, randomI8(r, c.k*c.k*c.c), nil, ConvI8Params{Signed: true, Hi: 127, Factors: randomFactors(r, c.c)})
				src, dst, worker := randomBytes(r, in*s.Row+Slack), make([]uint8, c.size*c.size*c.c), new(Worker)
				for b.Loop() {
					conv.Run(worker, Plane[uint8]{dst, c.size * c.c, c.c}, Plane[uint8]{src, s.Row, s.Pix}, c.size, c.size)
				}
				b.ReportMetric(2*float64(c.k*c.k*c.c*c.size*c.size)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GOP/s")
			})
		}
	}
}
