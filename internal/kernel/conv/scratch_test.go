package conv

import (
	"testing"

	"edged/internal/kernel/kerneltest"
)

// held is the memory of k's areas.
func held(k *Worker) int64 {
	n := 4*(len(k.strip)+len(k.asideF32)+len(k.winoI8.product)+len(k.windows)) + 2*(len(k.widened)+len(k.winoI8.planes)) + len(k.flipped) + len(k.asideI8) + len(k.winoI8.window) + len(k.winoI8.pixels)
	for _, area := range k.wino.areas() {
		n += 4 * len(*area)
	}
	return int64(n)
}

// TestScratchIsWhatWorkersHold runs convolutions one after the other on one
// worker.
func TestScratchIsWhatWorkersHold(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, on *Routines) {
		n := on.Scratch()
		k := new(Worker)
		for _, c := range []struct{ ic, oc, d, rows, cols int }{{3, 40, 1, 9, 30}, {17, 5, 3, 13, 40}, {24, 24, 2, 40, 17}, {8, 8, 1, 3, 5}} {
			scratchF32(on, &n, k, c.ic, c.oc, c.d, c.rows, c.cols)
			for _, signed := range []bool{true, false} {
				scratchI8(on, &n, k, signed, c.ic, c.oc, c.d, c.rows, c.cols)
			}
			if got := held(k); got != n.Bytes() {
				t.Fatalf("after %+v the worker holds %d bytes, counted are %d", c, got, n.Bytes())
			}
		}
		ahead := new(Worker)
		if n.Reserve(ahead); held(ahead) != n.Bytes()-4*int64(n.strip) {
			t.Errorf("a worker made ready holds %d bytes, counted are %d and %d floats of strips", held(ahead), n.Bytes(), n.strip)
		}
	})
}

func scratchF32(on *Routines, n *Scratch, k *Worker, ic, oc, d, rows, cols int) {
	s := ConvShape{KH: 3, KW: 3, DY: d, DX: d, IC: ic, OC: oc, Row: (cols + 2*d) * ic, Pix: ic}
	src := Picture{Plane: Plane[float32]{make([]float32, (rows+2*d)*s.Row), s.Row, ic}, H: rows + 2*d, W: cols + 2*d}
	dst := Plane[float32]{make([]float32, rows*cols*oc), cols * oc, oc}
	then := on.NewConvF32(ConvShape{KH: 1, KW: 1, IC: oc, OC: oc}, make([]float32, oc*oc), nil, minusInf, plusInf)
	for _, conv := range []StripsF32{
		on.NewWinogradF32(s, make([]float32, 9*ic*oc), nil, minusInf, plusInf),
		on.NewDirectStripsF32(s, cols, make([]float32, 9*ic*oc), nil, minusInf, plusInf),
	} {
		conv.Then(then)
		conv.RunStrips(k, dst, src, Plane[float32]{}, rows, cols, 0, s.Strips(rows))
	}
	n.WinogradF32(s)
	n.DirectStripsF32(s, cols)
	n.StripsThenF32(s, cols)
}

func scratchI8(on *Routines, n *Scratch, k *Worker, signed bool, ic, oc, d, rows, cols int) {
	s := ConvShape{KH: 3, KW: 3, DY: d, DX: d, IC: ic, OC: oc, Row: (cols + 2*d) * ic, Pix: ic}
	p := ConvI8Params{Signed: signed, WeightZero: 3, Hi: 127, Factors: make([]Factor, oc)}
	src := Plane[uint8]{make([]uint8, (rows+2*d)*s.Row+Slack), s.Row, ic}
	dst := Plane[uint8]{make([]uint8, rows*cols*oc), cols * oc, oc}
	on.NewConvI8(s, make([]int8, 9*ic*oc), nil, p).Run(k, dst, src, rows, cols)
	on.NewWinogradI8(s, make([]int8, 9*ic*oc), nil, p).Run(k, dst, src, rows, cols)
	n.ConvI8(s, &p, src.Row, src.Pix, rows, cols)
	n.WinogradI8(s)
	pointwise := ConvShape{KH: 1, KW: 1, IC: oc, OC: oc}
	b := Between{Channels: oc, Rows: rows, Cols: cols, Step: 1}
	NewChainI8(b, on.NewConvI8(s, make([]int8, 9*ic*oc), nil, p), on.NewConvI8(pointwise, make([]int8, oc*oc), nil, p)).Run(k, dst, src, rows, cols)
	n.ChainI8(b)
	n.ConvI8(pointwise, &p, b.Columns(1)*oc, oc, rows, b.Columns(1))
}
