package parts

import (
	"bytes"
	"math"
	"strconv"

	"edged"
)

// Cutter cuts masks, strip by strip. Its memory depends on the width alone. One
// goroutine at a time may use it.
type Cutter struct {
	how    How
	class  uint8
	stride int // rows of the picture for one of the mask

	ids   []since // of the rows that were taken; the first holds for the next row of the mask
	taken int64   // number of the row behind the last that was taken
	first int64   // number of the picture's first row
	fresh bool    // no row of the picture's mask was cut yet
	after bool    // a part ended where the picture goes on

	number int    // of parts so far
	open   string // the part that goes on, or the last that did
	inside bool   // it goes on
	rows   int    // of it so far
	bound  int64  // number of the picture's row that it ends before; 0: open
	torn   bool   // its first rows are missing
	lost   string // the part that a hole has cut

	unseen     []string
	last       edged.Mask // the part's last row
	lastScores []float32  // and its scores
}

// since is an id and the first row that has it.
type since struct {
	row  int64
	id   string
	seen bool // a row of the mask was centred on one of its rows
}

// NewCutter makes a Cutter. class is How.Absent's id; stride is how many rows of the
// picture a row of the mask stands for.
func NewCutter(how How, class uint8, stride int) *Cutter {
	if how.MaxRows == 0 {
		how.MaxRows = DefaultMaxRows
	}
	return &Cutter{how: how, class: class, stride: stride}
}

// Follow has c go on where old ends: its parts are numbered on, and one that old did
// not see the end of has no whole rest.
func (c *Cutter) Follow(old *Cutter) { c.number, c.lost = old.number, old.lost }

// Begin begins a picture, with row number first.
func (c *Cutter) Begin(first int64) {
	c.first, c.taken, c.fresh, c.after, c.ids = first, first, true, false, c.ids[:0]
}

// Take notes that the next n rows of the picture were taken under an id, the trigger's
// word for their part.
func (c *Cutter) Take(n int, id string) {
	if len(c.ids) == 0 || c.ids[len(c.ids)-1].id != id {
		c.ids = append(c.ids, since{row: c.taken, id: id})
	}
	c.taken += int64(n)
}

// Piece is rows of a strip that belong to one part, or to none.
type Piece struct {
	From, To int
	Part     string // empty: between parts
	Begins   bool   // the part's first row is among them
	Before   bool   // then: rows of another part are right before it
	Ends     bool   // the part's last rows are among them, or were the last before
	Behind   bool   // then: the picture goes on behind it, in another part
	Torn     bool   // then: its first rows are missing
	Cut      bool   // then: max_part_rows has ended it
}

// Next is the piece of a strip that begins with row from, which must be before its
// end. scores are the strip's, dense; nil: it has none.
func (c *Cutter) Next(strip *edged.Mask, scores []float32, from int) Piece {
	p := Piece{From: from}
	if c.inside && c.ended(strip, from) { // which shows only now
		p.To, p.Part = from, c.open
		return c.close(p, false)
	}
	if !c.inside {
		if p.To = c.gap(strip, from); p.To > from {
			c.fresh, c.after = false, false
			return p
		}
		c.start(strip, from)
		p.Begins, p.Before = true, c.after
	}
	p.Part = c.open
	to, ends, cut := c.end(strip, from)
	p.To = to
	c.keep(strip, scores, to-1)
	if ends {
		return c.close(p, cut)
	}
	return p
}

// Last is the last row of the part that ended last, and its scores.
func (c *Cutter) Last() (*edged.Mask, []float32) {
	if len(c.lastScores) == 0 {
		return &c.last, nil
	}
	return &c.last, c.lastScores
}

// Break ends the picture, since rows behind it are missing; ok: a part goes on, which
// ends with it.
func (c *Cutter) Break() (p Piece, ok bool) {
	for _, s := range c.ids {
		c.forget(s)
	}
	c.ids = c.ids[:0]
	if !c.inside {
		return Piece{}, false
	}
	p = c.close(Piece{Part: c.open}, false)
	p.Torn, c.lost = true, c.open
	return p, true
}

// Unseen are the parts that no row of the mask was centred on, since the last call:
// nothing was said of them.
func (c *Cutter) Unseen() (ids []string) {
	ids, c.unseen = c.unseen, nil
	return ids
}

// centre is the number of the picture's row that a row of a strip is centred on; of
// two equally near ones the later.
func centre(strip *edged.Mask, row int) int64 {
	return int64(math.Floor(strip.Grid.Origin[0] + float64(row)*strip.Grid.Stride[0] + 0.5))
}

// at is the index of the id under which a row of the picture was taken.
func (c *Cutter) at(row int64) int {
	i := 0
	for i+1 < len(c.ids) && c.ids[i+1].row <= row {
		i++
	}
	return i
}

// see notes that a row of the mask is centred on a row of the picture, and gives that
// one's id. Ids before it are not asked for again.
func (c *Cutter) see(row int64) string {
	if len(c.ids) == 0 {
		return ""
	}
	i := c.at(row)
	for _, s := range c.ids[:i] {
		c.forget(s)
	}
	c.ids = append(c.ids[:0], c.ids[i:]...)
	c.ids[0].seen = true
	return c.ids[0].id
}

// forget notes a part that no row of the mask was centred on.
func (c *Cutter) forget(s since) {
	if c.how.Trigger && !s.seen && s.id != "" {
		c.unseen = append(c.unseen, s.id)
	}
}

// gap is the first row from row from on that can begin a part.
func (c *Cutter) gap(strip *edged.Mask, from int) int {
	for c.how.Absent != "" && from < strip.H && !c.has(strip, from) {
		from++
	}
	return from
}

func (c *Cutter) has(m *edged.Mask, row int) bool {
	return bytes.IndexByte(m.Pix[row*m.Stride:][:m.W], c.class) >= 0
}

// start begins a part with row from of a strip.
func (c *Cutter) start(strip *edged.Mask, from int) {
	c.number++
	c.inside, c.open, c.rows, c.bound = true, strconv.Itoa(c.number), 0, 0
	row := centre(strip, from)
	c.torn = c.fresh && c.how.Absent != ""
	if id := c.see(row); c.how.Trigger && id != "" {
		c.open = id
		c.torn = c.fresh && id == c.lost
	}
	if n := c.length(); n > 0 {
		c.bound = c.first + ((row-c.first)/n+1)*n
	}
	c.fresh, c.lost = false, ""
}

// length is how many rows of the picture each part has; 0: as many as it comes to.
func (c *Cutter) length() int64 {
	switch {
	case c.how.Rows > 0:
		return int64(min(c.how.Rows, c.how.MaxRows))
	case c.how.Trigger || c.how.Absent != "":
		return 0
	}
	return int64(c.how.MaxRows)
}

// end is the row behind the last of the part in the strip, whether the part ends
// there, and whether it does for having become too long.
func (c *Cutter) end(strip *edged.Mask, from int) (to int, ends, cut bool) {
	most := max(1, c.how.MaxRows/c.stride)
	for to = from; to < strip.H; {
		if c.how.Trigger {
			c.see(centre(strip, to))
		}
		c.rows++
		to++
		if c.ended(strip, to) {
			return to, true, false
		}
		if c.bound == 0 && c.rows >= most {
			return to, true, true
		}
	}
	return to, false, false
}

// ended tells whether a row that follows the part is known to be none of it.
func (c *Cutter) ended(strip *edged.Mask, row int) bool {
	switch at := centre(strip, row); {
	case c.bound > 0:
		return at >= c.bound
	case c.how.Trigger:
		i := c.at(at)
		return at < c.taken && i < len(c.ids) && c.ids[i].id != "" && c.ids[i].id != c.open
	}
	return row < strip.H && !c.has(strip, row)
}

// keep notes the part's last row so far.
func (c *Cutter) keep(strip *edged.Mask, scores []float32, row int) {
	c.last = edged.Mask{Pix: append(c.last.Pix[:0], strip.Pix[row*strip.Stride:][:strip.W]...), Stride: strip.W, W: strip.W, H: 1, Grid: strip.Grid}
	c.last.Grid.Origin[0] += float64(row) * strip.Grid.Stride[0]
	c.lastScores = c.lastScores[:0]
	if scores != nil {
		c.lastScores = append(c.lastScores, scores[row*strip.W:][:strip.W]...)
	}
}

// close ends the part.
func (c *Cutter) close(p Piece, cut bool) Piece {
	p.Ends, p.Cut, p.Torn = true, cut, c.torn
	p.Behind = cut || c.bound > 0
	c.inside, c.after = false, p.Behind
	return p
}
