package model

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// Every half-precision number widens exactly, and comes back.
func TestFloat16IsExact(t *testing.T) {
	for h := range 1 << 16 {
		f := Float16(uint16(h))
		exponent, fraction := h>>10&0x1f, h&0x3ff
		want := math.Ldexp(float64(fraction), -24)
		switch {
		case exponent == 0x1f && fraction != 0:
			if f == f {
				t.Fatalf("%#04x is no NaN but %g", h, f)
			}
			continue
		case exponent == 0x1f:
			want = math.Inf(1)
		case exponent != 0:
			want = math.Ldexp(float64(1024+fraction), exponent-25)
		}
		if h>>15 == 1 {
			want = math.Copysign(want, -1)
		}
		if float64(f) != want || math.Signbit(float64(f)) != math.Signbit(want) {
			t.Fatalf("%#04x is %g, want %g", h, f, want)
		}
		if back := ToFloat16(f); back != uint16(h) {
			t.Fatalf("%g came back as %#04x, not %#04x", f, back, h)
		}
	}
}

// What lies between two numbers goes to the nearer, a tie to the even one.
func TestToFloat16Rounds(t *testing.T) {
	for h := range uint16(0x7bff) {
		low, high := Float16(h), Float16(h+1)
		middle := (low + high) / 2
		even := h + h&1
		for _, c := range []struct {
			f    float32
			want uint16
		}{
			{math.Nextafter32(middle, low), h}, {math.Nextafter32(middle, high), h + 1}, {middle, even}, {-middle, even | 0x8000},
		} {
			if got := ToFloat16(c.f); got != c.want {
				t.Fatalf("%g became %#04x, want %#04x", c.f, got, c.want)
			}
		}
	}
	for f, want := range map[float32]uint16{
		65504: 0x7bff, 65519.99: 0x7bff, 65520: 0x7c00, 1e30: 0x7c00, float32(math.Inf(-1)): 0xfc00, 1e-9: 0, -1e-9: 0x8000,
	} {
		if got := ToFloat16(f); got != want {
			t.Errorf("%g became %#04x, want %#04x", f, got, want)
		}
	}
	if got := ToFloat16(float32(math.NaN())); got&0x7c00 != 0x7c00 || got&0x3ff == 0 {
		t.Errorf("NaN became %#04x", got)
	}
}

func TestIntsAndFloatsRefuse(t *testing.T) {
	if _, err := Ints(TypeFloat32, make([]byte, 4)); err == nil {
		t.Error("floats were read as integers")
	}
	if _, err := Floats(TypeInt8, make([]byte, 4)); err == nil {
		t.Error("integers were read as floats")
	}
	if _, err := Ints(TypeInt64, make([]byte, 12)); err == nil {
		t.Error("one and a half integers were read")
	}
	v, err := Ints(TypeInt16, []byte{0xff, 0xff, 2, 0})
	if err != nil || v[0] != -1 || v[1] != 2 {
		t.Errorf("%v, %v", v, err)
	}
}

func TestWindowArithmetic(t *testing.T) {
	for _, c := range []struct {
		p                  Padding
		in, k, s, d        int64
		out, before, after int64
	}{
		{PaddingSame, 224, 3, 2, 1, 112, 0, 1},
		{PaddingSame, 225, 3, 2, 1, 113, 1, 1},
		{PaddingSame, 10, 3, 1, 4, 10, 4, 4},
		{PaddingSame, 5, 2, 1, 1, 5, 0, 1},
		{PaddingSame, 7, 1, 3, 1, 3, 0, 0},
		{PaddingValid, 10, 3, 1, 1, 8, 0, 0},
		{PaddingValid, 10, 3, 3, 2, 2, 0, 0},
		{PaddingValid, 4, 3, 1, 2, 0, 0, 0},
		{PaddingValid, 0, 1, 1, 1, 0, 0, 0},
		{PaddingSame, 9, 3, 0, 1, 0, 0, 0},
	} {
		out := OutSize(c.p, c.in, c.k, c.s, c.d)
		before, after := Pads(c.p, c.in, c.k, c.s, c.d)
		if out != c.out || before != c.before || after != c.after {
			t.Errorf("%v in %d k %d s %d d %d: %d (%d, %d), want %d (%d, %d)", c.p, c.in, c.k, c.s, c.d, out, before, after, c.out, c.before, c.after)
		}
	}
}

// Integers of every type widen with their sign, floats with their value; the
// other kind, and half an element, are told.
func TestValuesWiden(t *testing.T) {
	data := []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	for typ, want := range map[TensorType][]int64{
		TypeInt8: {-2, -1, -1, -1, -1, -1, -1, -1}, TypeUint8: {254, 255, 255, 255, 255, 255, 255, 255},
		TypeInt16: {-2, -1, -1, -1}, TypeUint16: {65534, 65535, 65535, 65535}, TypeInt32: {-2, -1}, TypeUint32: {1<<32 - 2, 1<<32 - 1}, TypeInt64: {-2},
	} {
		if got, err := Ints(typ, data); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %v, %v, want %v", typ, got, err, want)
		}
		if _, err := Floats(typ, data); err == nil || !strings.Contains(err.Error(), "where floats are asked for") {
			t.Errorf("%v as floats: %v", typ, err)
		}
		if _, err := Ints(typ, data[:7]); (err == nil) != (typ.Size() == 1) {
			t.Errorf("%v: seven bytes: %v", typ, err)
		}
	}
	one := []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f} // as float64; its halves are 0 and 1.875
	for typ, want := range map[TensorType][]float32{TypeFloat64: {1}, TypeFloat32: {0, 1.875}, TypeFloat16: {0, 0, 0, 1.984375}} {
		if got, err := Floats(typ, one); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %v, %v, want %v", typ, got, err, want)
		}
		if _, err := Ints(typ, one); err == nil || !strings.Contains(err.Error(), "where integers are asked for") {
			t.Errorf("%v as integers: %v", typ, err)
		}
	}
}
