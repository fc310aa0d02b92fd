package kernel

import (
	"math"
	"strings"
	"testing"
	"unsafe"
)

// eachVariant runs a test once per variant of this machine.
func eachVariant(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	before := Active()
	defer Use(before)
	for _, v := range Available() {
		if err := Use(v); err != nil {
			t.Fatal(err)
		}
		t.Run(string(v), f)
	}
}

// cases is n or, with -short, an eighth of it: under an emulator the definition
// that routines are compared with is slow.
func cases(n int) int {
	if testing.Short() {
		return n / 8
	}
	return n
}

func TestChoose(t *testing.T) {
	have := Available()
	if v, err := choose(""); err != nil || v != have[len(have)-1] {
		t.Errorf("choose of nothing: %v, %v; want the best of %v", v, err, have)
	}
	if v, err := choose("generic"); err != nil || v != Generic {
		t.Errorf("choose(generic): %v, %v", v, err)
	}
	_, err := choose("sse9")
	if err == nil || !strings.Contains(err.Error(), "sse9") || !strings.Contains(err.Error(), "generic") {
		t.Errorf("choose(sse9): %v; want an error that names it and what there is", err)
	}
}

func TestUse(t *testing.T) {
	before := Active()
	defer Use(before)
	if err := Use("sse9"); err == nil {
		t.Error("an unknown variant was accepted")
	}
	if Active() != before {
		t.Errorf("a refused variant became active: %v", Active())
	}
	if err := Use(Generic); err != nil || Active() != Generic {
		t.Errorf("Use(generic): %v, active %v", err, Active())
	}
}

// TestTileLayout holds the field offsets that the assembly uses.
func TestTileLayout(t *testing.T) {
	if unsafe.Sizeof(int(0)) != 8 {
		return // 32-bit machines have no assembly
	}
	var f TileF32
	var i TileI16
	var r Requant
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"TileF32.A", unsafe.Offsetof(f.A), 0}, {"TileF32.Off", unsafe.Offsetof(f.Off), 24},
		{"TileF32.Taps", unsafe.Offsetof(f.Taps), 72}, {"TileF32.K", unsafe.Offsetof(f.K), 96},
		{"TileF32.W", unsafe.Offsetof(f.W), 104}, {"TileF32.Bias", unsafe.Offsetof(f.Bias), 128},
		{"TileF32.Dst", unsafe.Offsetof(f.Dst), 152}, {"TileF32.Ldc", unsafe.Offsetof(f.Ldc), 176},
		{"TileF32.Rows", unsafe.Offsetof(f.Rows), 184}, {"TileF32.Lo", unsafe.Offsetof(f.Lo), 192},
		{"TileF32.Hi", unsafe.Offsetof(f.Hi), 196},
		{"TileI16.A", unsafe.Offsetof(i.A), 0}, {"TileI16.Off", unsafe.Offsetof(i.Off), 24},
		{"TileI16.Taps", unsafe.Offsetof(i.Taps), 72}, {"TileI16.K", unsafe.Offsetof(i.K), 96},
		{"TileI16.W", unsafe.Offsetof(i.W), 104}, {"TileI16.Bias", unsafe.Offsetof(i.Bias), 128},
		{"TileI16.Dst", unsafe.Offsetof(i.Dst), 152}, {"TileI16.Rows", unsafe.Offsetof(i.Rows), 176},
		{"Requant.Mult", unsafe.Offsetof(r.Mult), 24}, {"Requant.Shift", unsafe.Offsetof(r.Shift), 48},
		{"Requant.Dst", unsafe.Offsetof(r.Dst), 72}, {"Requant.Ldc", unsafe.Offsetof(r.Ldc), 96},
		{"Requant.Rows", unsafe.Offsetof(r.Rows), 104}, {"Requant.Zero", unsafe.Offsetof(r.Zero), 112},
		{"Requant.Lo", unsafe.Offsetof(r.Lo), 116}, {"Requant.Hi", unsafe.Offsetof(r.Hi), 120},
		{"Requant.HalfUp", unsafe.Offsetof(r.HalfUp), 124},
	} {
		if c.got != c.want {
			t.Errorf("%s is at byte %d, the assembly reads it at %d", c.name, c.got, c.want)
		}
	}
}

func TestFixedPoint(t *testing.T) {
	for _, c := range []struct{ x, e, away, up int32 }{
		{-1, 1, -1, 0}, {1, 1, 1, 1}, {-3, 1, -2, -1}, {3, 1, 2, 2}, {-5, 2, -1, -1},
		{6, 2, 2, 2}, {-6, 2, -2, -1}, {7, 0, 7, 7}, {math.MinInt32, 31, -1, -1}, {math.MaxInt32, 31, 1, 1},
	} {
		if got := DivideByPOT(c.x, c.e); got != c.away {
			t.Errorf("DivideByPOT(%d, %d) = %d, want %d", c.x, c.e, got, c.away)
		}
		if got := DivideByPOTHalfUp(c.x, c.e); got != c.up {
			t.Errorf("DivideByPOTHalfUp(%d, %d) = %d, want %d", c.x, c.e, got, c.up)
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
