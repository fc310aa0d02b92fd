package conv

import (
	"testing"

	"edged/internal/kernel/kerneltest"
)

func TestRatesAreReadAsWritten(t *testing.T) {
	want := Rates{Direct: 26.91, Products: 19.03, Transform: 1.414, Memory: 8}
	if got, err := fixedRates(want.String()); err != nil || got != want {
		t.Errorf("%q gave %+v, %v", want.String(), got, err)
	}
	for _, s := range []string{"1,2,3", "1,2,3,4,5", "1,2,3,0", "1,2,3,-4", "1,2,3,x", "1,2,3,+Inf", "NaN,1,1,1", ","} {
		if r, err := fixedRates(s); err == nil {
			t.Errorf("%q was taken as %+v", s, r)
		}
	}
}

func TestRatesOfEveryVariant(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, on *Routines) {
		r := on.MeasuredRates()
		if got, err := fixedRates(r.String()); err != nil || on.MeasuredRates() != r {
			t.Errorf("rates %+v, read again %+v, %v", r, got, err)
		}
	})
}

func TestRatesFromTheEnvironment(t *testing.T) {
	t.Setenv(RatesVariable, "1,2,3,4")
	if r := variants()[0].MeasuredRates(); r != (Rates{1, 2, 3, 4}) || RatesErr() != nil {
		t.Errorf("%+v, %v", r, RatesErr())
	}
	t.Setenv(RatesVariable, "fast")
	if RatesErr() == nil {
		t.Error("no error")
	}
}

func BenchmarkMeasureRates(b *testing.B) {
	for b.Loop() {
		for _, on := range variants() {
			b.Log(on.variant, on.measureRates())
		}
	}
}
