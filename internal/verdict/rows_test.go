package verdict

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"edged"
)

// A part whose rows come in pieces of any height is ruled on as the mask of all of
// its rows, scores bit for bit; each blob is told once as complete, none before it is.
func TestPartsAreMasks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 9).Draw(t, "w"), rapid.IntRange(1, 40).Draw(t, "h")
		m := &edged.Mask{W: w, H: h, Stride: w + 1, Grid: edged.Grid{Stride: [2]float64{2, 2}, Origin: [2]float64{19, 19}}}
		m.Pix = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) byte { return byte(rapid.IntRange(0, 2).Draw(t, "id")) }), m.Stride*h, m.Stride*h).Draw(t, "pix")
		scores := rapid.SliceOfN(rapid.Float32Range(0, 1), w*h, w*h).Draw(t, "scores")
		rules := []Rule{{Class: 1, Name: "a", MinAreaPx: rapid.IntRange(1, 3).Draw(t, "area")}, {Class: 1, Name: "a", MinScore: 0.5}, {Class: 2, Name: "b", MaxTotalRatio: 0.2}}
		whole, err := New(rules)
		if err != nil {
			t.Fatal(err)
		}
		pieces, _ := New(rules)
		want := whole.Judge(m, scores)
		pieces.Begin(false)
		told := 0
		for at := 0; at < h; {
			n := min(h-at, rapid.IntRange(1, 6).Draw(t, "rows"))
			piece := *m
			piece.Pix, piece.H = m.Pix[at*m.Stride:], n
			piece.Grid.Origin[0] += float64(2 * at)
			for _, b := range pieces.Rows(&piece, scores[at*w:][:n*w]).Blobs {
				if told++; b.Y+b.H > 19+2*(at+n) {
					t.Fatalf("%+v is told as complete at row %d", b, 19+2*(at+n))
				}
			}
			at += n
		}
		got := pieces.End(false)
		if got.Verdict != want.Verdict || !slices.Equal(got.Reasons, want.Reasons) || !slices.Equal(got.Blobs, want.Blobs) || got.BlobsTotal != want.BlobsTotal {
			t.Fatalf("%+v, want %+v", got, want)
		}
		if told > got.BlobsTotal {
			t.Fatalf("%d blobs are told as complete, there are %d", told, got.BlobsTotal)
		}
	})
}

// What reaches an end of its part behind which it may go on says so.
func TestBlobsThatAreCut(t *testing.T) {
	for _, c := range []struct {
		picture       string
		before, after bool
		cut           []bool // by size of the blob
	}{
		{"11 .. 1.", true, true, []bool{true, true}},
		{"11 .. 1.", false, true, []bool{false, true}},
		{"11 .. 1.", true, false, []bool{true, false}},
		{".. 11 ..", true, true, []bool{false}},
		{"11 11 11", false, true, []bool{true}},
	} {
		j, err := New([]Rule{{Class: 1}})
		if err != nil {
			t.Fatal(err)
		}
		m := draw(c.picture)
		m.Grid.Stride = [2]float64{1, 1}
		j.Begin(c.before)
		j.Rows(m, nil)
		o := j.End(c.after)
		var cut []bool
		for _, b := range o.Blobs {
			cut = append(cut, b.Cut)
		}
		if !slices.Equal(cut, c.cut) {
			t.Errorf("%q, cut %v %v: %v, want %v", c.picture, c.before, c.after, cut, c.cut)
		}
	}
}

// Memory depends on the width and on what is not complete, not on the length.
func TestMemoryOfALongPart(t *testing.T) {
	j, err := New([]Rule{{Class: 1}})
	if err != nil {
		t.Fatal(err)
	}
	m := &edged.Mask{W: 64, H: 16, Stride: 64, Pix: make([]byte, 64*16)}
	m.Grid.Stride = [2]float64{1, 1}
	for i := range m.Pix { // dots, and a line that goes on for ever
		if y, x := i/64, i%64; x == 0 || x%2 == 0 && y%2 == 0 && x > 1 {
			m.Pix[i] = 1
		}
	}
	j.Begin(false)
	for range 1000 {
		j.Rows(m, nil)
	}
	if n := cap(j.rules[0].blobs.parent); n > 2*64*16 {
		t.Errorf("%d labels after 16,000 rows", n)
	}
	if n := testing.AllocsPerRun(20, func() { j.Rows(m, nil) }); n != 0 {
		t.Errorf("%v allocations a strip", n)
	}
	if o := j.End(false); o.BlobsTotal < 8000*31-100 || o.Blobs[0].H != 16*1021 {
		t.Errorf("%d blobs, the largest %+v", o.BlobsTotal, o.Blobs[0])
	}
}
