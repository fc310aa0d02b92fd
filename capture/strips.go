package capture

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"edged"
)

// Strips makes strips of equal height of a line camera's frames, as they come one
// behind the other: of small ones several, of large ones a part. Where frames are
// missing, or the source was opened anew, a strip ends early and the next begins a
// picture. It takes the source over.
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
	opens uint64      // of the source, at that frame
	begin bool        // the next strip begins a picture
	end   error       // why there is no further frame

	seq  atomic.Uint64 // of strips
	lost atomic.Uint64 // rows that the source lost, as far as it counts them
	read atomic.Uint64 // rows that it gave
}

// NewStrips cuts src into strips of rows. parts: where a part begins, as its trigger
// says, a strip ends.
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
	opens := s.Source.Counts().Opens
	missing := f.Seq - s.last - 1
	if s.last == 0 || f.Seq <= s.last {
		missing = 0
	}
	hole := s.last != 0 && (f.Seq != s.last+1 || opens != s.opens || f.W != before.W || f.Format != before.Format)
	s.last, s.opens = f.Seq, opens
	if hole {
		s.lost.Add(missing * uint64(f.H))
		s.next += int64(missing) * int64(f.H) // the strip so far has its number already
		s.begin = true
	}
	cut := s.parts && f.PartID != "" && f.PartID != before.PartID // a part's first row is a strip's
	return s.have == 0 || !hole && !cut, nil
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
