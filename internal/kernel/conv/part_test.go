package conv

import (
	"math/rand/v2"
	"slices"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// partShapes have channels that fill the blocks of every variant, and that do not.
var partShapes = []ConvShape{
	{KH: 1, KW: 1, DY: 1, DX: 1, IC: 37, OC: 128},
	{KH: 1, KW: 1, DY: 1, DX: 1, IC: 64, OC: 131},
	{KH: 3, KW: 2, DY: 1, DX: 2, IC: 5, OC: 77},
}

// Parts write their own channels, the same bits as the whole, and nothing else:
// others may have been written before, and are not written again.
func TestPartsF32(t *testing.T) {
	const rows, cols, n, untouched = 2, 9, 3, -12345
	for _, on := range distinct(func(r *Routines) any { return r.convF32 }) {
		for _, s := range partShapes {
			s.Pix, s.Row = s.IC, s.IC*(cols+s.KW*s.DX)
			r, worker := rand.New(rand.NewPCG(1, 7)), new(Worker)
			src := Plane[float32]{kerneltest.Uniform(r, (rows+s.KH)*s.Row), s.Row, s.Pix}
			c := on.NewConvF32(s, kerneltest.Uniform(r, s.OC*s.KH*s.KW*s.IC), kerneltest.Uniform(r, s.OC), -1, 1)
			whole := Plane[float32]{make([]float32, rows*cols*s.OC), cols * s.OC, s.OC}
			c.Run(worker, whole, src, Plane[float32]{}, rows, cols)
			all := make([]float32, len(whole.P))
			for i := range n {
				part := Plane[float32]{slices.Repeat([]float32{untouched}, len(all)), whole.Row, whole.Pix}
				c.Part(i, n).Run(worker, part, src, Plane[float32]{}, rows, cols)
				merge(t, on, all, part.P, untouched)
			}
			if !slices.Equal(all, whole.P) {
				t.Errorf("%s %+v: parts are not the whole", on.variant, s)
			}
		}
	}
}

// TestPartsI8 is TestPartsF32 for bytes. A result is 1 or more, so that 0 is one that
// was not written.
func TestPartsI8(t *testing.T) {
	const rows, cols, n, untouched = 2, 9, 3, 0
	for _, on := range distinct(func(r *Routines) any { return r.convI8 }) {
		for k, s := range partShapes {
			s.Pix, s.Row = s.IC, s.IC*(cols+s.KW*s.DX)
			r, worker := rand.New(rand.NewPCG(1, 8)), new(Worker)
			src := Plane[uint8]{kerneltest.RandomBytes(r, (rows+s.KH)*s.Row+Slack), s.Row, s.Pix}
			c := on.NewConvI8(s, randomI8(r, s.OC*s.KH*s.KW*s.IC), nil, ConvI8Params{Signed: k%2 == 0, SrcZero: 3, Lo: 1, Hi: 127, Factors: randomFactors(r, s.OC)})
			whole := Plane[uint8]{make([]uint8, rows*cols*s.OC), cols * s.OC, s.OC}
			c.Run(worker, whole, src, rows, cols)
			all := make([]uint8, len(whole.P))
			for i := range n {
				part := Plane[uint8]{make([]uint8, len(all)), whole.Row, whole.Pix}
				c.Part(i, n).Run(worker, part, src, rows, cols)
				merge(t, on, all, part.P, untouched)
			}
			if !slices.Equal(all, whole.P) {
				t.Errorf("%s %+v: parts are not the whole", on.variant, s)
			}
		}
	}
}

// merge adds what part holds to all, where nothing may be yet.
func merge[T comparable](t *testing.T, on *Routines, all, part []T, untouched T) {
	t.Helper()
	var none T
	for i, v := range part {
		if v == untouched {
			continue
		}
		if all[i] != none {
			t.Fatalf("%s: element %d is written by two parts", on.variant, i)
		}
		all[i] = v
	}
}
