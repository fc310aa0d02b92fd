package conv

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/cpu"
	"edged/internal/kernel/kerneltest"
	"edged/internal/kernel/vec"
)

// TestWinogradI8 compares every variant bit for bit with the definition: any
// dilation, any size, ends that are no multiple of a tile.
func TestWinogradI8(t *testing.T) {
	worker := new(Worker)
	for _, on := range distinct(func(r *Routines) any { return r.winogradI8 }) {
		k := on.winogradI8
		t.Run(string(on.variant), func(t *testing.T) {
			r := rand.New(rand.NewPCG(17, 18))
			for range kerneltest.Cases(150) {
				checkWinogradI8(t, worker, k, r)
			}
		})
	}
}

func checkWinogradI8(t *testing.T, worker *Worker, k *winogradKernelI8, r *rand.Rand) {
	s := ConvShape{KH: 3, KW: 3, DY: 1 + r.IntN(4), DX: 1 + r.IntN(4), IC: 1 + r.IntN(40), OC: 1 + r.IntN(40)}
	rows, cols := 1+r.IntN(21), 1+r.IntN(33)
	s.Pix = s.IC + r.IntN(2)*r.IntN(9)
	s.Row = (cols+2*s.DX)*s.Pix + r.IntN(5)
	src := kerneltest.RandomBytes(r, (rows+2*s.DY)*s.Row+Slack)
	w, bias := randomI8(r, s.OC*9*s.IC), make([]int32, s.OC)
	for i := range bias {
		bias[i] = r.Int32N(1<<16) - 1<<15
	}
	p := ConvI8Params{SrcZero: r.Int32N(256), DstZero: r.Int32N(256), Lo: 3, Hi: 251, Factors: randomFactors(r, s.OC)}
	if p.Signed = r.IntN(2) == 0; p.Signed {
		p.SrcZero, p.DstZero, p.Lo, p.Hi = p.SrcZero-128, p.DstZero-128, -125, 124
	}
	p.WeightZero = randomZero(r)
	if r.IntN(4) == 0 { // the largest sums
		fill(src, 255*uint8(r.IntN(2)))
		fill(w, -128)
	}
	pix := s.OC + r.IntN(20)
	row := cols*pix + r.IntN(20)
	dst, intact := kerneltest.Guard(rows*row, 1+r.IntN(16), uint8(0xA5))
	want := append([]uint8(nil), dst...)
	naiveConvI8(vec.MulByQuantizedHalfUp, s, w, bias, p, src, want, 1, 1, rows, cols, row, pix)
	newWinogradI8(k, s, w, bias, p).Run(worker, Plane[uint8]{dst, row, pix}, Plane[uint8]{src, s.Row, s.Pix}, rows, cols)
	for i := range want {
		if dst[i] != want[i] {
			t.Fatalf("%+v %dx%d: byte %d (row %d, pixel %d, channel %d) = %d, want %d", s, rows, cols, i, i/row, i%row/pix, i%row%pix, dst[i], want[i])
		}
	}
	intact(t)
}

func fill[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}

// TestWinogradI8Pays: never beside the dot product or with few channels, and
// what was measured stays.
func TestWinogradI8Pays(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, on *Routines) {
		if on.WinogradI8Pays(4, 64) || on.WinogradI8Pays(64, 4) || on.variant == cpu.NEONDot && on.WinogradI8Pays(64, 64) {
			t.Error("Winograd was taken")
		}
		if a, b := on.WinogradI8Pays(64, 64), on.WinogradI8Pays(64, 64); a != b || a && !on.WinogradI8Pays(128, 128) {
			t.Errorf("64 channels: %t, then %t, more: %t", a, b, on.WinogradI8Pays(128, 128))
		}
	})
}

// TestWinogradI8Bound: sums that may pass what the residues can tell are refused.
func TestWinogradI8Bound(t *testing.T) {
	on := variants()[0]
	for _, c := range []struct {
		ic     int
		signed bool
		ok     bool
	}{{114, false, true}, {115, false, false}, {227, true, true}, {228, true, false}} {
		s := ConvShape{KH: 3, KW: 3, DY: 1, DX: 1, IC: c.ic, OC: 1}
		w := make([]int8, 9*c.ic)
		fill(w, -128)
		g := on.NewWinogradI8(s, w, nil, ConvI8Params{Signed: c.signed, Factors: []Factor{{1 << 30, 0}}})
		if (g != nil) != c.ok {
			t.Errorf("%d channels of -128, signed %t: accepted %t, want %t", c.ic, c.signed, g != nil, c.ok)
		}
	}
}

func BenchmarkWinogradI8(b *testing.B) {
	for _, on := range distinct(func(r *Routines) any { return r.winogradI8 }) {
		k := on.winogradI8
		for _, c := range []struct{ size, ic, oc, d int }{{56, 64, 64, 1}, {112, 32, 32, 4}, {112, 16, 16, 2}, {112, 8, 8, 2}, {112, 24, 24, 2}, {56, 128, 128, 1}, {112, 3, 16, 1}} {
			b.Run(fmt.Sprintf("%s/%dx%d_%dto%d_d%d", on.variant, c.size, c.size, c.ic, c.oc, c.d), func(b *testing.B) {
				in := c.size + 2*c.d
				s := ConvShape{KH: 3, KW: 3, DY: c.d, DX: c.d, IC: c.ic, OC: c.oc, Row: in * c.ic, Pix: c.ic}
				r := rand.New(rand.NewPCG(1, 2))
				g := newWinogradI8(k, s, randomI8(r, 9*c.ic*c.oc), nil, ConvI8Params{Signed: true, Hi: 127, Factors: randomFactors(r, c.oc)})
				src, dst, worker := kerneltest.RandomBytes(r, in*s.Row+Slack), make([]uint8, c.size*c.size*c.oc), new(Worker)
				for b.Loop() {
					g.Run(worker, Plane[uint8]{dst, c.size * c.oc, c.oc}, Plane[uint8]{src, s.Row, s.Pix}, c.size, c.size)
				}
				b.ReportMetric(2*9*float64(c.ic*c.oc*c.size*c.size)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GOP/s-direct-equivalent")
			})
		}
	}
}
