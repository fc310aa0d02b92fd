package capture

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"edged"
)

// Strips makes strips of equal height of a line camera's frames, as they come one
// behind the other: of small ones several, of large ones a part. Where frames are
// missing - by their count or, in a folder, by the numbers of its files - or the source
// was opened anew, a strip ends early and the next begins a picture. It takes the
// source over.
type Strips struct {
	Source
	rows int

	frame edged.Frame // of the source, lent
	at    int         // rows of it that were taken
	pix   []byte      // the strip
	have  int         // rows in it
	head  edged.Frame // what the strip is like, without pixels
	next  int64       // number of the next row
	parts bool        // a part's first row begins a strip
	last  uint64      // Seq of the frame before
	files numbering   // of a folder's
	begin bool        // the next strip begins a picture
	end   error       // why there is no further frame

	seq  atomic.Uint64 // of strips
	lost atomic.Uint64 // rows that the source lost, as far as it counts them
	read atomic.Uint64 // rows that it gave
	gaps atomic.Uint64 // holes
}

// NewStrips cuts src into strips of rows. parts: each frame is of the part that its
// trigger names, or a part by itself, named by its count; where a part begins a strip
// ends.
func NewStrips(src Source, rows int, parts bool) *Strips {
	return &Strips{Source: src, rows: rows, parts: parts, begin: true}
}

// Counts is the source's account, in strips where it counts what was delivered.
func (s *Strips) Counts() Counts {
	c, n := s.Source.Counts(), s.seq.Load()
	c.Read, c.Delivered = c.Read-c.Delivered+n, n
	return c
}

// Rows counts the rows that the source gave, and those that it lost between.
func (s *Strips) Rows() (read, lost uint64) { return s.read.Load(), s.lost.Load() }

// Holes counts the places where rows are missing, or the source was opened anew.
func (s *Strips) Holes() uint64 { return s.gaps.Load() }

// Next lends the next strip.
func (s *Strips) Next(ctx context.Context, f *edged.Frame) error {
	for s.have < s.rows {
		if s.frame.Pix == nil || s.at == s.frame.H {
			whole, err := s.fetch(ctx)
			if err != nil && (s.have == 0 || !errors.Is(err, io.EOF)) {
				return err
			}
			if err != nil || !whole {
				break // what there is ends here
			}
		}
		s.copy()
		if s.parts && s.at == s.frame.H {
			break // the part's verdict need not wait for the next one's rows
		}
	}
	s.lend(f)
	return nil
}

// fetch takes the source's next frame; whole: the strip so far goes on in it.
func (s *Strips) fetch(ctx context.Context) (whole bool, err error) {
	if s.end != nil {
		return false, s.end
	}
	before := s.frame
	if err := s.Source.Next(ctx, &s.frame); err != nil {
		if errors.Is(err, io.EOF) {
			s.end = err
		}
		s.frame = edged.Frame{W: before.W, Format: before.Format, PartID: before.PartID}
		return false, err
	}
	f := &s.frame
	s.at = 0
	s.read.Add(uint64(f.H))
	hole, missing := s.missing(f, &before)
	if hole {
		s.gaps.Add(1)
		s.lost.Add(missing * uint64(f.H))
		s.next += int64(missing) * int64(f.H) // the strip so far has its number already
		s.begin = true
	}
	s.last = f.Seq
	if s.parts && f.PartID == "" {
		f.PartID = strconv.FormatUint(f.Seq, 10)
	}
	cut := s.parts && f.PartID != before.PartID // a part's first row is a strip's
	return s.have == 0 || !hole && !cut, nil
}

// missing tells whether f is not the next frame, and how many there were between that
// are known of.
func (s *Strips) missing(f, before *edged.Frame) (hole bool, frames uint64) {
	if filer, ok := s.Source.(Filer); ok && filer.File() != "" {
		hole, frames = s.files.next(filer.File())
	}
	if s.last == 0 {
		return false, 0
	}
	if f.Seq > s.last+1 {
		frames = max(frames, f.Seq-s.last-1)
	}
	hole = hole || f.Begins || f.Seq != s.last+1 || f.W != before.W || f.Format != before.Format
	return hole, min(frames, mostMissing)
}

// mostMissing bounds how many frames a gap may say are missing.
const mostMissing = 1 << 20

// numbering follows the numbers that the files of a folder end in. Only once two in a
// row have followed each other is it known that they count.
type numbering struct {
	stem   string // what is before the number
	last   uint64
	known  bool // last is one
	counts bool
}

// next tells whether files are missing before the one of this name, or it is late, and
// how many are missing.
func (n *numbering) next(file string) (hole bool, missing uint64) {
	was := *n
	stem := strings.TrimSuffix(file, filepath.Ext(file))
	digits := stem[len(strings.TrimRight(stem, "0123456789")):]
	number, err := strconv.ParseUint(digits, 10, 63)
	*n = numbering{stem: strings.TrimSuffix(stem, digits), last: number, known: err == nil}
	if !n.known || !was.known || n.stem != was.stem {
		return false, 0
	}
	n.counts = was.counts || number == was.last+1
	switch {
	case !was.counts || number == was.last+1:
		return false, 0
	case number > was.last:
		return true, number - was.last - 1
	}
	return true, 0
}

// copy takes rows of the frame into the strip.
func (s *Strips) copy() {
	f := &s.frame
	row := f.W * f.Format.Channels()
	if s.have == 0 {
		s.head = edged.Frame{Stride: row, W: f.W, Format: f.Format, Time: f.Time, PartID: f.PartID, Row: s.next, Begins: s.begin}
		s.begin = false
		if need := row * s.rows; cap(s.pix) < need {
			s.pix = make([]byte, need)
		}
	}
	n := min(s.rows-s.have, f.H-s.at)
	for range n {
		copy(s.pix[s.have*row:][:row], f.Pix[s.at*f.Stride:])
		s.have++
		s.at++
	}
	s.next += int64(n)
	s.head.Time = f.Time
}

// lend describes the strip.
func (s *Strips) lend(f *edged.Frame) {
	*f = s.head
	f.Seq, f.H, f.Pix = s.seq.Add(1), s.have, s.pix[:s.have*s.head.Stride]
	s.have = 0
}
