package vec

import (
	"math"
	"testing"
)

func TestFixedPoint(t *testing.T) {
	for _, c := range []struct{ x, e, away, up int32 }{
		{-1, 1, -1, 0}, {1, 1, 1, 1}, {-3, 1, -2, -1}, {3, 1, 2, 2}, {-5, 2, -1, -1},
		{6, 2, 2, 2}, {-6, 2, -2, -1}, {7, 0, 7, 7}, {math.MinInt32, 31, -1, -1}, {math.MaxInt32, 31, 1, 1},
	} {
		if got := DivideByPOT(c.x, c.e); got != c.away {
			t.Errorf("DivideByPOT(%d, %d) = %d, want %d", c.x, c.e, got, c.away)
		}
		if got := divideByPOTHalfUp(c.x, c.e); got != c.up {
			t.Errorf("divideByPOTHalfUp(%d, %d) = %d, want %d", c.x, c.e, got, c.up)
		}
	}
	if got := DoublingHighMul(math.MinInt32, math.MinInt32); got != math.MaxInt32 {
		t.Errorf("DoublingHighMul of the two smallest = %d, want saturation", got)
	}
	for _, f := range []float64{0, 1, 0.5, 0.3, 1e-5, 3.7, 1e-12, 1e12, math.NaN()} {
		m, s := QuantizeMultiplier(f)
		back := math.Ldexp(float64(m), int(s)-31)
		if f >= 1e-9 && f < 1e9 && math.Abs(back-f) > f*1e-9 {
			t.Errorf("QuantizeMultiplier(%g) = %d, %d, which is %g", f, m, s, back)
		}
	}
}
