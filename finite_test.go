package edged_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"edged"
)

func bytesOf[T any](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(v[0])))
}

// The greatest and the least numbers pass, in every length; what is none is
// found at every place, between the largest of neighbours.
func TestNotFinite(t *testing.T) {
	t.Run("float16", func(t *testing.T) {
		everyPlace(t, edged.Float16, []uint16{0, 0x8000, 0x7bff, 0xfbff, 1, 0x83ff}, []uint16{0x7c00, 0xfc00, 0x7c01, 0xffff})
	})
	t.Run("float32", func(t *testing.T) {
		everyPlace(t, edged.Float32, []uint32{0, 1 << 31, 0x7f7ffffe, 0xff7ffffe, 1, 0x807fffff},
			[]uint32{0x7f800000, 0xff800000, 0x7f800001, 0xffffffff, math.Float32bits(math.MaxFloat32), math.Float32bits(-math.MaxFloat32)})
	})
	t.Run("float64", func(t *testing.T) {
		everyPlace(t, edged.Float64, []uint64{0, 1 << 63, math.Float64bits(math.MaxFloat64), math.Float64bits(-math.MaxFloat64), 1},
			[]uint64{math.Float64bits(math.Inf(1)), math.Float64bits(math.Inf(-1)), 0x7ff0000000000001, math.MaxUint64})
	})
	if i := edged.NotFinite(edged.Int8, []byte{0x7f, 0x80, 0xff}); i != -1 {
		t.Errorf("a whole number at %d is none", i)
	}
}

func everyPlace[T uint16 | uint32 | uint64](t *testing.T, typ edged.DType, numbers, others []T) {
	for _, n := range []int{0, 1, 3, 31, 64, 1025, 4099} {
		v := make([]T, n+1)[1:] // not aligned to more than an element
		for i := range v {
			v[i] = numbers[i%len(numbers)]
		}
		if n == 0 {
			continue
		}
		if i := edged.NotFinite(typ, bytesOf(v)); i != -1 {
			t.Fatalf("%d numbers: %d is none", n, i)
		}
		for i := 0; i < n; i += 1 + n/97 {
			keep := v[i]
			v[i] = others[i%len(others)]
			if got := edged.NotFinite(typ, bytesOf(v)); got != i {
				t.Fatalf("%d elements, %x at %d: found at %d", n, v[i], i, got)
			}
			v[i] = keep
		}
	}
}

func TestCheckFinite(t *testing.T) {
	s := edged.Spec{Name: "map", Shape: []int{1, 2, 3, 4}, Type: edged.Float32}
	v := make([]float32, s.Elems())
	if err := edged.CheckFinite(s, bytesOf(v)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -math.MaxFloat32} {
		v[23], v[18] = float32(bad), float32(bad)
		err := edged.CheckFinite(s, bytesOf(v))
		var e *edged.NumberError
		if !errors.As(err, &e) || !slices.Equal(e.At, []int{0, 1, 1, 2}) || fmt.Sprint(e.Value) != fmt.Sprint(bad) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// As many values as the bundled net's dense output holds on 480x640.
func BenchmarkNotFinite(b *testing.B) {
	v := make([]float32, 1330420)
	for i := range v {
		v[i] = float32(i) - 7e5
	}
	m := bytesOf(v)
	b.SetBytes(int64(len(m)))
	for b.Loop() {
		if edged.NotFinite(edged.Float32, m) >= 0 {
			b.Fatal("a number is none")
		}
	}
}
