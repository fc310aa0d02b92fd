package pipeline

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"edged"
	"edged/internal/parts"
)

// Line is what a Stage has for a line camera: its strips are one picture without
// end, whose rows are computed once each.
type Line struct {
	Rows  edged.Rows
	Cut   *parts.Cutter
	first int64 // number of the picture's first row
	given int   // rows of its mask so far
	begun bool
	seen  int64 // rows of the picture so far
	name  string
	frame edged.Frame // the last strip, without pixels
	strip Strip       // of the result
	whole edged.Frame // of a part
}

// Strip places a result on a line camera's picture.
type Strip struct {
	Row    int64 // of the camera, from 0 in each run
	Rows   int
	Part   string // empty: between parts
	Begins bool   // rows before it are missing
	Ends   bool   // of the part: verdict and blobs are the part's
}

// LineCounts is the account of a line camera's rows: each that was read is
// published, given up for a reason, or waits for the rows behind it.
type LineCounts struct {
	Read      uint64
	Computed  uint64
	Published uint64
	Border    uint64 // at the ends of pictures, which no position sees whole
	Refused   uint64 // of strips that were refused
	Disabled  uint64 // while the camera was
	Missing   uint64 // that the source lost; they were never read
}

type lineCounters struct{ read, computed, published, border, refused, disabled atomic.Uint64 }

// LineCounts reads the account of rows. Any goroutine may call it.
func (c *Camera) LineCounts() LineCounts {
	n := &c.lines
	return LineCounts{Read: n.read.Load(), Computed: n.computed.Load(), Published: n.published.Load(), Border: n.border.Load(), Refused: n.refused.Load(), Disabled: n.disabled.Load()}
}

// serveLine brings one strip to the sink, with what came before it and was not yet
// decided.
func (c *Camera) serveLine(f *edged.Frame) {
	l := c.stage.Line
	c.lines.read.Add(uint64(f.H))
	if c.passesOver(f) {
		c.counts.passedOver.Add(1)
		c.lines.disabled.Add(uint64(f.H))
		c.endPicture()
		return
	}
	if f.Begins || !l.begun {
		c.endPicture()
		l.begun, l.first, l.given, l.seen = true, f.Row, 0, 0
	}
	if why, err := c.pushLine(f); err != nil {
		c.lines.refused.Add(uint64(f.H))
		c.endPicture()
		c.refuse(f, Shot{}, why, err)
	}
}

// pushLine computes a strip, and publishes what is decided by it.
func (c *Camera) pushLine(f *edged.Frame) (Refusal, error) {
	s, l, r := c.stage, c.stage.Line, &c.result
	start := c.progress.enter(Preparing)
	if err := s.Prepare.prepareStrip(l.Rows.Input(), f); err != nil {
		return refusalOf(err), err
	}
	prepared := c.progress.enter(Inferring)
	if s.Unfit != nil {
		return RefusedNumber, s.Unfit
	}
	n, err := c.working(func() (int, error) { return l.Rows.Push(f.H) })
	if err != nil {
		return RefusedEngine, err
	}
	c.lines.computed.Add(uint64(f.H))
	l.seen += int64(f.H)
	l.frame, l.name = *f, f.PartID
	l.frame.Pix = nil
	inferred := c.progress.enter(Masking)
	r.Prepare, r.Infer = prepared.Sub(start), inferred.Sub(prepared)
	if n == 0 {
		c.counts.passedOver.Add(1) // it decides nothing by itself: the first of a picture
		c.progress.done()
		return 0, nil
	}
	if why, err := c.publishRows(f, n); err != nil {
		return why, err
	}
	c.counts.published.Add(1)
	return 0, nil
}

// working runs the net and says so.
func (c *Camera) working(run func() (int, error)) (int, error) {
	if c.Working == nil {
		return run()
	}
	c.Working(c.stage, true)
	n, err := run()
	c.Working(c.stage, false)
	return n, err
}

// publishRows makes masks of n rows that were decided, part by part.
func (c *Camera) publishRows(f *edged.Frame, n int) (Refusal, error) {
	s, l := c.stage, c.stage.Line
	spec := l.Rows.Out()
	spec.Shape = []int{1, n, spec.Shape[2], spec.Shape[3]}
	out := l.Rows.Output()
	if err := edged.CheckFinite(spec, out); err != nil {
		return RefusedNumber, err
	}
	began := time.Now()
	mask := s.Mask.makeRows(out, n)
	mask.Grid = s.Prepare.Place(s.Grid, n, mask.W)
	stride := int(s.Grid.Stride[0])
	mask.Grid.Origin[0] = float64(l.first) + s.Grid.Origin[0] + float64(l.given*stride)
	c.result.MaskTime = time.Since(began)
	c.result.Age = time.Since(f.Time)
	scores := s.Mask.Scores()
	for at := 0; at < n; {
		p := l.Cut.Next(mask, scores, at, l.name)
		c.publishPiece(f, mask, scores, p)
		at = p.To
	}
	l.given += n
	c.lines.published.Add(uint64(n * stride))
	return 0, nil
}

// publishPiece publishes rows of one part. A part whose end shows behind it is ended
// by its last row once more.
func (c *Camera) publishPiece(f *edged.Frame, mask *edged.Mask, scores []float32, p parts.Piece) {
	whole := mask
	from, to := p.From, p.To
	if to == from {
		whole, scores = c.stage.Line.Cut.Mask()
		from, to = whole.H-1, whole.H
	}
	piece := *whole
	piece.Pix = whole.Pix[from*whole.Stride:]
	piece.H = to - from
	piece.Grid.Origin[0] += float64(from) * whole.Grid.Stride[0]
	if scores != nil {
		scores = scores[from*whole.W : to*whole.W]
	}
	c.publishStrip(f, &piece, scores, p)
}

// publishStrip fills in the result and hands it on.
func (c *Camera) publishStrip(f *edged.Frame, mask *edged.Mask, scores []float32, p parts.Piece) {
	r, l := &c.result, c.stage.Line
	r.Mask = mask
	c.describe(f, Shot{PartID: p.Part})
	r.Scores = scores
	stride := int(c.stage.Grid.Stride[0])
	row := int64(math.Round(mask.Grid.Origin[0] - c.stage.Grid.Origin[0]))
	l.strip = Strip{Row: row, Rows: mask.H * stride, Part: p.Part, Begins: row == l.first, Ends: p.Ends}
	r.Line = &l.strip
	if p.Ends {
		c.judgePart(f)
	}
	c.progress.enter(Publishing)
	c.Sink.Publish(r)
	c.progress.done()
}

// judgePart has the rules look at the part's whole mask.
func (c *Camera) judgePart(f *edged.Frame) {
	r := &c.result
	mask, frame, scores := r.Mask, r.Frame, r.Scores
	r.Mask, r.Scores = c.stage.Line.Cut.Mask()
	l := c.stage.Line
	l.whole = *f
	l.whole.H, l.whole.Pix = math.MaxInt, nil
	r.Frame = &l.whole
	c.judge()
	r.Mask, r.Frame, r.Scores = mask, frame, scores
}

// endPicture publishes what is left of the picture so far: rows behind it are
// missing, or there are none.
func (c *Camera) endPicture() {
	l := c.stage.Line
	if !l.begun {
		return
	}
	l.begun = false
	n, err := c.working(l.Rows.End)
	if err == nil && n > 0 {
		_, err = c.publishRows(&l.frame, n)
	}
	if err != nil {
		c.Log.Error("the end of a picture", "camera", c.Name, "err", err.Error())
	}
	c.lines.border.Add(uint64(max(0, l.seen-int64(l.given)*int64(c.stage.Grid.Stride[0]))))
	if part, ok := l.Cut.Break(); ok {
		c.breakPart(part)
	}
}

// breakPart publishes that a part was not seen to its end.
func (c *Camera) breakPart(part string) {
	whole, _ := c.stage.Line.Cut.Mask()
	if whole.H == 0 {
		return
	}
	last := *whole
	last.Pix, last.H = whole.Pix[(whole.H-1)*whole.Stride:], 1
	last.Grid.Origin[0] += float64(whole.H-1) * whole.Grid.Stride[0]
	c.broken = true
	c.publishStrip(&c.stage.Line.frame, &last, nil, parts.Piece{Part: part, Ends: true})
	c.broken = false
}

// brokenPart is the reason of a part that was not seen to its end.
func brokenPart() edged.Reason {
	return edged.Reason{Kind: "hole", Text: "rows of the part are missing: it was not seen to its end"}
}

// makeRows is the mask of the first rows of an output, lent until the next call.
func (m *Masker) makeRows(output []byte, rows int) *edged.Mask {
	m.mask.H = rows
	m.classes(m.mask.Pix[:rows*m.w], output)
	if m.scores != nil {
		m.fillScores(output)
	}
	return &m.mask
}

// prepareStrip writes the rows of a strip into dst.
func (p *Preparer) prepareStrip(dst []byte, f *edged.Frame) error {
	if f.H > p.h {
		return fmt.Errorf("pipeline: a strip of %d rows for %d: %w", f.H, p.h, ErrFrame)
	}
	if err := p.meet(f); err != nil {
		return err
	}
	p.write(dst, f)
	return nil
}

// planStrip lays out how strips are read: the middle of their columns, all rows.
func (p *Preparer) planStrip(f *edged.Frame) error {
	if f.W < p.w {
		return fmt.Errorf("pipeline: strips of %d columns for a model of %d: %w; use a smaller model", f.W, p.w, ErrTooSmall)
	}
	all := Rect{W: f.W, H: f.H}
	p.place = placement{roi: all, y: axis{scale: 1}, x: axis{scale: 1, offset: float64((f.W - p.w) / 2)}}
	p.view = viewOf(f, all, 0).crop((f.W-p.w)/2, 0, p.w, f.H)
	p.row, p.match = make([]byte, p.w*f.Format.Channels()), make([]byte, p.w*p.ch)
	return nil
}
