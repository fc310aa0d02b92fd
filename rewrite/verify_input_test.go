package rewrite

import (
	"slices"
	"testing"
	"unsafe"

	"edged"
)

// TestCropsOfEveryLayout against the plain definition, from every layout of the
// frame into every layout of the crop, with ends beyond the frame.
func TestCropsOfEveryLayout(t *testing.T) {
	layouts := map[string][][]atom{"NHWC": nhwc(), "NCHW": {nil, {atomC}, {atomY}, {atomX}}, "HWC": {{atomY}, {atomX}, {atomC}}}
	for name, dims := range layouts {
		for toName, toDims := range layouts {
			for _, ch := range []int{1, 3} {
				for _, at := range []pair{{0, 0}, {2, 3}, {5, 7}} {
					if got, want := cropped(dims, toDims, ch, at); !slices.Equal(got, want) {
						t.Errorf("%s to %s, %d channels, crop at %v:\n%v\nwant\n%v", name, toName, ch, at, got, want)
					}
				}
			}
		}
	}
}

// cropped is a crop of noise, and what it is by definition.
func cropped(dims, toDims [][]atom, ch int, at pair) (got, want []int8) {
	frame, size := pair{7, 9}, pair{4, 5}
	v := &verification{frame: frame, frameDims: dims, net: &net{input: &value{ch: ch}}}
	all := int8Noise(7, frame.area()*ch)
	from := stepsOf(newLayout(&value{n: frame, ch: ch}, dims))
	to := stepsOf(newLayout(&value{n: size, ch: ch}, toDims))
	want, got = make([]int8, size.area()*ch), make([]int8, size.area()*ch)
	for y := range size[0] {
		for x := range size[1] {
			for c := range ch {
				p := int8(9)
				if at[0]+y < frame[0] && at[1]+x < frame[1] {
					p = all[(at[0]+y)*from.y+(at[1]+x)*from.x+c*from.c]
				}
				want[y*to.y+x*to.x+c*to.c] = p
			}
		}
	}
	v.crop(bytesOf(got), bytesOf(all), at, size, edged.Spec{Type: edged.Int8, Quant: edged.Quant{Scale: 1, ZeroPoint: 9}}, toDims)
	return got, want
}

func bytesOf(v []int8) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v))
}

// TestProbesExerciseNegatives: one frame has values of both signs, one has
// negative ones alone.
func TestProbesExerciseNegatives(t *testing.T) {
	b := make([]byte, 400)
	fillRandom(b, edged.Float32, newRandom(1), false)
	f := edged.View[float32](b)
	if slices.Min(f) >= 0 || slices.Max(f) <= 0 {
		t.Errorf("noise from %g to %g", slices.Min(f), slices.Max(f))
	}
	negate(b, edged.Float32)
	if slices.Max(f) > 0 {
		t.Errorf("negative noise up to %g", slices.Max(f))
	}
	fillRandom(b, edged.Int8, newRandom(1), false)
	negate(b, edged.Int8)
	for _, x := range b {
		if int8(x) >= 0 {
			t.Fatalf("negative noise holds %d", int8(x))
		}
	}
}

// TestSampleSpreadsOverPhases and gives exactly what was asked for, once each.
func TestSampleSpreadsOverPhases(t *testing.T) {
	v := &verification{q: pair{1, 1}, outs: []*compared{{e: pair{4, 4}, q: pair{1, 1}, size: pair{12, 12}, count: pair{12, 12}, val: &value{}}}}
	o := &oracle{local: true, n: []pair{{3, 3}}}
	for _, want := range []int64{3, 16, 50, 144, 500} {
		got := v.sample(o, v.offsets(o), want, 16, newRandom(1))
		phases, units := map[pair]bool{}, map[[3]int]bool{}
		for _, p := range got {
			phases[v.phase(p.at)] = true
			for _, u := range p.pick[0] {
				units[[3]int{p.at[0], p.at[1], u}] = true
			}
		}
		if want = min(want, 144); int64(len(units)) != want || len(phases) != int(min(want, 16)) {
			t.Errorf("%d positions: %d planned in %d phases", want, len(units), len(phases))
		}
	}
}

// TestSampleTakesPromisedPositions alone: of a padded net's crops those at
// phase 0, and inside the border elsewhere.
func TestSampleTakesPromisedPositions(t *testing.T) {
	grid := axisGrid{e: 4, n: 6, span: 24, before: 5, after: 5, padded: true}
	c := &compared{e: pair{4, 4}, q: pair{1, 1}, size: pair{21, 21}, count: pair{21, 21}, val: &value{grid: [2]axisGrid{grid, grid}}}
	v := &verification{q: pair{1, 1}, outs: []*compared{c}}
	o := &oracle{n: []pair{{6, 6}}}
	got, n := v.sample(o, v.offsets(o), 1<<20, 0, newRandom(1)), int64(0)
	for _, p := range got {
		for _, u := range p.pick[0] {
			at := pair{p.at[0] + u/6*4, p.at[1] + u%6*4}
			if n++; p.at != (pair{}) && !c.comparable(at, p.at) {
				t.Errorf("crop at %v, pixel %v: equality is not promised there", p.at, at)
			}
		}
	}
	if n != c.promised() || n == 0 {
		t.Errorf("%d positions taken, %d are promised", n, c.promised())
	}
}
