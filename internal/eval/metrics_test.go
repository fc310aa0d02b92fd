package eval

import (
	"math"
	"testing"

	"edged"
)

// drawn reads a mask from rows of digits.
func drawn(rows ...string) *edged.Mask {
	m := &edged.Mask{Stride: len(rows[0]) + 3, W: len(rows[0]), H: len(rows)}
	m.Pix = make([]uint8, m.Stride*m.H)
	for i := range m.Pix {
		m.Pix[i] = 77 // beyond the row: must never be read
	}
	for y, row := range rows {
		for x := range row {
			m.Pix[y*m.Stride+x] = row[x] - '0'
		}
	}
	return m
}

func whole(m *edged.Mask) Region { return Region{0, 0, m.W, m.H} }

func near6(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-12 {
		t.Errorf("%s = %v, by hand %v", what, got, want)
	}
}

func TestScoreByHand(t *testing.T) {
	truth := drawn("00011", "00011", "00022")
	got := drawn("00111", "00011", "00122")
	s := NewScore(4, 0)
	s.Add(truth, got, whole(truth))
	near6(t, "pixel accuracy", s.PixelAccuracy(), 13.0/15)
	near6(t, "IoU 0", s.IoU(0), 7.0/9)
	near6(t, "IoU 1", s.IoU(1), 4.0/6)
	near6(t, "IoU 2", s.IoU(2), 1)
	near6(t, "IoU 3", s.IoU(3), math.NaN())
	near6(t, "mIoU", s.MeanIoU(), (7.0/9+4.0/6+1)/3)
	if n := s.Confusion(0, 1); n != 2 {
		t.Errorf("background called 1: %d, by hand 2", n)
	}
}

func TestBoundaryByHand(t *testing.T) {
	// The border between 0 and 1 stands one column off: with no tolerance nothing
	// matches, with one pixel everything does.
	truth := drawn("00111", "00111")
	got := drawn("00011", "00011")
	strict, lax := NewScore(2, 0), NewScore(2, 1)
	for _, s := range []*Score{strict, lax} {
		s.Add(truth, got, whole(truth))
	}
	near6(t, "F without tolerance", strict.MeanBoundaryF(), 0)
	near6(t, "F with one pixel", lax.MeanBoundaryF(), 1)
}

func TestBoundaryPrecisionAndRecall(t *testing.T) {
	// Truth: one border pixel column of each class, 3 rows. Prediction: right in
	// the first row only, elsewhere nothing of class 1.
	truth := drawn("0001", "0001", "0001")
	got := drawn("0001", "0000", "0000")
	s := NewScore(2, 0)
	s.Add(truth, got, whole(truth))
	// Class 1: found 1, right 1; true 3, met 1: P = 1, R = 1/3.
	near6(t, "F 1", s.BoundaryF(1), 2*1*(1.0/3)/(1+1.0/3))
	// Class 0: predicted border (2,0) and (3,1); true border (2,0) (2,1) (2,2).
	near6(t, "F 0", s.BoundaryF(0), 2*0.5*(1.0/3)/(0.5+1.0/3))
}

func TestOnlyTheRegionCounts(t *testing.T) {
	truth := drawn("1111", "1001", "1001", "1111")
	got := drawn("0000", "0000", "0000", "0000")
	s := NewScore(2, 2)
	s.Add(truth, got, Region{1, 1, 3, 3})
	near6(t, "pixel accuracy", s.PixelAccuracy(), 1)
	near6(t, "boundary F", s.MeanBoundaryF(), math.NaN())
}

func TestEmptyScore(t *testing.T) {
	s := NewScore(3, 1)
	near6(t, "pixel accuracy", s.PixelAccuracy(), math.NaN())
	near6(t, "mIoU", s.MeanIoU(), math.NaN())
	near6(t, "boundary F", s.MeanBoundaryF(), math.NaN())
}

// The tolerance is a disc, not a square.
func TestToleranceIsEuclidean(t *testing.T) {
	a := drawn("100", "000", "000")
	b := drawn("000", "000", "001")
	s := NewScore(2, 2)
	s.Add(a, b, whole(a))
	near6(t, "class 1, 2.83 pixels off", s.BoundaryF(1), 0)
	s = NewScore(2, 3)
	s.Add(a, b, whole(a))
	near6(t, "class 1, within 3", s.BoundaryF(1), 1)
}
