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
	Rows    edged.Rows
	Cut     *parts.Cutter
	Trigger bool // a part is what the camera's trigger names

	begun   bool
	first   int64       // number of the picture's first row
	given   int         // rows of its mask so far
	seen    int64       // its rows so far
	counted int64       // those of them that are accounted for as published
	frame   edged.Frame // the last strip, without pixels
	strip   Strip       // of the result
	whole   edged.Frame // as blobs are placed on
}

// Strip places a result on a line camera's picture.
type Strip struct {
	Row    int64 // of the camera, from 0 in each run
	Rows   int
	Part   string // empty: between parts
	Begins bool   // rows before it are missing
	Ends   bool   // of the part: verdict and blobs are the part's
	Cut    bool   // the part ends for having become too long

	Starts bool // the part's first rows are these
	Before bool // then: rows of another part are right before them
	Behind bool // of a part that ends: the picture goes on behind it
}

// PartJudge is a Judge of parts, whose rows it is given as they are decided.
type PartJudge interface {
	Judge
	// Rows takes a result's rows, which are of one part, and fills in the blobs that
	// are complete by them.
	Rows(*Result)
	// Part fills in what is said of the part that the rows so far are.
	Part(*Result)
	// Torn is told of a part of which rows are missing: its verdict is Unsure.
	Torn(*Result)
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
}

type lineCounters struct{ read, computed, published, border, refused, disabled atomic.Uint64 }

// LineCounts reads the account of rows. Any goroutine may call it.
func (c *Camera) LineCounts() LineCounts {
	n := &c.lines // read last, so that a row on its way waits and is never missing
	l := LineCounts{Computed: n.computed.Load(), Published: n.published.Load(), Border: n.border.Load(), Refused: n.refused.Load(), Disabled: n.disabled.Load()}
	l.Read = n.read.Load()
	return l
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
		l.begun, l.first, l.given, l.seen, l.counted = true, f.Row, 0, 0, 0
		l.Cut.Begin(f.Row)
	}
	start := c.progress.enter(Preparing)
	if why, err := c.prepareLine(f); err != nil { // the picture ends before it
		c.lines.refused.Add(uint64(f.H))
		c.endPicture()
		c.refuse(f, Shot{}, why, err)
		return
	}
	if why, err := c.pushLine(f, start); err != nil {
		c.losePicture()
		c.refuse(f, Shot{}, why, err)
	}
}

// prepareLine brings a strip before the rows that wait for it.
func (c *Camera) prepareLine(f *edged.Frame) (Refusal, error) {
	s := c.stage
	if err := s.Prepare.prepareStrip(s.Line.Rows.Input(), f); err != nil {
		return refusalOf(err), err
	}
	return RefusedNumber, s.Unfit
}

// pushLine computes a strip that is prepared, and publishes what is decided by it.
func (c *Camera) pushLine(f *edged.Frame, start time.Time) (Refusal, error) {
	l, r := c.stage.Line, &c.result
	l.seen += int64(f.H)
	l.Cut.Take(f.H, f.PartID)
	l.frame = *f
	l.frame.Pix = nil
	prepared := c.progress.enter(Inferring)
	n, err := c.working(func() (int, error) { return l.Rows.Push(f.H) })
	if err != nil {
		return RefusedEngine, err
	}
	c.lines.computed.Add(uint64(f.H))
	inferred := c.progress.enter(Masking)
	r.Prepare, r.Infer = prepared.Sub(start), inferred.Sub(prepared)
	if n == 0 {
		c.counts.passedOver.Add(1) // it decides nothing by itself: the first of a picture
		c.progress.done()
		return 0, nil
	}
	if err := c.publishRows(f, n); err != nil {
		return RefusedNumber, err
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

// publishRows makes masks of n rows that were decided, part by part. An error says
// that they are no numbers.
func (c *Camera) publishRows(f *edged.Frame, n int) error {
	s, l := c.stage, c.stage.Line
	spec := l.Rows.Out()
	spec.Shape = []int{1, n, spec.Shape[2], spec.Shape[3]}
	out := l.Rows.Output()
	if err := edged.CheckFinite(spec, out); err != nil {
		return err
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
		p := l.Cut.Next(mask, scores, at)
		c.publishPiece(f, mask, scores, p)
		at = p.To
	}
	c.tellUnseen()
	l.given += n
	counted := min(int64(l.given*stride), l.seen) // the last row of the mask may stand for less
	c.lines.published.Add(uint64(counted - l.counted))
	l.counted = counted
	return nil
}

// publishPiece publishes rows of one part. A part whose end shows behind it is ended
// by its last row once more.
func (c *Camera) publishPiece(f *edged.Frame, mask *edged.Mask, scores []float32, p parts.Piece) {
	if p.To == p.From {
		last, scores := c.stage.Line.Cut.Last()
		c.publishStrip(f, last, scores, p, false)
		return
	}
	piece := *mask
	piece.Pix = mask.Pix[p.From*mask.Stride:]
	piece.H = p.To - p.From
	piece.Grid.Origin[0] += float64(p.From) * mask.Grid.Stride[0]
	if scores != nil {
		scores = scores[p.From*mask.W : p.To*mask.W]
	}
	c.publishStrip(f, &piece, scores, p, true)
}

// publishStrip fills in the result and hands it on. news: its rows were not published
// before.
func (c *Camera) publishStrip(f *edged.Frame, mask *edged.Mask, scores []float32, p parts.Piece, news bool) {
	r, l := &c.result, c.stage.Line
	r.Mask = mask
	c.describe(f, Shot{})
	r.Scores, r.PartID = scores, p.Part
	stride := int(c.stage.Grid.Stride[0])
	row := int64(math.Round(mask.Grid.Origin[0] - c.stage.Grid.Origin[0]))
	l.strip = Strip{
		Row: row, Rows: mask.H * stride, Part: p.Part, Begins: news && row == l.first,
		Ends: p.Ends, Cut: p.Cut, Starts: p.Begins, Before: p.Before, Behind: p.Behind,
	}
	r.Line = &l.strip
	c.judgeRows(f, p, news)
	c.progress.enter(Publishing)
	c.Sink.Publish(r)
	c.progress.done()
}

// judgeRows has the rules look at rows of a part, and say what the part is once it is
// whole.
func (c *Camera) judgeRows(f *edged.Frame, p parts.Piece, news bool) {
	j, _ := c.stage.Judge.(PartJudge)
	if p.Part == "" {
		return
	}
	r, l := &c.result, c.stage.Line
	l.whole = *f
	l.whole.H, l.whole.Pix = math.MaxInt, nil
	r.Frame = &l.whole
	if j != nil && news {
		j.Rows(r)
	}
	switch {
	case !p.Ends || c.doubtful():
	case p.Torn:
		r.Verdict, r.Reasons = Unsure, append(r.Reasons[:0], tornPart())
		if j != nil {
			j.Torn(r)
		}
	case j != nil:
		j.Part(r)
	}
	r.Frame = f
}

// endPicture publishes what is left of the picture so far: rows behind it are
// missing, or there are none.
func (c *Camera) endPicture() {
	l := c.stage.Line
	if !l.begun {
		return
	}
	n, err := c.working(l.Rows.End)
	if err == nil && n > 0 {
		err = c.publishRows(&l.frame, n)
	}
	if err != nil {
		c.Log.Error("the end of a picture", "camera", c.Name, "err", err.Error())
		c.losePicture()
		return
	}
	c.lines.border.Add(uint64(l.seen - l.counted))
	c.breakPart()
}

// losePicture gives up what is left of the picture: the net has failed on it.
func (c *Camera) losePicture() {
	l := c.stage.Line
	l.Rows.Reset()
	c.lines.refused.Add(uint64(l.seen - l.counted))
	c.breakPart()
}

// breakPart ends the picture, and publishes that a part was not seen to its end.
func (c *Camera) breakPart() {
	l := c.stage.Line
	l.begun = false
	if p, ok := l.Cut.Break(); ok {
		last, scores := l.Cut.Last()
		c.publishStrip(&l.frame, last, scores, p, false)
	}
	c.tellUnseen()
}

// tellUnseen tells of triggers whose parts no row of the mask lies in.
func (c *Camera) tellUnseen() {
	for _, id := range c.stage.Line.Cut.Unseen() {
		c.miss(Shot{PartID: id}, Unseen)
	}
}

// Unseen is why a trigger of a line camera is missed whose rows were read.
const Unseen = "no row of the mask is centred on a row of this part: it is shorter than one stands for, or lies within half a receptive field of a hole"

// tornPart is the reason of a part that was not seen whole.
func tornPart() edged.Reason {
	return edged.Reason{Kind: "hole", Text: "rows of the part are missing: it was not seen from its beginning to its end"}
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
