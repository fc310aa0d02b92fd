package belt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"edged"
)

func small() Config {
	c := Default()
	c.W, c.H = 320, 240
	return c
}

func mustScene(t testing.TB, c Config) *Scene {
	t.Helper()
	s, err := NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func clone(f *edged.Frame, m *edged.Mask) ([]byte, []byte) {
	return bytes.Clone(f.Pix), bytes.Clone(m.Pix)
}

// A frame is a function of (seed, size, k): the way there must not matter.
func TestFrameDependsOnNothingBefore(t *testing.T) {
	c := small()
	walked, jumped := mustScene(t, c), mustScene(t, c)
	var f edged.Frame
	var m edged.Mask
	for k := range uint64(160) { // further than the ring is wide
		walked.Render(k, &f, &m)
		if k%53 != 0 {
			continue
		}
		pix, truth := clone(&f, &m)
		jumped.Render(100000, &f, &m)
		jumped.Render(k, &f, &m)
		if !bytes.Equal(pix, f.Pix) || !bytes.Equal(truth, m.Pix) {
			t.Fatalf("frame %d: reached by walking and by jumping it differs", k)
		}
	}
	walked.Render(3, &f, &m)
	pix, truth := clone(&f, &m)
	mustScene(t, c).Render(3, &f, &m)
	if !bytes.Equal(pix, f.Pix) || !bytes.Equal(truth, m.Pix) {
		t.Fatal("frame 3: going back to it gives another one than starting with it")
	}
}

func TestSeedsDiffer(t *testing.T) {
	c := small()
	var f edged.Frame
	var m edged.Mask
	mustScene(t, c).Render(0, &f, &m)
	pix, truth := clone(&f, &m)
	c.Seed++
	mustScene(t, c).Render(0, &f, &m)
	if bytes.Equal(pix, f.Pix) || bytes.Equal(truth, m.Pix) {
		t.Fatal("another seed gives the same belt")
	}
}

// The belt moves: the truth of frame k+1 is that of frame k, shifted by Speed.
func TestTruthMoves(t *testing.T) {
	c := small()
	s := mustScene(t, c)
	var a, b edged.Mask
	s.Truth(40, &a)
	s.Truth(41, &b)
	for y := range c.H {
		before, after := a.Pix[y*a.Stride:][:c.W], b.Pix[y*b.Stride:][:c.W]
		if !bytes.Equal(before[c.Speed:], after[:c.W-c.Speed]) {
			t.Fatalf("row %d did not move by %d pixels", y, c.Speed)
		}
	}
}

// The truth is the geometry itself, not what the optics made of it.
func TestTruthIsTheGeometry(t *testing.T) {
	c := small()
	s := mustScene(t, c)
	var m edged.Mask
	s.Truth(77, &m)
	seen := map[uint8]int{}
	for y := range c.H {
		for x := range c.W {
			u := s.Offset(77) + int64(x)
			l := &s.lanes[y/laneHeight]
			p := s.partAt(l, u)
			want := Background
			lx, ly := p.local(float64(u), float64(y))
			if p.distance(lx, ly) <= 0 {
				want = Metal
				for i := range p.nDefects {
					d := &p.defects[i]
					in, _, _ := d.depthAt(&s.tex, lx, ly)
					if in > 0 && rank(d.class) > rank(want) {
						want = d.class
					}
				}
			}
			if got := m.Pix[y*m.Stride+x]; got != want {
				t.Fatalf("(%d,%d): class %d, the geometry says %d", x, y, got, want)
			}
			seen[want]++
		}
	}
	if len(seen) < 3 {
		t.Fatalf("the picture shows too little to test with: %v", seen)
	}
}

// Every class turns up, in shares that one can train on, and every class is
// somewhere thick enough that a pixel lies two pixels from its border.
func TestEveryClassTurnsUp(t *testing.T) {
	s := mustScene(t, small())
	var m edged.Mask
	var count, deep [Classes]int
	for k := uint64(0); k < 6000; k += 100 {
		s.Truth(k, &m)
		for y := 2; y < m.H-2; y++ {
			for x := 2; x < m.W-2; x++ {
				c := m.Pix[y*m.Stride+x]
				count[c]++
				if uniform(&m, x, y, 2) {
					deep[c]++
				}
			}
		}
	}
	total := 0
	for _, n := range count {
		total += n
	}
	for c, n := range count {
		if share := float64(n) / float64(total); share < 0.001 || deep[c]*8 < n {
			t.Errorf("%s: %.4f of all pixels, %d of %d two pixels from a border", Labels()[c], share, deep[c], n)
		}
	}
}

func uniform(m *edged.Mask, x, y, r int) bool {
	c := m.Pix[y*m.Stride+x]
	for dy := -r; dy <= r; dy++ {
		for dx := -r; dx <= r; dx++ {
			if m.Pix[(y+dy)*m.Stride+x+dx] != c {
				return false
			}
		}
	}
	return true
}

// Parts stay inside their cells: on the border between cells there is belt only.
func TestPartsKeepToTheirCells(t *testing.T) {
	for seed := range uint64(200) {
		var p part
		makePart(&p, seed, int64(seed%3), int64(seed), laneHeight/2, 1)
		left := float64(seed) * cellWidth
		for i := range 241 {
			y := float64(i)
			for _, u := range []float64{left, left + cellWidth} {
				if x, v := p.local(u, y); p.distance(x, v) < 8 {
					t.Fatalf("seed %d: the part comes within 8 pixels of its cell's border", seed)
				}
			}
		}
		for i := range cellWidth {
			for _, v := range []float64{0, laneHeight} {
				if x, y := p.local(left+float64(i), v); p.distance(x, y) < 3 {
					t.Fatalf("seed %d: the part touches the next lane", seed)
				}
			}
		}
	}
}

func TestAnySize(t *testing.T) {
	for _, size := range [][2]int{{16, 16}, {33, 500}, {1281, 17}, {1920, 1080}} {
		c := Default()
		c.W, c.H = size[0], size[1]
		var f edged.Frame
		var m edged.Mask
		mustScene(t, c).Render(5, &f, &m)
		if len(f.Pix) != 3*c.W*c.H || len(m.Pix) != c.W*c.H || f.Stride != 3*c.W {
			t.Errorf("%v: frame of %d bytes, mask of %d", size, len(f.Pix), len(m.Pix))
		}
	}
}

func TestParse(t *testing.T) {
	c, err := Parse("test:belt?seed=9&size=320x200&fps=12.5&pace=every&speed=5&frames=3&defects=0.5&grain=0")
	want := Config{Seed: 9, W: 320, H: 200, FPS: 12.5, Every: true, Speed: 5, Frames: 3, Defects: 0.5}
	if err != nil || c != want {
		t.Fatalf("got %+v, %v", c, err)
	}
	if c, err := Parse(Prefix); err != nil || c != Default() {
		t.Fatalf("without options: %+v, %v", c, err)
	}
	for source, says := range map[string]string{
		"test:belts":             "want test:belt",
		"test:belt?sed=1":        "unknown option",
		"test:belt?size=640":     "WIDTHxHEIGHT",
		"test:belt?size=8x8":     "16..8192",
		"test:belt?fps=-1":       "fps -1",
		"test:belt?fps=NaN":      "finite",
		"test:belt?speed=65":     "speed 65",
		"test:belt?defects=2":    "share",
		"test:belt?grain=90":     "grain 90",
		"test:belt?pace=slow":    "newest or every",
		"test:belt?seed=minus":   "seed=minus",
		"test:belt?size=%zz":     "options of",
		"test:belt?frames=1e3":   "frames=1e3",
		"test:belt?size=axb":     "size=axb",
		"test:belt?size=640xbig": "size=640xbig",
	} {
		if _, err := Parse(source); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one that says %q", source, err, says)
		}
	}
}

// manualClock moves only when told to, or when somebody waits.
type manualClock struct{ now time.Time }

func (c *manualClock) Now() time.Time { return c.now }
func (c *manualClock) Wait(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	return ctx.Err()
}

func openAt(t *testing.T, source string) (*Source, *manualClock) {
	t.Helper()
	s, err := Open(source)
	if err != nil {
		t.Fatal(err)
	}
	c := &manualClock{now: time.Unix(1000, 0)}
	s.clock = c
	return s, c
}

func TestNewestFrameWins(t *testing.T) {
	s, clock := openAt(t, "test:belt?size=64x64&fps=10")
	var f edged.Frame
	var seqs []uint64
	for _, busy := range []time.Duration{0, 30, 500, 0} { // milliseconds of work after a frame
		if err := s.Next(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, f.Seq)
		clock.now = clock.now.Add(busy * time.Millisecond)
	}
	if want := []uint64{1, 2, 3, 8}; !equal(seqs, want) {
		t.Fatalf("frames %v, want %v", seqs, want)
	}
	if got, over := s.Tally(); got != 4 || over != 4 || got+over != f.Seq {
		t.Fatalf("delivered %d, passed over %d of %d", got, over, f.Seq)
	}
	if at := f.Time.Sub(time.Unix(1000, 0)); at != 700*time.Millisecond {
		t.Fatalf("frame 8 was taken at %v", at)
	}
}

func equal(a, b []uint64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestEveryFrame(t *testing.T) {
	s, clock := openAt(t, "test:belt?size=64x64&fps=10&pace=every&frames=3")
	var f edged.Frame
	for want := range uint64(3) {
		if err := s.Next(t.Context(), &f); err != nil || f.Seq != want+1 {
			t.Fatalf("frame %d: seq %d, %v", want, f.Seq, err)
		}
		clock.now = clock.now.Add(time.Second)
	}
	if err := s.Next(t.Context(), &f); err != io.EOF {
		t.Fatalf("after the last frame: %v", err)
	}
	if got, over := s.Tally(); got != 3 || over != 0 {
		t.Fatalf("delivered %d, passed over %d", got, over)
	}
}

// A belt that ended while nobody looked owes its unseen frames to the count.
func TestEndIsCounted(t *testing.T) {
	s, clock := openAt(t, "test:belt?size=64x64&fps=10&frames=20")
	var f edged.Frame
	if err := s.Next(t.Context(), &f); err != nil {
		t.Fatal(err)
	}
	clock.now = clock.now.Add(time.Minute)
	for range 2 {
		if err := s.Next(t.Context(), &f); err != io.EOF {
			t.Fatalf("want io.EOF, got %v", err)
		}
	}
	if got, over := s.Tally(); got+over != 20 {
		t.Fatalf("delivered %d + passed over %d, the belt had 20", got, over)
	}
}

func TestTruthOfTheDeliveredFrame(t *testing.T) {
	s, _ := openAt(t, "test:belt?size=128x128&fps=0")
	var f edged.Frame
	var m, want edged.Mask
	if err := s.Truth(&m); err == nil {
		t.Fatal("truth before the first frame")
	}
	for range 5 {
		if err := s.Next(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Truth(&m); err != nil {
		t.Fatal(err)
	}
	mustScene(t, s.Config()).Truth(4, &want)
	if !bytes.Equal(m.Pix, want.Pix) || m.Grid.Stride != [2]float64{1, 1} {
		t.Fatal("truth is not that of the fifth frame")
	}
}

func TestCancelAndClose(t *testing.T) {
	s, err := Open("test:belt?size=64x64&fps=0.01")
	if err != nil {
		t.Fatal(err)
	}
	var f edged.Frame
	if err := s.Next(t.Context(), &f); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Next(ctx, &f); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a wait that was cancelled: %v", err)
	}
	if err := s.Next(ctx, &f); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a context that is over: %v", err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	if err := s.Next(t.Context(), &f); !errors.Is(err, ErrClosed) {
		t.Fatalf("after close: %v", err)
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	s, _ := openAt(t, "test:belt?size=320x240&fps=60&speed=9")
	var f edged.Frame
	var m edged.Mask
	next := func() {
		if s.Next(context.Background(), &f) != nil || s.Truth(&m) != nil {
			t.Fatal("no frame")
		}
	}
	next()
	if n := testing.AllocsPerRun(50, next); n != 0 {
		t.Fatalf("%v allocations a frame", n)
	}
}
