package rows

import (
	"fmt"
	"slices"

	"edged"
	"edged/model"
)

// Options choose how a net is computed row by row.
type Options struct {
	Strip  int // rows that are computed at once, rounded up to whole strides
	Delay  int // rows that may wait until a strip is whole; -1: as many as that takes
	Output int // the net's
	Engine edged.Options
}

// maxStrip bounds the rows of a strip: beyond, nothing gets faster.
const maxStrip = 4096

// plan is a graph of strips of one height, on an engine.
type plan struct {
	height int
	strip  *strip
	engine edged.Engine
}

// Stream is edged.Rows on the graphs of strips.
type Stream struct {
	net    *net
	plans  []*plan // the highest first
	ends   []*plan // the same with masks, of a net that pads; else nil
	delay  int
	in     edged.Spec
	out    edged.Spec
	inRow  int // bytes
	outRow int

	picture []byte // the rows that the net keeps of it, then those that wait
	waiting int    // rows
	last    *plan  // that ran: the rows that maps keep are its outputs; nil: none did
	ran     int    // rows of the picture that were computed, with those behind its end
	pushed  int    // rows of the picture
	given   int    // rows of the map
	lengths map[*value]int
	ended   bool
	failed  error // the rows that maps keep are gone with it: until the next picture nothing is computed
	result  []byte
	decided int
}

var _ edged.Rows = (*Stream)(nil)

// Open prepares a dense model to be computed row by row. open is the engine. The
// error is a *Refusal where the net cannot be computed so.
func Open(m *model.Model, open edged.Opener, o Options) (*Stream, error) {
	n, err := read(m, o.Output)
	if err != nil {
		return nil, err
	}
	if o.Strip < 1 || o.Strip > maxStrip || o.Delay < -1 {
		return nil, fmt.Errorf("rows: strips of %d rows, a delay of %d: use 1 to %d rows, and a delay from 0, or -1", o.Strip, o.Delay, maxStrip)
	}
	s := &Stream{net: n, lengths: map[*value]int{}}
	height := (o.Strip + n.unit - 1) / n.unit * n.unit
	if s.delay = o.Delay; s.delay < 0 || s.delay >= height {
		s.delay = height - 1
	}
	s.delay = max(s.delay, n.unit-1)
	if err := s.plan(height, open, o.Engine); err != nil {
		s.Close()
		return nil, err
	}
	s.lay(height)
	return s, nil
}

// plan opens the engines: for whole strips, and where rows may not wait that long
// for parts of them.
func (s *Stream) plan(height int, open edged.Opener, o edged.Options) error {
	for h := height; ; h = (h/2 + s.net.unit - 1) / s.net.unit * s.net.unit {
		for _, ends := range []bool{false, true} {
			if ends && !s.net.pads {
				continue
			}
			p, err := s.net.open(h, ends, open, o)
			if err != nil {
				return err
			}
			if ends {
				s.ends = append(s.ends, p)
			} else {
				s.plans = append(s.plans, p)
			}
		}
		if h <= s.delay+1 || h == s.net.unit {
			return nil
		}
	}
}

// open loads the graph of strips of one height.
func (n *net) open(height int, ends bool, open edged.Opener, o edged.Options) (*plan, error) {
	g, err := n.emit(height, ends)
	if err != nil {
		return nil, err
	}
	b, err := g.model.Write()
	if err != nil {
		return nil, err
	}
	e, err := open(b, o)
	if err != nil {
		return nil, fmt.Errorf("rows: strips of %d rows: %w", height, err)
	}
	return &plan{height, g, e}, nil
}

// lay allocates all that the stream works in.
func (s *Stream) lay(height int) {
	in, p := s.net.input, s.plans[0]
	s.in, s.out = p.engine.Inputs()[0], p.engine.Outputs()[0]
	s.in.Shape = []int{1, height, in.width, in.ch}
	s.inRow = in.width * in.ch * s.in.Type.Size()
	s.outRow = s.out.Bytes() / s.out.Shape[1]
	s.picture = make([]byte, (in.kept+s.delay+2*height)*s.inRow)
	most := s.net.output.rows(s.delay/s.net.unit*s.net.unit+2*height) + s.net.output.delay + s.net.unit
	for _, nd := range s.net.nodes {
		most += max(0, nd.after)
	}
	s.out.Shape = []int{1, most, s.out.Shape[2], s.out.Shape[3]}
	s.result = make([]byte, (most+s.net.output.rows(height))*s.outRow)
	s.Reset()
}

// Name tells the engine.
func (s *Stream) Name() string { return s.plans[0].engine.Name() + ", rows" }

// In describes the rows of one Push.
func (s *Stream) In() edged.Spec { return s.in }

// Out describes the rows of one Output.
func (s *Stream) Out() edged.Spec { return s.out }

// Delay is how many rows may wait.
func (s *Stream) Delay() int { return s.delay }

// Input lends the memory of the next rows.
func (s *Stream) Input() []byte {
	return s.picture[(s.net.input.kept+s.waiting)*s.inRow:][:s.in.Bytes()]
}

// Output lends the rows that the last call decided.
func (s *Stream) Output() []byte { return s.result[:s.decided*s.outRow] }

// Push takes n rows.
func (s *Stream) Push(n int) (int, error) {
	if n < 0 || n > s.in.Shape[1] {
		return 0, fmt.Errorf("rows: %d rows at once: at most %d", n, s.in.Shape[1])
	}
	s.decided = 0
	if s.failed != nil {
		return 0, s.failed
	}
	s.waiting += n
	s.pushed += n
	for s.waiting >= s.plans[0].height || s.waiting > s.delay {
		if err := s.compute(s.highest()); err != nil {
			return 0, err
		}
	}
	return s.decided, nil
}

// highest is the plan for as many rows at once as wait.
func (s *Stream) highest() int {
	for i, p := range s.plans {
		if p.height <= s.waiting {
			return i
		}
	}
	return len(s.plans) - 1
}

// End decides what is left of the picture, and begins another.
func (s *Stream) End() (int, error) {
	s.decided = 0
	if err := s.failed; err != nil {
		s.Reset()
		return 0, err
	}
	s.ended = true
	s.net.lengths(s.pushed, s.lengths)
	for s.given < s.lengths[s.net.output] {
		i := s.highest()
		if missing := s.plans[i].height - s.waiting; missing > 0 { // rows behind the end: nobody's result
			clear(s.picture[(s.net.input.kept+s.waiting)*s.inRow:][:missing*s.inRow])
			s.waiting = s.plans[i].height
		}
		if err := s.compute(i); err != nil {
			return 0, err
		}
	}
	n := s.decided
	s.Reset()
	s.decided = n
	return n, nil
}

// Reset begins another picture.
func (s *Stream) Reset() {
	s.waiting, s.ran, s.pushed, s.given, s.decided, s.ended, s.failed = 0, 0, 0, 0, 0, false, nil
	clear(s.picture[:s.net.input.kept*s.inRow])
	s.last = nil
}

// compute runs a plan on the rows that wait.
func (s *Stream) compute(i int) error {
	p := s.plans[i]
	if s.ends != nil && (s.ended || s.begins()) {
		p = s.ends[i]
		s.mask(p)
	}
	e := p.engine
	rows := s.net.input.kept + p.height
	copy(e.Input(0), s.picture[:rows*s.inRow])
	for k, at := range p.strip.keptIn {
		if s.last == nil {
			clear(e.Input(at))
		} else {
			copy(e.Input(at), s.last.engine.Output(1+k))
		}
	}
	if s.failed = e.Run(); s.failed != nil {
		return s.failed
	}
	s.last = p
	copy(s.picture, s.picture[p.height*s.inRow:][:(s.net.input.kept+s.waiting-p.height)*s.inRow])
	s.take(e.Output(0), p.height)
	s.waiting -= p.height
	s.ran += p.height
	return nil
}

// take keeps the rows of a strip's output that are the map's.
func (s *Stream) take(out []byte, height int) {
	y := s.net.output
	first := y.rows(s.ran) - y.delay // of the map; before 0 it has none
	from, to := max(0, -first), y.rows(height)
	if s.ended {
		to = min(to, s.lengths[y]-first)
	}
	if to <= from {
		return
	}
	n := copy(s.result[s.decided*s.outRow:], out[from*s.outRow:to*s.outRow])
	s.decided += n / s.outRow
	s.given += n / s.outRow
}

// begins tells whether rows before the picture's first are near.
func (s *Stream) begins() bool {
	return slices.ContainsFunc(s.net.nodes, func(nd *node) bool {
		return nd.masked && nd.out.rows(s.ran) < nd.out.delay+nd.edge
	})
}

// Held is how many bytes the stream itself holds: rows that wait, and the result.
func (s *Stream) Held() int { return len(s.picture) + len(s.result) }

// Close closes the engines.
func (s *Stream) Close() error {
	var first error
	for _, p := range append(s.plans, s.ends...) {
		if err := p.engine.Close(); err != nil && first == nil {
			first = err
		}
	}
	s.plans, s.ends = nil, nil
	return first
}
