package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"edged"
)

// draw makes a mask of a picture: one line a row, '.' class 0, digits classes.
func draw(picture string) *edged.Mask {
	lines := strings.Fields(picture)
	m := &edged.Mask{W: len(lines[0]), H: len(lines), Stride: len(lines[0]) + 3}
	m.Pix = make([]byte, m.Stride*m.H)
	for y, l := range lines {
		for x := range l {
			if l[x] != '.' {
				m.Pix[y*m.Stride+x] = l[x] - '0'
			}
		}
	}
	for i := range m.Pix { // the padding holds the class looked for: it must not count
		if i%m.Stride >= m.W {
			m.Pix[i] = 1
		}
	}
	return m
}

// flood finds components the slow and plain way: it fills one after the other.
func flood(m *edged.Mask, class uint8, scores []float32, least float32) (areas []int) {
	seen := make([]bool, m.W*m.H)
	counted := func(x, y int) bool {
		return x >= 0 && y >= 0 && x < m.W && y < m.H && !seen[y*m.W+x] &&
			m.Pix[y*m.Stride+x] == class && (scores == nil || scores[y*m.W+x] >= least)
	}
	for y := range m.H {
		for x := range m.W {
			if !counted(x, y) {
				continue
			}
			area, todo := 0, [][2]int{{x, y}}
			seen[y*m.W+x] = true
			for len(todo) > 0 {
				p := todo[len(todo)-1]
				todo = todo[:len(todo)-1]
				area++
				for dy := -1; dy <= 1; dy++ {
					for dx := -1; dx <= 1; dx++ {
						if counted(p[0]+dx, p[1]+dy) {
							seen[(p[1]+dy)*m.W+p[0]+dx] = true
							todo = append(todo, [2]int{p[0] + dx, p[1] + dy})
						}
					}
				}
			}
			areas = append(areas, area)
		}
	}
	return areas
}

func sums(areas []int, minArea int) (count, total int) {
	for _, a := range areas {
		if a >= minArea {
			count, total = count+1, total+a
		}
	}
	return count, total
}

func TestBlobs(t *testing.T) {
	for _, c := range []struct {
		picture      string
		minArea      int
		count, total int
	}{
		{"....", 1, 0, 0},
		{"1", 1, 1, 1},
		{"11.1", 1, 2, 3},
		{"1.1 .1. 1.1", 1, 1, 5},                    // corners touch
		{"1.1 1.1 111", 1, 1, 7},                    // a U: two runs unite below
		{"1.1.1 1.1.1 11111", 1, 1, 11},             // a comb
		{"11111 1...1 1.1.1 1...1 11111", 1, 2, 17}, // a ring around a dot
		{"11111 1...1 1.1.1 1...1 11111", 2, 1, 16},
		{"1..1 .11. ..2.", 1, 1, 4},
		{"...1 ..1. .1.. 1...", 1, 1, 4},
		{"1111 .... 1111", 5, 0, 0},
	} {
		var b blobs
		if count, total := b.find(draw(c.picture), nil, &counted{class: 1, minArea: c.minArea}); count != c.count || total != c.total {
			t.Errorf("%q from %d px: %d blobs, %d px; want %d, %d", c.picture, c.minArea, count, total, c.count, c.total)
		}
	}
}

func TestBlobsAgainstFlood(t *testing.T) {
	var b blobs // used again and again: nothing may stay behind
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 24).Draw(t, "w"), rapid.IntRange(1, 24).Draw(t, "h")
		m := &edged.Mask{W: w, H: h, Stride: w + rapid.IntRange(0, 3).Draw(t, "pad")}
		dense := rapid.IntRange(1, 4).Draw(t, "classes")
		m.Pix = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) byte { return byte(rapid.IntRange(0, dense).Draw(t, "id")) }), m.Stride*h, m.Stride*h).Draw(t, "pix")
		var scores []float32
		if rapid.Bool().Draw(t, "scored") {
			scores = rapid.SliceOfN(rapid.Float32Range(0, 1), w*h, w*h).Draw(t, "scores")
		}
		least := rapid.Float32Range(0, 1).Draw(t, "least")
		minArea := rapid.IntRange(1, 6).Draw(t, "area")
		count, total := b.find(m, scores, &counted{1, least, minArea, nil})
		if c, s := sums(flood(m, 1, scores, least), minArea); c != count || s != total {
			t.Fatalf("%d blobs, %d px; want %d, %d", count, total, c, s)
		}
	})
}

func FuzzBlobs(f *testing.F) {
	f.Add(5, []byte("\x01\x00\x01\x00\x01\x01\x01\x01\x01\x01"))
	f.Add(3, []byte("\x01\x00\x01\x00\x01\x00\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, w int, pix []byte) {
		if w < 1 || w > 64 || len(pix) < w || len(pix) > 4096 {
			return
		}
		m := &edged.Mask{Pix: pix, Stride: w, W: w, H: len(pix) / w}
		var b blobs
		count, total := b.find(m, nil, &counted{class: pix[0], minArea: 2})
		if c, s := sums(flood(m, pix[0], nil, 0), 2); c != count || s != total {
			t.Errorf("%d blobs, %d px; want %d, %d", count, total, c, s)
		}
	})
}

func TestRules(t *testing.T) {
	scratches := draw("11....1 ....... ..1.... ......1 .....11") // areas 2, 1, 1, 3
	score := func(v float32) []float32 { return slices.Repeat([]float32{v}, scratches.W*scratches.H) }
	for _, c := range []struct {
		name    string
		rule    Rule
		scores  []float32
		verdict string
		reason  string
	}{
		{"any", Rule{Class: 1, Name: "scratch"}, nil, NG, "scratch: 4 blobs of at least 1 px, 7 px in all, none allowed"},
		{"other class", Rule{Class: 3}, nil, OK, ""},
		{"named", Rule{Class: 1, Verdict: "REWORK"}, nil, "REWORK", "class 1: 4 blobs of at least 1 px, 7 px in all, none allowed"},
		{"count kept", Rule{Class: 1, MaxCount: 4}, nil, OK, ""},
		{"count broken", Rule{Class: 1, Name: "s", MaxCount: 3}, nil, NG, "s: 4 blobs of at least 1 px, at most 3 allowed"},
		{"area filters", Rule{Class: 1, MaxCount: 1, MinAreaPx: 3}, nil, OK, ""},
		{"area filters none", Rule{Class: 1, Name: "s", MinAreaPx: 4}, nil, OK, ""},
		{"ratio kept", Rule{Class: 1, MaxTotalRatio: 0.2}, nil, OK, ""},
		{"ratio broken", Rule{Class: 1, Name: "s", MaxTotalRatio: 0.1}, nil, NG, "s: 20.000 % of the mask, at most 10.000 % allowed"},
		{"ratio of large blobs", Rule{Class: 1, MaxTotalRatio: 0.1, MinAreaPx: 3}, nil, OK, ""},
		{"count or ratio", Rule{Class: 1, Name: "s", MaxCount: 9, MaxTotalRatio: 0.19}, nil, NG, "s: 20.000 % of the mask, at most 19.000 % allowed"},
		{"unsure", Rule{Class: 1, MinScore: 0.5}, score(0.4), OK, ""},
		{"sure", Rule{Class: 1, Name: "s", MinScore: 0.5}, score(0.5), NG, "s: 4 blobs of at least 1 px, 7 px in all, none allowed"},
		{"no scores", Rule{Class: 1, Name: "s", MinScore: 0.9}, nil, NG, "s: 4 blobs of at least 1 px, 7 px in all, none allowed"},
		{"not a number", Rule{Class: 1, MinScore: 0.5}, score(float32(math.NaN())), OK, ""},
	} {
		j, err := New([]Rule{c.rule})
		if err != nil {
			t.Fatal(err)
		}
		o := j.Judge(scratches, c.scores)
		if o.Verdict != c.verdict || texts(o.Reasons) != c.reason || o.Changed {
			t.Errorf("%s: %+v, want %s because %q", c.name, o, c.verdict, c.reason)
		}
	}
}

func texts(reasons []edged.Reason) string {
	var all []string
	for _, r := range reasons {
		all = append(all, r.Text)
	}
	return strings.Join(all, "; ")
}

// A program reads what people read: which rule, which limit, how much of what.
func TestReasonsInNumbers(t *testing.T) {
	scratches := draw("11....1 ....... ..1.... ......1 .....11")
	j, err := New([]Rule{{Class: 3}, {Class: 1, Name: "s"}, {Class: 1, Name: "s", MaxCount: 3, MinAreaPx: 1}, {Class: 1, Name: "s", MaxTotalRatio: 0.1, MinAreaPx: 2}})
	if err != nil {
		t.Fatal(err)
	}
	want := []edged.Reason{
		{Rule: 2, Class: "s", Kind: "present", Count: 4, Px: 7},
		{Rule: 3, Class: "s", Kind: "count", Count: 4, Px: 7, Limit: 3},
		{Rule: 4, Class: "s", Kind: "ratio", Count: 2, Px: 5, Limit: 0.1},
	}
	got := slices.Clone(j.Judge(scratches, nil).Reasons)
	for i := range got {
		if got[i].Text == "" {
			t.Errorf("no text: %+v", got[i])
		}
		got[i].Text = ""
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func TestOrderOfRules(t *testing.T) {
	j, err := New([]Rule{{Class: 2, Verdict: "STAIN"}, {Class: 1, Verdict: "SCRATCH"}})
	if err != nil {
		t.Fatal(err)
	}
	for picture, want := range map[string]string{"1.": "SCRATCH 1", "2.": "STAIN 1", "12": "STAIN 2", "..": "OK 0"} {
		o := j.Judge(draw(picture), nil)
		if got := fmt.Sprintf("%s %d", o.Verdict, len(o.Reasons)); got != want {
			t.Errorf("%s: %s, want %s", picture, got, want)
		}
	}
}

func TestHold(t *testing.T) {
	j, err := New([]Rule{{Class: 1, Hold: 3}})
	if err != nil {
		t.Fatal(err)
	}
	bad, good := draw("1"), draw(".")
	var got strings.Builder
	for _, c := range "bgbbbbggbgggbbgbbb" {
		m := good
		if c == 'b' {
			m = bad
		}
		o := j.Judge(m, nil)
		mark := o.Verdict[:1]
		if o.Changed {
			mark = strings.ToLower(mark)
			if o.Previous == o.Verdict || o.Previous == "" {
				t.Errorf("a change from %q to %q", o.Previous, o.Verdict)
			}
		}
		if (o.Verdict == NG) != (len(o.Reasons) == 1) {
			t.Errorf("%s with reasons %q", o.Verdict, texts(o.Reasons))
		}
		got.WriteString(mark)
	}
	if want := "OOOOnNNNNNNoOOOOOn"; got.String() != want {
		t.Errorf("%s, want %s (small letters: changes)", got.String(), want)
	}
}

func TestValidate(t *testing.T) {
	for want, r := range map[string]Rule{
		"min_score":       {MinScore: 1.5},
		"max_total_ratio": {MaxTotalRatio: math.NaN()},
		"negative":        {MaxCount: -1},
		"choose another":  {Verdict: OK},
	} {
		if _, err := New([]Rule{{}, r}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	j, m, scores := beltCase(t)
	if n := testing.AllocsPerRun(20, func() { j.Judge(m, scores) }); n != 0 {
		t.Errorf("%v allocations a mask", n)
	}
}

// beltCase is a 640x480 mask with parts on it and two rules that it keeps.
func beltCase(t testing.TB) (*Judge, *edged.Mask, []float32) {
	m := &edged.Mask{Pix: make([]byte, 640*480), Stride: 640, W: 640, H: 480}
	scores := make([]float32, 640*480)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		x, y := i%640%160-80, i/640%160-80
		if x*x+y*y < 3600 {
			m.Pix[i] = 2
		}
		if r.IntN(500) == 0 {
			m.Pix[i] = 3
		}
		scores[i] = r.Float32()
	}
	j, err := New([]Rule{{Class: 2, MaxTotalRatio: 0.9, MaxCount: 12}, {Class: 3, MinScore: 0.8, MinAreaPx: 20}})
	if err != nil {
		t.Fatal(err)
	}
	if o := j.Judge(m, scores); o.Verdict != OK {
		t.Fatal(o.Reasons)
	}
	return j, m, scores
}

func BenchmarkJudge(b *testing.B) {
	j, m, scores := beltCase(b)
	b.ReportAllocs()
	for b.Loop() {
		j.Judge(m, scores)
	}
}
