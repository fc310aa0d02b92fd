package stage

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"edged"
	"edged/capture"
	"edged/capture/belt"
	"edged/fallback"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
)

// rowSink keeps what a line camera publishes.
type rowSink struct {
	width    int
	origin   float64          // of the first mask row
	rows     map[int64][]byte // mask rows by the line's row
	stride   int64
	verdicts []string // "part: verdict", of parts that ended
	begins   []int64
	blobs    map[string][]edged.Blob
	parts    map[int64]string // of mask rows, by the row that they are centred on
	cut      []string         // parts that end for their length
	complete []edged.Blob     // of results before their part's end
}

func (s *rowSink) Publish(r *pipeline.Result) {
	if s.rows == nil {
		s.rows, s.blobs, s.parts = map[int64][]byte{}, map[string][]edged.Blob{}, map[int64]string{}
	}
	s.width, s.stride = r.Mask.W, int64(r.Stage.Grid.Stride[0])
	for y := range r.Mask.H {
		s.rows[r.Line.Row+int64(y)*s.stride] = bytes.Clone(r.Mask.Pix[y*r.Mask.Stride:][:r.Mask.W])
		s.parts[int64(r.Mask.Grid.Origin[0]+float64(y)*r.Mask.Grid.Stride[0])] = r.PartID
	}
	if r.Line.Begins {
		s.begins = append(s.begins, r.Line.Row)
	}
	if r.Line.Ends {
		s.verdicts = append(s.verdicts, fmt.Sprintf("%s: %s", r.Line.Part, r.Verdict))
		s.blobs[r.Line.Part] = append([]edged.Blob{}, r.Blobs...)
		if r.Line.Cut {
			s.cut = append(s.cut, r.Line.Part)
		}
	} else {
		s.complete = append(s.complete, r.Blobs...)
	}
}

// dropping leaves frames out, as a camera does that loses them.
type dropping struct {
	capture.Source
	lost map[uint64]bool
}

func (d *dropping) Next(ctx context.Context, f *edged.Frame) error {
	for {
		if err := d.Source.Next(ctx, f); err != nil || !d.lost[f.Seq] {
			return err
		}
	}
}

const lineWidth = 160

// runLine runs a line camera over the belt, strips of frame rows cut to strip.
func runLine(t *testing.T, frame, frames int, line config.Line, lost map[uint64]bool, rules ...config.Rule) (*rowSink, pipeline.LineCounts, *capture.Strips) {
	t.Helper()
	r, err := rewrite.Rewrite(bundled(t, nets.ValidInt8), "00", rewrite.Options{Input: [2]int{60, lineWidth}, OutputStride: [2]int{2, 2}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := r.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	cam := config.Camera{Name: "c", Fit: "crop", Line: &line, Rules: rules}
	s, err := Open(&File{Name: "net", Data: data, Model: r.Model}, &cam, func(_ string, b []byte, o edged.Options) (edged.Engine, error) { return fallback.Open(b, o) }, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if s.Judge, err = NewRuler(&cam, s.Labels, nil, func(Change) {}, nil); err != nil {
		t.Fatal(err)
	}
	src, err := capture.Open(capture.Config{Name: "c", Source: fmt.Sprintf("test:belt?size=%dx%d&line=1&fps=0&frames=%d", lineWidth, frame, frames), EveryFrame: true})
	if err != nil {
		t.Fatal(err)
	}
	strips := capture.NewStrips(&dropping{src, lost}, line.Strip, line.How().Trigger)
	sink := &rowSink{}
	c := pipeline.NewCamera("c", strips, s)
	c.Sink = sink
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sink, c.LineCounts(), strips
}

// wholeBelt is the mask of the belt's first rows as one frame.
func wholeBelt(t *testing.T, rows int) edged.Mask {
	t.Helper()
	c := belt.Default()
	c.W, c.H, c.FPS, c.Line = lineWidth, 64, 0, true
	src, err := belt.New(c)
	if err != nil {
		t.Fatal(err)
	}
	whole := &edged.Frame{W: lineWidth, H: rows, Stride: 3 * lineWidth, Format: edged.BGR}
	var f edged.Frame
	for len(whole.Pix) < 3*lineWidth*rows {
		if err := src.Next(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
		whole.Pix = append(whole.Pix, f.Pix...)
	}
	mask, _, err := lookThrough(t, nets.ValidInt8, rewrite.Options{Input: [2]int{rows, lineWidth}, OutputStride: [2]int{2, 2}}, config.Camera{Fit: "crop"}, whole)
	if err != nil {
		t.Fatal(err)
	}
	return mask
}

func balanced(t *testing.T, n pipeline.LineCounts, read uint64) {
	t.Helper()
	if n.Read != read || n.Read != n.Published+n.Border+n.Refused+n.Disabled {
		t.Errorf("the account of rows: %+v, %d were given", n, read)
	}
}

// TestLineCamera: the strips of a line camera are the mask of the whole picture,
// without seams, and its parts have the verdicts that their masks have.
func TestLineCamera(t *testing.T) {
	const rows = 64 * 12
	whole := wholeBelt(t, rows)
	for _, line := range []config.Line{{Strip: 64, Part: "rows:200"}, {Strip: 24, Part: "absent:metal"}, {Strip: 100}} {
		line := line
		line.MaxPartRows = 16384
		sink, n, strips := runLine(t, 64, 12, line, nil, config.Rule{Class: "scratch", MinAreaPx: 3})
		read, lost := strips.Rows()
		balanced(t, n, rows)
		if read != rows || lost != 0 || len(sink.rows) != whole.H || len(sink.begins) == 0 || sink.begins[0] != 0 {
			t.Errorf("%+v: %d rows of the mask, the whole picture has %d; %d read, begins %v", line, len(sink.rows), whole.H, read, sink.begins)
		}
		for y := range whole.H {
			if !bytes.Equal(sink.rows[int64(2*y)], whole.Pix[y*whole.Stride:][:whole.W]) {
				t.Fatalf("%+v: row %d is not the whole picture's", line, y)
			}
		}
		if len(sink.verdicts) == 0 {
			t.Errorf("%+v: no part ended", line)
		}
	}
}

// TestPartsHaveOneVerdict: a part that crosses forty strips has one, by all of it.
func TestPartsHaveOneVerdict(t *testing.T) {
	sink, _, _ := runLine(t, 64, 24, config.Line{Strip: 16, Part: "rows:640", MaxPartRows: 16384}, nil, config.Rule{Class: "metal", MinAreaPx: 100})
	if len(sink.verdicts) != 3 || sink.verdicts[0] != "1: NG" || sink.verdicts[1] != "2: NG" || sink.verdicts[2] != "3: unsure" {
		t.Errorf("verdicts %q of two parts of 640 rows and one that the end cut", sink.verdicts)
	}
	largest := sink.blobs["2"]
	if len(largest) == 0 || largest[0].H <= 64 || largest[0].Y < 620 {
		t.Errorf("the second part's blobs, in the line's rows: %+v", largest)
	}
}

// TestALineHidesNoNumbers: a model in which it would not show that a value is no number
// is refused, with what to do.
func TestALineHidesNoNumbers(t *testing.T) {
	for name, tail := range map[string]func(b *model.Builder, x model.Ref) model.Ref{"": func(b *model.Builder, x model.Ref) model.Ref { return b.Relu(x) }, "map": quantise} {
		f := threeClasses(t, 1, tail)
		cam := &config.Camera{
			Name: "cam", Labels: []string{"dark", "bright", "third"}, Prepare: &config.Prepare{ChannelOrder: "GRAY", Mean: []float64{0}, Scale: []float64{1}}, Fit: "crop",
			Output: &config.Output{Meaning: "logits", Stride: []float64{1, 1}, Origin: []float64{0, 0}}, Line: &config.Line{Strip: 4, MaxPartRows: 100},
		}
		s, err := Open(f, cam, func(_ string, m []byte, o edged.Options) (edged.Engine, error) { return fallback.Open(m, o) }, edged.Options{Threads: 1})
		if err == nil {
			s.Engine.Close()
		}
		if name == "" && err != nil && strings.Contains(err.Error(), "no number") || name != "" && (err == nil || !strings.Contains(err.Error(), `whole numbers of "map"`)) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestTriggersCutByRow: a row of the mask is of the picture in which the row was taken
// that it is centred on, whichever strip decides it; each picture has one verdict.
func TestTriggersCutByRow(t *testing.T) {
	for strip, delay := range map[int]int{16: -1, 24: 7, 64: 0, 100: -1} {
		sink, n, _ := runLine(t, 48, 8, config.Line{Strip: strip, Delay: &delay, Part: "trigger", MaxPartRows: 16384}, nil, config.Rule{Class: "scratch"})
		balanced(t, n, 48*8)
		if len(sink.parts) == 0 || len(sink.verdicts) != 8 {
			t.Fatalf("strips of %d: %d rows, verdicts %q", strip, len(sink.parts), sink.verdicts)
		}
		for row, part := range sink.parts {
			if want := fmt.Sprint(row/48 + 1); part != want {
				t.Fatalf("strips of %d, delay %d: row %d is of part %s, want %s", strip, delay, row, part, want)
			}
		}
		for i, v := range sink.verdicts {
			if !strings.HasPrefix(v, fmt.Sprint(i+1, ": ")) || (strings.HasSuffix(v, pipeline.Unsure)) != (i == 7) {
				t.Errorf("strips of %d, delay %d: verdict %d is %q", strip, delay, i+1, v)
			}
		}
	}
}

// TestLongPartsAreCut: a part that becomes too long ends, and so does what reaches its
// end; both say so.
func TestLongPartsAreCut(t *testing.T) {
	sink, _, _ := runLine(t, 64, 24, config.Line{Strip: 64, Part: "absent:metal", MaxPartRows: 100}, nil, config.Rule{Class: "metal", MinAreaPx: 100})
	if len(sink.cut) == 0 {
		t.Fatal("no part was cut")
	}
	for _, part := range sink.cut {
		cut := false
		for _, b := range sink.blobs[part] {
			cut = cut || b.Cut
		}
		if !cut {
			t.Errorf("part %s was cut, none of its blobs was: %+v", part, sink.blobs[part])
		}
	}
	sink, _, _ = runLine(t, 64, 24, config.Line{Strip: 16, Part: "absent:metal", MaxPartRows: 16384}, nil, config.Rule{Class: "metal"}, config.Rule{Class: "scratch"})
	for part, blobs := range sink.blobs {
		for _, b := range blobs {
			if b.Cut {
				t.Errorf("part %s ended by itself: %+v", part, b)
			}
		}
	}
	if len(sink.cut) != 0 || len(sink.complete) == 0 {
		t.Errorf("%d parts were cut; %d blobs were told before their part's end", len(sink.cut), len(sink.complete))
	}
}

// TestAHoleInALine: rows that are missing end the picture and its part; what follows
// begins a picture in its own place.
func TestAHoleInALine(t *testing.T) {
	const rows = 64 * 12
	whole := wholeBelt(t, rows)
	sink, n, strips := runLine(t, 64, 12, config.Line{Strip: 64, MaxPartRows: 16384}, map[uint64]bool{5: true})
	read, lost := strips.Rows()
	if read != rows-64 || lost != 64 {
		t.Errorf("%d rows read, %d lost", read, lost)
	}
	balanced(t, n, rows-64)
	if len(sink.begins) < 2 || sink.begins[len(sink.begins)-1] != 5*64 {
		t.Errorf("pictures begin at %v", sink.begins)
	}
	if len(sink.verdicts) == 0 || sink.verdicts[0] != "1: unsure" {
		t.Errorf("the part that the hole cut: %q", sink.verdicts)
	}
	for y, row := range sink.rows {
		if y > 4*64-39 && y < 5*64 {
			t.Errorf("row %d sees rows that are missing", y)
		}
		if !bytes.Equal(row, whole.Pix[int(y/2)*whole.Stride:][:whole.W]) {
			t.Fatalf("row %d is not the whole picture's", y)
		}
	}
}
