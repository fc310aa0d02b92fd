package verdict

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"edged"
)

// boxes finds a class's blobs the slow and plain way: labels spread until
// nothing changes. Blobs come in no order.
func boxes(m *edged.Mask, class uint8, scores []float32, least float32, minArea int) (all []edged.Blob) {
	label := make([]int, m.W*m.H)
	for i := range label {
		if y, x := i/m.W, i%m.W; m.Pix[y*m.Stride+x] == class && (scores == nil || least == 0 || scores[i] >= least) {
			label[i] = i + 1
		}
	}
	for again := true; again; {
		again = false
		for i, l := range label {
			for k, o := range label {
				if near := max(abs(i/m.W-k/m.W), abs(i%m.W-k%m.W)) == 1; near && l > 0 && o > label[i] {
					label[i], again = o, true
				}
			}
		}
	}
	for _, l := range slices.Compact(slices.Sorted(slices.Values(label))) {
		b, sum := edged.Blob{X: m.W, Y: m.H}, 0.0
		right, bottom := 0, 0
		for i, o := range label {
			if l == 0 || o != l {
				continue
			}
			b.X, b.Y, right, bottom = min(b.X, i%m.W), min(b.Y, i/m.W), max(right, i%m.W+1), max(bottom, i/m.W+1)
			b.Px++
			if scores != nil {
				sum += float64(scores[i])
			}
		}
		if b.W, b.H, b.Score = right-b.X, bottom-b.Y, sum/float64(max(b.Px, 1)); b.Px >= minArea {
			all = append(all, b)
		}
	}
	return all
}

func abs(n int) int { return max(n, -n) }

func place(a, b edged.Blob) int {
	return cmp.Or(cmp.Compare(b.Px, a.Px), cmp.Compare(a.Y, b.Y), cmp.Compare(a.X, b.X), cmp.Compare(a.W, b.W), cmp.Compare(a.H, b.H))
}

// On a grid of one pixel a position the boxes are the positions themselves.
func TestListAgainstLabels(t *testing.T) {
	unit := edged.Grid{Stride: [2]float64{1, 1}}
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 9).Draw(t, "w"), rapid.IntRange(1, 9).Draw(t, "h")
		m := &edged.Mask{W: w, H: h, Stride: w + 1, Grid: unit}
		m.Pix = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) byte { return byte(rapid.IntRange(0, 2).Draw(t, "id")) }), m.Stride*h, m.Stride*h).Draw(t, "pix")
		var scores []float32
		if rapid.Bool().Draw(t, "scored") {
			scores = rapid.SliceOfN(rapid.Float32Range(0, 1), w*h, w*h).Draw(t, "scores")
		}
		// Two rules on class 1, neither of which may see all that both do; one on 2.
		rules := []Rule{{Class: 1, Name: "a"}, {Class: 1, Name: "a"}, {Class: 2, Name: "b"}}
		for i := range rules {
			rules[i].MinAreaPx = rapid.IntRange(1, 4).Draw(t, "area")
			rules[i].MinScore = float64(rapid.IntRange(0, 2).Draw(t, "least")) / 4
		}
		j, err := New(rules)
		if err != nil {
			t.Fatal(err)
		}
		want := boxes(m, 1, scores, float32(min(rules[0].MinScore, rules[1].MinScore)), min(rules[0].MinAreaPx, rules[1].MinAreaPx))
		for i := range want {
			want[i].Class = "a"
		}
		for _, b := range boxes(m, 2, scores, float32(rules[2].MinScore), rules[2].MinAreaPx) {
			b.Class = "b"
			want = append(want, b)
		}
		o := j.Judge(m, scores)
		got := slices.Clone(o.Blobs)
		if !slices.IsSortedFunc(got, func(a, b edged.Blob) int { return cmp.Compare(b.Px, a.Px) }) {
			t.Fatalf("not sorted: %+v", got)
		}
		slices.SortFunc(got, place)
		slices.SortFunc(want, place)
		same := func(a, b edged.Blob) bool {
			near := math.Abs(a.Score-b.Score) < 1e-6
			a.Score, b.Score = 0, 0
			return a == b && near
		}
		if o.BlobsTotal != len(want) || !slices.EqualFunc(got, want, same) {
			t.Fatalf("%d\n%+v, want\n%+v", o.BlobsTotal, got, want)
		}
	})
}

// Of many blobs the largest are listed; the total holds all.
func TestListIsBounded(t *testing.T) {
	const n = 100
	m := &edged.Mask{W: n + 1, H: 2 * n, Stride: n + 1, Grid: edged.Grid{Stride: [2]float64{1, 1}}}
	m.Pix = make([]byte, m.Stride*m.H)
	for i := range n { // lengths 1..100, not in order
		for x := range (i*37)%n + 1 {
			m.Pix[2*i*m.Stride+x] = 1
		}
	}
	j, err := New([]Rule{{Class: 1}})
	if err != nil {
		t.Fatal(err)
	}
	o := j.Judge(m, nil)
	if o.BlobsTotal != n || len(o.Blobs) != edged.MaxBlobs {
		t.Fatalf("%d of %d", len(o.Blobs), o.BlobsTotal)
	}
	for i, b := range o.Blobs {
		if b.Px != n-i || b.W != n-i || b.H != 1 {
			t.Errorf("%d: %+v", i, b)
		}
	}
	blank := &edged.Mask{W: 1, H: 1, Stride: 1, Pix: []byte{0}}
	if o := j.Judge(blank, nil); o.Blobs == nil || len(o.Blobs) != 0 || o.BlobsTotal != 0 {
		t.Errorf("after that a mask without a blob: %+v", o)
	}
}

// Boxes are placed by the mask's stride and origin.
func TestBlobsArePlaced(t *testing.T) {
	for _, c := range []struct {
		stride, origin [2]float64 // y, x
		want           edged.Blob
	}{
		{[2]float64{1, 1}, [2]float64{0, 0}, edged.Blob{X: 1, Y: 1, W: 2, H: 1}},
		{[2]float64{4, 4}, [2]float64{1.5, 1.5}, edged.Blob{X: 4, Y: 4, W: 8, H: 4}},
		{[2]float64{1, 1}, [2]float64{20, 13}, edged.Blob{X: 14, Y: 21, W: 2, H: 1}},
		{[2]float64{8, 2}, [2]float64{3.5, 100.5}, edged.Blob{X: 102, Y: 8, W: 4, H: 8}},
		{[2]float64{0.25, 0.25}, [2]float64{0, 0}, edged.Blob{X: 1, Y: 1, W: 1, H: 1}}, // finer than the frame
	} {
		m := draw(".... .11. ....")
		m.Grid = edged.Grid{Stride: c.stride, Origin: c.origin}
		j, err := New([]Rule{{Class: 1, Name: "s"}})
		if err != nil {
			t.Fatal(err)
		}
		c.want.Class, c.want.Px = "s", 2
		if o := j.Judge(m, nil); len(o.Blobs) != 1 || o.Blobs[0] != c.want {
			t.Errorf("stride %v, origin %v: %+v, want %+v", c.stride, c.origin, o.Blobs, c.want)
		}
	}
}
