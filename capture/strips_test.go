package capture

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"edged"
)

// linesSource gives frames whose rows are numbered in their pixels.
type linesSource struct {
	frames []edged.Frame
	opens  uint64
	at     int
	parts  bool
	file   string
}

func (s *linesSource) Next(_ context.Context, f *edged.Frame) error {
	if s.at == len(s.frames) {
		return io.EOF
	}
	*f = s.frames[s.at]
	s.at++
	s.file = ""
	if f.PartID != "" {
		s.file = f.PartID + ".png"
	}
	return nil
}
func (s *linesSource) File() string   { return s.file }
func (s *linesSource) Counts() Counts { return Counts{} }
func (s *linesSource) Close() error   { return nil }

// line adds a frame of h rows that begins with row number row.
func (s *linesSource) line(seq uint64, row, h int, opens uint64, part string) {
	f := edged.Frame{W: 2, H: h, Stride: 3, Format: edged.Gray, Seq: seq, PartID: part, Begins: opens != s.opens, Pix: make([]byte, 3*h)}
	for y := range h {
		f.Pix[3*y], f.Pix[3*y+1] = byte(row+y), byte(row+y)
	}
	s.frames, s.opens = append(s.frames, f), opens
}

// strip is what a strip must be.
type strip struct {
	row, first int64 // its number, and what its first pixel says
	h          int
	begins     bool
	part       string
}

func strips(t *testing.T, s *linesSource, rows int, want []strip) *Strips {
	t.Helper()
	all := NewStrips(s, rows, s.parts)
	var f edged.Frame
	for i, w := range want {
		if err := all.Next(t.Context(), &f); err != nil {
			t.Fatalf("strip %d: %v", i, err)
		}
		got := strip{f.Row, int64(f.Pix[0]), f.H, f.Begins, f.PartID}
		if got != w || f.Seq != uint64(i+1) || int64(f.Pix[(f.H-1)*f.Stride]) != w.first+int64(f.H)-1 {
			t.Errorf("strip %d is %+v, want %+v", i, got, w)
		}
	}
	if err := all.Next(t.Context(), &f); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last strip: %v", err)
	}
	return all
}

func TestStripsOfFrames(t *testing.T) {
	var s linesSource
	s.line(1, 0, 5, 1, "")
	s.line(2, 5, 1, 1, "")
	s.line(3, 6, 9, 1, "")
	strips(t, &s, 4, []strip{{0, 0, 4, true, ""}, {4, 4, 4, false, ""}, {8, 8, 4, false, ""}, {12, 12, 3, false, ""}})
}

// A lost frame, and a source that was opened again, begin a picture; the rows that
// are missing have had their numbers.
func TestHolesBeginAPicture(t *testing.T) {
	var s linesSource
	s.line(1, 0, 6, 1, "")
	s.line(3, 12, 6, 1, "") // frame 2 is missing
	s.line(4, 18, 2, 2, "") // opened again
	all := strips(t, &s, 4, []strip{{0, 0, 4, true, ""}, {4, 4, 2, false, ""}, {12, 12, 4, true, ""}, {16, 16, 2, false, ""}, {18, 18, 2, true, ""}})
	if read, lost := all.Rows(); read != 14 || lost != 6 {
		t.Errorf("%d rows read, %d lost", read, lost)
	}
}

// A part's first row is the first of a strip, and where nobody names it a frame is one.
func TestPartsCutStrips(t *testing.T) {
	s := linesSource{parts: true}
	s.line(1, 0, 5, 1, "a")
	s.line(2, 5, 5, 1, "a")
	s.line(3, 10, 2, 1, "b")
	strips(t, &s, 4, []strip{{0, 0, 4, true, "a"}, {4, 4, 1, false, "a"}, {5, 5, 4, false, "a"}, {9, 9, 1, false, "a"}, {10, 10, 2, false, "b"}})
	s = linesSource{parts: true}
	s.line(1, 0, 5, 1, "")
	s.line(2, 5, 2, 1, "")
	strips(t, &s, 4, []strip{{0, 0, 4, true, "1"}, {4, 4, 1, false, "1"}, {5, 5, 2, false, "2"}})
}

// A folder's files are counted by their numbers, once these are known to count: one
// that lacks, one that is late and a picture of another size begin a picture.
func TestNumbersOfFiles(t *testing.T) {
	for _, c := range []struct {
		files  string
		begins string // the files that begin a picture
		lost   uint64 // rows
	}{
		{"s-01 s-02 s-03", "s-01", 0},
		{"s-01 s-02 s-05 s-06", "s-01 s-05", 4},
		{"s-01 s-02 s-04 s-03 s-05", "s-01 s-04 s-03 s-05", 4},
		{"s-8 s-9 s-10", "s-8", 0},
		{"a b c", "a", 0},
		{"20260101-1200 20260101-1233 20260101-1305", "20260101-1200", 0}, // times, no count
		{"x1 x2 y7 y8 y10", "x1 y10", 2},
		{"s99999999999999999999999 s-1 s-2 s-9223372036854775807", "s99999999999999999999999 s-9223372036854775807", 2 * mostMissing},
	} {
		var s linesSource
		for i, name := range strings.Fields(c.files) {
			s.line(uint64(i+1), 2*i, 2, 1, name)
		}
		all := NewStrips(&s, 2, false)
		var begins []string
		var f edged.Frame
		for all.Next(t.Context(), &f) == nil {
			if f.Begins {
				begins = append(begins, f.PartID)
			}
		}
		if got := strings.Join(begins, " "); got != c.begins {
			t.Errorf("%s: %q begin a picture, want %q", c.files, got, c.begins)
		}
		if _, lost := all.Rows(); lost != c.lost {
			t.Errorf("%s: %d rows lost, want %d", c.files, lost, c.lost)
		}
	}
}
