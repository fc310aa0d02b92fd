package capture

import (
	"context"
	"errors"
	"io"
	"testing"

	"edged"
)

// linesSource gives frames whose rows are numbered in their pixels.
type linesSource struct {
	frames []edged.Frame
	opens  []uint64
	at     int
}

func (s *linesSource) Next(_ context.Context, f *edged.Frame) error {
	if s.at == len(s.frames) {
		return io.EOF
	}
	*f = s.frames[s.at]
	s.at++
	return nil
}
func (s *linesSource) Counts() Counts { return Counts{Opens: s.opens[max(0, s.at-1)]} }
func (s *linesSource) Close() error   { return nil }

// line adds a frame of h rows that begins with row number row.
func (s *linesSource) line(seq uint64, row, h int, opens uint64, part string) {
	f := edged.Frame{W: 2, H: h, Stride: 3, Format: edged.Gray, Seq: seq, PartID: part, Pix: make([]byte, 3*h)}
	for y := range h {
		f.Pix[3*y], f.Pix[3*y+1] = byte(row+y), byte(row+y)
	}
	s.frames, s.opens = append(s.frames, f), append(s.opens, opens)
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
	all := NewStrips(s, rows, true)
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

// A part's first row is the first of a strip.
func TestPartsCutStrips(t *testing.T) {
	var s linesSource
	s.line(1, 0, 5, 1, "a")
	s.line(2, 5, 5, 1, "a")
	s.line(3, 10, 2, 1, "b")
	strips(t, &s, 4, []strip{{0, 0, 4, true, "a"}, {4, 4, 4, false, "a"}, {8, 8, 2, false, "a"}, {10, 10, 2, false, "b"}})
}
