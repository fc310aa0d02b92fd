package rewrite

import (
	"math"
	"slices"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
)

// engineOf opens a rewriting of m on the fallback.
func engineOf(t *testing.T, m *model.Model, o Options) edged.Engine {
	t.Helper()
	r, err := Rewrite(m, "00", o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	e, err := fallback.Open(b, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func runOn(t *testing.T, e edged.Engine, in []int8) []int8 {
	t.Helper()
	copy(edged.View[int8](e.Input(0)), in)
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(edged.View[int8](e.Output(0)))
}

func int8Noise(seed uint64, n int) []int8 {
	r := newRandom(seed)
	v := make([]int8, n)
	for i := range v {
		v[i] = int8(r.UintN(256))
	}
	return v
}

const (
	testH, testW, testC, testField = 40, 36, 3, 22
	testOut                        = 5
)

// TestFormsAgree byte for byte, where there is no padding.
func TestFormsAgree(t *testing.T) {
	m := poolNet(3, model.TypeInt8, testH, testW)
	in := int8Noise(1, testH*testW*testC)
	want := runOn(t, engineOf(t, m, Options{Form: Dilated}), in)
	for _, f := range []Form{Fragments, Shifts} {
		if !slices.Equal(want, runOn(t, engineOf(t, m, Options{Form: f}), in)) {
			t.Errorf("%s differs from dilated", f)
		}
	}
}

// TestCoarserIsEverySecond: the dense output at stride q is every q-th of the
// one at stride 1.
func TestCoarserIsEverySecond(t *testing.T) {
	m := poolNet(3, model.TypeInt8, testH, testW)
	in := int8Noise(2, testH*testW*testC)
	fine := runOn(t, engineOf(t, m, Options{}), in)
	h, w := testH-testField+1, testW-testField+1
	for _, q := range []int{2, 4, 8} {
		coarse := runOn(t, engineOf(t, m, Options{OutputStride: [2]int{q, q}}), in)
		var want []int8
		for y := 0; y < h; y += q {
			for x := 0; x < w; x += q {
				want = append(want, fine[(y*w+x)*testOut:][:testOut]...)
			}
		}
		if !slices.Equal(want, coarse) {
			t.Errorf("output stride %d is not every %d-th position", q, q)
		}
	}
}

// TestTranslation: the frame moved by one pixel moves the output by one.
func TestTranslation(t *testing.T) {
	e := engineOf(t, poolNet(3, model.TypeInt8, testH, testW), Options{})
	in := int8Noise(3, testH*testW*testC)
	moved := slices.Concat(in[testW*testC:], in[:testW*testC])
	a, b := runOn(t, e, in), runOn(t, e, moved)
	row := (testW - testField + 1) * testOut
	if !slices.Equal(a[row:], b[:len(b)-row]) {
		t.Error("the output did not move with the frame")
	}
}

// TestLocality: one changed pixel changes D[t] exactly for t <= p < t+R, or
// fewer where a maximum hides it, never others.
func TestLocality(t *testing.T) {
	e := engineOf(t, poolNet(3, model.TypeInt8, testH, testW), Options{})
	in := int8Noise(4, testH*testW*testC)
	a := runOn(t, e, in)
	py, px := 23, 20
	for c := range testC {
		in[(py*testW+px)*testC+c] ^= 0x7f
	}
	b := runOn(t, e, in)
	w := testW - testField + 1
	changed := 0
	for i := range a {
		y, x := i/testOut/w, i/testOut%w
		if a[i] == b[i] {
			continue
		}
		changed++
		if y > py || py >= y+testField || x > px || px >= x+testField {
			t.Fatalf("position (%d, %d) changed with pixel (%d, %d)", y, x, py, px)
		}
	}
	if changed == 0 {
		t.Error("nothing changed")
	}
}

// TestTilesStitch: tiles that overlap by R-1 give the frame's output.
func TestTilesStitch(t *testing.T) {
	m := poolNet(3, model.TypeInt8, testH, testW)
	in := int8Noise(5, testH*testW*testC)
	whole := runOn(t, engineOf(t, m, Options{}), in)
	const tile = 10 // output rows a tile
	e := engineOf(t, m, Options{Input: [2]int{tile + testField - 1, testW}})
	var got []int8
	rows := testH - testField + 1
	for y := 0; y < rows; y += tile {
		at := min(y, rows-tile)
		out := runOn(t, e, in[at*testW*testC:][:(tile+testField-1)*testW*testC])
		got = append(got, out[(y-at)*(testW-testField+1)*testOut:]...)
	}
	if !slices.Equal(whole, got) {
		t.Error("tiles do not stitch to the frame's output")
	}
}

// TestMaxPoolSkipsItsPadding: on a frame of negative values a padded zero would
// win every border maximum.
func TestMaxPoolSkipsItsPadding(t *testing.T) {
	b := newMaker(6, model.TypeFloat32)
	m := b.Model(b.Name(b.maxPool(b.maxPool(b.input(13, 12, 2), square(3, 2).same()), square(3, 2).same()), "map"))
	for _, f := range []Form{Dilated, Fragments, Shifts} {
		e := engineOf(t, m, Options{Form: f})
		in := edged.View[float32](e.Input(0))
		for i := range in {
			in[i] = -1 - float32(i%7)
		}
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
		w := e.Outputs()[0].Shape[2]
		for i, v := range edged.View[float32](e.Output(0)) {
			if f != Dilated && (i/2/w%4 != 0 || i/2%w%4 != 0) {
				continue // the other forms' frames end in zeros, for phases other than 0
			}
			if v >= 0 || math.IsInf(float64(v), 0) || v < -8 {
				t.Fatalf("%s: element %d is %g", f, i, v)
			}
		}
	}
}
