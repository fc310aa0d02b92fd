package daemon

import (
	"testing"

	"edged"
	"edged/internal/pipeline"
)

// stripOf is a strip whose pixels, and whose mask's, say which row they are.
func stripOf(row, h, maskRow, maskH, stride int) *pipeline.Result {
	f := &edged.Frame{W: 3, H: h, Stride: 3, Format: edged.Gray, Row: int64(row), Pix: make([]byte, 3*h)}
	for i := range f.Pix {
		f.Pix[i] = byte(row + i/3)
	}
	m := &edged.Mask{W: 2, H: maskH, Stride: 2, Pix: make([]uint8, 2*maskH)}
	m.Grid.Stride, m.Grid.Origin = [2]float64{float64(stride), 1}, [2]float64{float64(maskRow), 1}
	for i := range m.Pix {
		m.Pix[i] = byte(maskRow + i/2*stride)
	}
	return &pipeline.Result{Frame: f, Mask: m, Line: &pipeline.Strip{Row: int64(maskRow), Rows: maskH * stride}}
}

// TestCanvas: each row of the mask lies on the row of the picture that it is centred
// on, however far strips and masks are apart.
func TestCanvas(t *testing.T) {
	var v canvas
	var shown *pipeline.Result
	row, mask := 0, 19
	for _, h := range []int{40, 64, 7, 33, 500, 64, 64, 1, 90} {
		n := (row+h-19-mask)/2 + 1
		shown = v.add(stripOf(row, h, mask, n, 2))
		row, mask = row+h, mask+2*n
	}
	f, m := shown.Frame, shown.Mask
	if f.H != canvasRows || f.Pix[len(f.Pix)-1] != byte(row-1) || f.Pix[0] != byte(row-canvasRows) {
		t.Fatalf("the picture is %d rows, from %d to %d, behind row %d", f.H, f.Pix[0], f.Pix[len(f.Pix)-1], row)
	}
	compared := 0
	for y := range m.H {
		at := int(m.Grid.Origin[0]) + 2*y
		if at >= f.H || row-canvasRows+at > mask-2 {
			continue // not decided
		}
		if compared++; m.Pix[y*m.Stride] != f.Pix[at*f.Stride] {
			t.Fatalf("mask row %d lies on row %d, it is of %d", y, f.Pix[at*f.Stride], m.Pix[y*m.Stride])
		}
	}
	if compared < 200 {
		t.Errorf("%d rows compared", compared)
	}
	if again := v.add(&pipeline.Result{Frame: &edged.Frame{W: 3, H: 4}, Mask: shown.Mask, Line: &pipeline.Strip{}}); again.Frame.Pix == nil {
		t.Error("a result without a picture is shown as one")
	}
}
