// Package parts cuts the endless mask of a line camera into parts, and keeps a
// part's mask until it is whole: rules look at it as at a frame's, so that what
// crosses strips is one blob and a part has one verdict.
package parts

import (
	"fmt"
	"strconv"
	"strings"

	"edged"
)

// How says what cuts a part off. One of the fields is set; none: each is MaxRows long.
type How struct {
	Trigger bool
	Rows    int    // of the picture
	Absent  string // a class: rows without it lie between parts
	MaxRows int    // of the picture; a longer part is cut
}

// DefaultMaxRows bounds a part unless told otherwise.
const DefaultMaxRows = 16384

// Parse reads "trigger", "rows:N" or "absent:CLASS".
func Parse(s string) (h How, err error) {
	word, rest, _ := strings.Cut(s, ":")
	switch word {
	case "":
		return h, nil
	case "trigger":
		if s == word {
			return How{Trigger: true}, nil
		}
	case "rows":
		if n, err := strconv.Atoi(rest); err == nil && n > 0 {
			return How{Rows: n}, nil
		}
	case "absent":
		if rest != "" {
			return How{Absent: rest}, nil
		}
	}
	return h, fmt.Errorf("part %q: use trigger, rows:N (rows of the picture) or absent:CLASS", s)
}

// Cutter cuts masks, strip by strip. One goroutine at a time may use it.
type Cutter struct {
	how    How
	class  uint8
	stride int // rows of the picture for one of the mask

	number int    // of the part
	open   string // the part that goes on, empty: none
	inside bool   // a part is open
	mask   edged.Mask
	scores []float32
}

// NewCutter makes a Cutter. class is How.Absent's id; stride is how many rows of the
// picture a row of the mask stands for.
func NewCutter(how How, class uint8, stride int) *Cutter {
	if how.MaxRows == 0 {
		how.MaxRows = DefaultMaxRows
	}
	return &Cutter{how: how, class: class, stride: stride}
}

// Piece is rows of a strip that belong to one part, or to none.
type Piece struct {
	From, To int
	Part     string // empty: between parts
	Ends     bool   // the part's last rows are among them: Mask and Scores are the part's, until the next call
}

// Next is the piece of a strip that begins with row from, which must be before its
// end. name is the trigger's word for the part that these rows are of.
func (c *Cutter) Next(strip *edged.Mask, scores []float32, from int, name string) Piece {
	if c.inside && c.how.Trigger && name != c.open {
		return Piece{From: from, To: from, Part: c.end(), Ends: true}
	}
	if !c.inside {
		if gap := c.gap(strip, from); gap > from {
			return Piece{From: from, To: gap}
		}
		c.start(strip, name, from)
	}
	p := Piece{From: from, Part: c.open}
	p.To, p.Ends = c.last(strip, from)
	c.keep(strip, scores, from, p.To)
	if p.Ends {
		c.end()
	}
	return p
}

// gap is the first row from row from on that can begin a part.
func (c *Cutter) gap(strip *edged.Mask, from int) int {
	for c.how.Absent != "" && from < strip.H && !c.has(strip, from) {
		from++
	}
	return from
}

func (c *Cutter) has(m *edged.Mask, row int) bool {
	for _, id := range m.Pix[row*m.Stride:][:m.W] {
		if id == c.class {
			return true
		}
	}
	return false
}

func (c *Cutter) start(strip *edged.Mask, name string, from int) {
	c.number++
	c.inside, c.open = true, strconv.Itoa(c.number)
	if c.how.Trigger && name != "" {
		c.open = name
	}
	c.mask = edged.Mask{Pix: c.mask.Pix[:0], Stride: strip.W, W: strip.W, Grid: strip.Grid}
	c.mask.Grid.Origin[0] += float64(from) * strip.Grid.Stride[0]
	c.scores = c.scores[:0]
}

// last is the row behind the last of the part in the strip, and whether it ends there.
func (c *Cutter) last(strip *edged.Mask, from int) (to int, ends bool) {
	most := c.how.MaxRows
	if c.how.Rows > 0 {
		most = min(most, c.how.Rows)
	}
	to = min(strip.H, from+max(1, most/c.stride)-c.mask.H)
	if c.how.Absent != "" {
		for row := from; row < to; row++ {
			if !c.has(strip, row) {
				return row, true
			}
		}
	}
	return to, (c.mask.H+to-from)*c.stride >= most-c.stride+1
}

func (c *Cutter) keep(strip *edged.Mask, scores []float32, from, to int) {
	for row := from; row < to; row++ {
		c.mask.Pix = append(c.mask.Pix, strip.Pix[row*strip.Stride:][:strip.W]...)
	}
	if scores != nil {
		c.scores = append(c.scores, scores[from*strip.W:to*strip.W]...)
	}
	c.mask.H += to - from
}

func (c *Cutter) end() (part string) {
	c.inside = false
	return c.open
}

// Break ends the part that goes on, since rows behind it are missing; ok: there is one.
func (c *Cutter) Break() (part string, ok bool) {
	if !c.inside {
		return "", false
	}
	return c.end(), true
}

// Mask is that of the part that ended last.
func (c *Cutter) Mask() (*edged.Mask, []float32) {
	if len(c.scores) == 0 {
		return &c.mask, nil
	}
	return &c.mask, c.scores
}
