package gemm

import (
	"testing"
	"unsafe"
)

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
