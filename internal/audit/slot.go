package audit

import (
	"sync/atomic"
	"time"

	"edged/internal/pipeline"
	"edged/rewrite"
)

// slot is the one frame that an audit looks at: what the engine was given and
// what it said, copied on the frame's path when it is wanted. Its memory is that
// of one input and one output.
type slot struct {
	want    atomic.Bool
	full    chan struct{}
	filling bool // the loop's own

	answer rewrite.Answer // the audit's own while want is false and the slot was full
	seq    uint64
	at     time.Time // of the frame
	part   string
	place  func(y, x int) (row, col int)
	took   time.Duration
}

func newSlot() *slot { return &slot{full: make(chan struct{}, 1)} }

// Prepared implements pipeline.Witness.
func (s *slot) Prepared(input []byte) {
	if s.filling = s.want.Load(); !s.filling {
		return
	}
	began := time.Now()
	s.answer.Input = append(s.answer.Input[:0], input...)
	s.took = time.Since(began)
}

// Answered implements pipeline.Witness.
func (s *slot) Answered(r *pipeline.Result, output []byte) {
	if !s.filling {
		return
	}
	began := time.Now()
	s.answer.Output = append(s.answer.Output[:0], output...)
	s.seq, s.at, s.part, s.place = r.Seq, r.Frame.Time, r.PartID, r.Stage.Mask.Place
	s.took += time.Since(began)
	s.filling = false
	s.want.Store(false)
	s.full <- struct{}{} // it is empty: the audit has asked for one
}
