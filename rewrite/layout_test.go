package rewrite

import (
	"slices"
	"testing"

	"edged/model"
)

func TestLayoutFollowsReshapes(t *testing.T) {
	v := &value{n: pair{4, 5}, ch: 6}
	l := newLayout(v, nhwc())
	for _, c := range []struct {
		shape []int32
		ok    bool
		rows  bool // positions in one dimension
	}{
		{[]int32{1, 4, 5, 6}, true, false},
		{[]int32{1, 20, 6}, true, true},
		{[]int32{20, 6}, true, true},
		{[]int32{120}, true, true},
		{[]int32{4, 1, 5, 1, 6}, true, false},
		{[]int32{1, 4, 5, 2, 3}, false, false},
		{[]int32{1, 40, 3}, false, false},
		{[]int32{8, 15}, false, false},
	} {
		got, ok := l.reshape(c.shape)
		if ok != c.ok {
			t.Errorf("%v: ok %v, want %v", c.shape, ok, c.ok)
			continue
		}
		if ok && gridLayout(got) == c.rows {
			t.Errorf("%v: a grid is %v", c.shape, gridLayout(got))
		}
		if ok && !slices.Equal(got.sequence(), l.sequence()) {
			t.Errorf("%v: the memory's order changed", c.shape)
		}
	}
}

func TestLayoutFollowsTranspositions(t *testing.T) {
	v := &value{n: pair{4, 5}, ch: 6}
	nchw := newLayout(v, nhwc()).transpose([]int{0, 3, 1, 2})
	if nchw.canonical([]int32{1, 6, 4, 5}) {
		t.Error("NCHW passes as [1, h, w, c]")
	}
	if !nchw.only(1, atomC) || !nchw.only(2, atomY) || nchw.only(1, atomY) {
		t.Errorf("dimensions %v", nchw.dims)
	}
	if back := nchw.transpose([]int{0, 2, 3, 1}); !back.canonical([]int32{1, 4, 5, 6}) {
		t.Errorf("there and back: %v", back.dims)
	}
	flat, ok := nchw.reshape([]int32{1, 120})
	if !ok || !slices.Equal(flat.sequence(), []atom{atomC, atomY, atomX}) {
		t.Errorf("flattened: %v %v", flat, ok)
	}
}

func TestStepsOfLayouts(t *testing.T) {
	v := &value{n: pair{4, 5}, ch: 6}
	if d := stepsOf(newLayout(v, nhwc())); d != (dims{30, 6, 1}) {
		t.Errorf("NHWC steps %+v", d)
	}
	if d := stepsOf(newLayout(v, [][]atom{nil, {atomC}, {atomY}, {atomX}})); d != (dims{5, 1, 20}) {
		t.Errorf("NCHW steps %+v", d)
	}
}

// TestWindowsAreTFLites: lengths over frozen pads agree with the model's own helper.
func TestWindowsAreTFLites(t *testing.T) {
	for n := 1; n < 14; n++ {
		for k := 1; k < 6; k++ {
			for s := 1; s < 4; s++ {
				for d := 1; d < 3; d++ {
					for _, p := range []model.Padding{model.PaddingSame, model.PaddingValid} {
						w := window{k: pair{k, k}, s: pair{s, s}, d: pair{d, d}}
						w.freeze(p, pair{n, n})
						want := int(model.OutSize(p, int64(n), int64(k), int64(s), int64(d)))
						if got := max(w.out(pair{n, n})[0], 0); got != want {
							t.Fatalf("n=%d k=%d s=%d d=%d %s: length %d, want %d", n, k, s, d, p, got, want)
						}
					}
				}
			}
		}
	}
}

func TestPaddingForNamesOnlyWhatIsExact(t *testing.T) {
	w := window{k: pair{3, 3}, s: pair{1, 1}, d: pair{4, 4}, a: pair{4, 4}, b: pair{4, 4}}
	if p, ok := paddingFor(w, pair{20, 20}, model.PaddingValid); !ok || p != model.PaddingSame {
		t.Errorf("symmetric pads: %s %v", p, ok)
	}
	w.a, w.b = pair{0, 0}, pair{4, 4}
	if _, ok := paddingFor(w, pair{20, 20}, model.PaddingSame); ok {
		t.Error("pads (0, 4) pass as SAME, which would centre them")
	}
	w.b = pair{}
	if p, ok := paddingFor(w, pair{20, 20}, model.PaddingSame); !ok || p != model.PaddingValid {
		t.Errorf("no pads: %s %v", p, ok)
	}
}

func TestPermuteThereAndBack(t *testing.T) {
	data := make([]byte, 2*3*4*5*2)
	for i := range data {
		data[i] = byte(i)
	}
	perm := []int{1, 2, 0} // [O, c, y, x] in memory -> [O, y, x, c]
	there := permute(data, []int{2, 3, 4, 5}, perm, 2)
	if slices.Equal(there, data) {
		t.Fatal("nothing moved")
	}
	if back := permute(there, []int{2, 4, 5, 3}, inversePerm(perm), 2); !slices.Equal(back, data) {
		t.Error("there and back changed the data")
	}
}

func TestMeasuredBandTellsBordersApart(t *testing.T) {
	var b measuredBand
	b.note([4]int{5, 0, 0, 0})  // the top alone
	b.note([4]int{4, 9, 0, 0})  // a corner that the top explains
	b.note([4]int{0, 0, 20, 7}) // a corner that nothing explains yet
	if got := b.settle(); got != (model.Band{Top: 5, Right: 7}) {
		t.Errorf("band %+v", got)
	}
}

func TestPadReach(t *testing.T) {
	if r := padReach(unpadded, -2); r != unpadded {
		t.Errorf("a crop alone: %d", r)
	}
	if r := padReach(padReach(unpadded, -2), 3); r != 3 {
		t.Errorf("a pad behind a crop: %d", r)
	}
	if r := padReach(padReach(unpadded, 3), -2); r != 1 {
		t.Errorf("a crop behind a pad: %d", r)
	}
}
