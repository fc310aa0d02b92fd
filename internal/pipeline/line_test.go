package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/parts"
)

// strip rows sees three rows for each of its map, whose class is in their pixel: 1 or
// 0. It fails on pixel 200, and pixel 100 is no number.
type stripRows struct {
	input   []byte
	pushed  int
	row     []float32
	given   int
	decided []float32
	stride  int
	all     bool // an end pads: every row is decided
}

const stripMost = 8

func (s *stripRows) Name() string { return "strip" }
func (s *stripRows) In() edged.Spec {
	return edged.Spec{Type: edged.Float32, Shape: []int{1, stripMost, 1, 1}}
}
func (s *stripRows) Out() edged.Spec {
	return edged.Spec{Type: edged.Float32, Shape: []int{1, stripMost + 3, 1, 2}}
}
func (s *stripRows) Input() []byte {
	if s.input == nil {
		s.input = make([]byte, s.In().Bytes())
	}
	return s.input
}

var errStrip = errors.New("the engine fails")

func (s *stripRows) Push(n int) (int, error) {
	for i := range n {
		v := math.Float32frombits(binary.LittleEndian.Uint32(s.input[4*i:]))
		if v == 200 {
			return 0, errStrip
		}
		s.row = append(s.row, v)
	}
	s.decided = s.decided[:0]
	for s.given*s.stride+3 <= len(s.row) {
		s.decide()
	}
	return len(s.decided) / 2, nil
}

// decide gives the next row of the map.
func (s *stripRows) decide() {
	v := s.row[min(s.given*s.stride+1, len(s.row)-1)]
	if v == 100 {
		v = float32(math.NaN())
	}
	s.decided = append(s.decided, 0.5, v)
	s.given++
}

func (s *stripRows) Output() []byte {
	var b []byte
	for _, v := range s.decided {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func (s *stripRows) End() (int, error) {
	s.decided = s.decided[:0]
	for s.all && s.given*s.stride < len(s.row) {
		s.decide()
	}
	n := len(s.decided) / 2
	s.Reset()
	return n, nil
}
func (s *stripRows) Reset()       { s.row, s.given = nil, 0 }
func (s *stripRows) Delay() int   { return 0 }
func (s *stripRows) Close() error { return nil }

// strips are a source of strips one pixel wide.
type stripSource struct {
	strips []edged.Frame
	before func(at int)
	next   int64
}

func (s *stripSource) Next(_ context.Context, f *edged.Frame) error {
	if len(s.strips) == 0 {
		return io.EOF
	}
	*f = s.strips[0]
	f.Time = time.Now()
	f.Row = s.next
	s.next += int64(f.H)
	s.strips = s.strips[1:]
	if s.before != nil {
		s.before(len(s.strips))
	}
	return nil
}

// said writes results down: their part and rows, and what they say of parts that end.
type said struct {
	words []string
	rows  map[int64]uint8 // class by the row that it is centred on
}

func (s *said) Publish(r *Result) {
	word := fmt.Sprintf("%s:%d+%d", r.Line.Part, r.Line.Row, r.Line.Rows)
	if r.Line.Begins {
		word += "begins"
	}
	if r.Line.Ends {
		word += "!" + r.Verdict
	}
	s.words = append(s.words, word)
	for y := range r.Mask.H {
		s.rows[int64(r.Mask.Grid.Origin[0]+float64(y)*r.Mask.Grid.Stride[0])] = r.Mask.Pix[y*r.Mask.Stride]
	}
}

// lineOf is a line camera on rows. Strips are letters for pixels: x of the class, .
// not, N no number, E the engine fails, | between strips; a strip of < is too narrow.
func lineOf(t *testing.T, rows *stripRows, how parts.How, text string) (*Camera, *said) {
	t.Helper()
	var src stripSource
	for i, s := range strings.Split(text, "|") {
		f := edged.Frame{W: 1, H: len(s), Stride: 1, Format: edged.Gray, Seq: uint64(i + 1), PartID: fmt.Sprint("p", i/2)}
		for _, l := range s {
			f.Pix = append(f.Pix, map[rune]byte{'x': 1, '.': 0, 'N': 100, 'E': 200, '<': 0}[l])
			if l == '<' {
				f.Format = edged.PixelFormat(9)
			}
		}
		src.strips = append(src.strips, f)
	}
	grid := edged.Grid{Stride: [2]float64{float64(rows.stride), 1}, Origin: [2]float64{1, 0}}
	prepare, err := NewPreparer(PrepareConfig{Order: edged.Gray, Mean: []float64{0}, Scale: []float64{1}}.Strips(), rows.In())
	if err != nil {
		t.Fatal(err)
	}
	mask, err := NewMasker(MaskConfig{Meaning: Logits, Classes: 2, Grid: grid}, rows.Out())
	if err != nil {
		t.Fatal(err)
	}
	s := &Stage{Engine: lineEngine{}, Prepare: prepare, Mask: mask, Grid: grid, Labels: []string{"a", "b"},
		Line: &Line{Rows: rows, Cut: parts.NewCutter(how, 1, rows.stride)}}
	c := NewCamera("c", &src, s)
	out := &said{rows: map[int64]uint8{}}
	c.Sink = out
	return c, out
}

// lineEngine is what a line camera's stage has for its looks.
type lineEngine struct{ edged.Engine }

func (lineEngine) Input(int) []byte      { return nil }
func (lineEngine) Outputs() []edged.Spec { return nil }
func (lineEngine) Close() error          { return nil }

// TestRowsAreAccountedFor: whatever happens to strips, each row that was read is
// published or lost for a reason, once; rows behind a failure lie in their own places,
// and the part that it cut is unsure.
func TestRowsAreAccountedFor(t *testing.T) {
	for _, c := range []struct {
		strips string
		stride int
		pads   bool
		how    parts.How
		want   LineCounts // but for Read
		words  string     // nothing: not looked at
	}{
		{strips: "xxxx|xxxx", stride: 1, want: LineCounts{Computed: 8, Published: 6, Border: 2}, words: "1:0+2begins 1:2+4 1:5+1!unsure"},
		{strips: "xxxx|xxxx", stride: 2, want: LineCounts{Computed: 8, Published: 6, Border: 2}},
		{strips: "xxxx|xxx", stride: 2, pads: true, want: LineCounts{Computed: 7, Published: 7}}, // four rows of the mask for seven
		{strips: "x|x", stride: 1, want: LineCounts{Computed: 2, Border: 2}},
		{strips: "xxxx|xEx|xxxx|xxxx", stride: 1, want: LineCounts{Computed: 12, Published: 2 + 6, Refused: 5, Border: 2}, words: "1:0+2begins 1:1+1!unsure 2:7+2begins 2:9+4 2:12+1!unsure"},
		{strips: "xxxx|xNx|xxxx|xxxx", stride: 1, want: LineCounts{Computed: 15, Published: 2 + 6, Refused: 5, Border: 2}, words: "1:0+2begins 1:1+1!unsure 2:7+2begins 2:9+4 2:12+1!unsure"},
		{strips: "xxxx|xN", stride: 1, pads: true, want: LineCounts{Computed: 6, Published: 4, Refused: 2}},
		{strips: "xxxx|<<|xxxx", stride: 1, want: LineCounts{Computed: 8, Published: 4, Refused: 2, Border: 4}, words: "1:0+2begins 1:1+1!unsure 2:6+2begins 2:7+1!unsure"},
		{strips: "xxxx|xxxx|xxxx", stride: 1, how: parts.How{Trigger: true}, want: LineCounts{Computed: 12, Published: 10, Border: 2}, words: "p0:0+2begins p0:2+4 p0:6+1! p1:7+3 p1:9+1!unsure"},
	} {
		rows := &stripRows{stride: c.stride, all: c.pads}
		cam, out := lineOf(t, rows, c.how, c.strips)
		cam.Log = slog.New(slog.DiscardHandler)
		if err := cam.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.want.Read = uint64(len(strings.ReplaceAll(c.strips, "|", "")))
		if got := cam.LineCounts(); got != c.want || got.Read != got.Published+got.Border+got.Refused+got.Disabled {
			t.Errorf("%q: %+v, want %+v", c.strips, got, c.want)
		}
		if got := strings.Join(out.words, " "); c.words != "" && got != c.words {
			t.Errorf("%q:\n got %s\nwant %s", c.strips, got, c.words)
		}
		if n := cam.Counts(); n.Published+n.PassedOver+n.RefusedTotal() != uint64(1+strings.Count(c.strips, "|")) {
			t.Errorf("%q: the account of strips: %+v", c.strips, n)
		}
	}
}

// Another model goes on with the numbers of parts, and the one that it came into is
// not seen whole.
func TestAModelThatIsReplacedOnALine(t *testing.T) {
	cam, out := lineOf(t, &stripRows{stride: 1}, parts.How{Rows: 6}, "xxxx|xxxx|xxxx|xxxx")
	other, _ := lineOf(t, &stripRows{stride: 1}, parts.How{Rows: 6}, "x")
	cam.Source.(*stripSource).before = func(left int) {
		if left == 1 {
			cam.Adopt(other.stage)
		}
	}
	if err := cam.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(out.words, " "), "1:0+2begins 1:2+3! 2:5+1 2:5+1!unsure 3:8+2begins 3:10+3! 4:13+1 4:13+1!unsure"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
