package pipeline

import (
	"fmt"
	"sync/atomic"
	"time"

	"edged"
	"edged/internal/mono"
)

// Refusal is why a frame led to no result.
type Refusal int

// The reasons to refuse a frame.
const (
	RefusedTooSmall Refusal = iota // smaller than the model's input
	RefusedROI                     // the roi reaches outside it
	RefusedDamaged                 // its bytes do not make the picture it says
	RefusedEngine                  // the engine failed on it
	RefusedNumber                  // its output is not a number somewhere
	refusals
)

func (r Refusal) String() string {
	names := [refusals]string{"too_small", "roi_outside", "damaged", "engine", "not_a_number"}
	if r < 0 || r >= refusals {
		return fmt.Sprintf("Refusal(%d)", int(r))
	}
	return names[r]
}

// Refused is a frame that led to no result.
type Refused struct {
	Frame *edged.Frame
	Why   Refusal
	Err   error
}

// Counts is a camera's ledger: of the frames its source delivered, every one
// is published, passed over or refused, or is the one being served.
type Counts struct {
	Published  uint64
	PassedOver uint64 // while disabled, or older than the trigger
	Refused    [refusals]uint64
	Missed     uint64 // triggers that led to no result
}

// Failed counts the frames that were fit, and on which the inference was not.
func (c *Counts) Failed() uint64 { return c.Refused[RefusedEngine] + c.Refused[RefusedNumber] }

// RefusedTotal is the sum over all reasons.
func (c *Counts) RefusedTotal() uint64 {
	var sum uint64
	for _, n := range c.Refused {
		sum += n
	}
	return sum
}

// RefusedByReason lists the reasons that occurred.
func (c *Counts) RefusedByReason() map[string]uint64 {
	m := map[string]uint64{}
	for i, n := range c.Refused {
		if n > 0 {
			m[Refusal(i).String()] = n
		}
	}
	return m
}

type counters struct {
	published, passedOver, missed atomic.Uint64
	refused                       [refusals]atomic.Uint64
}

// Counts reads the ledger. Any goroutine may call it.
func (c *Camera) Counts() Counts {
	n := Counts{
		Published:  c.counts.published.Load(),
		PassedOver: c.counts.passedOver.Load(),
		Missed:     c.counts.missed.Load(),
	}
	for i := range n.Refused {
		n.Refused[i] = c.counts.refused[i].Load()
	}
	return n
}

// Phase is where a camera's loop stands.
type Phase int32

// The phases of the loop. Only Waiting may last: it has no work.
const (
	Waiting Phase = iota
	Preparing
	Inferring
	Masking
	Publishing
)

func (p Phase) String() string {
	names := [...]string{"waiting", "preparing", "inferring", "masking", "publishing"}
	if p < 0 || int(p) >= len(names) {
		return fmt.Sprintf("Phase(%d)", int32(p))
	}
	return names[p]
}

// progress notes when the loop entered its phase and when it last finished a
// frame, for the watchdog.
type progress struct {
	phase   atomic.Int32
	entered mono.Moment
	served  mono.Moment // zero before the first frame
}

func (p *progress) enter(phase Phase) time.Time {
	now := time.Now()
	p.entered.Store(now)
	p.phase.Store(int32(phase))
	return now
}

func (p *progress) done() { p.served.Store(time.Now()) }

// Progress tells where the loop stands, since when, and when it last finished
// a frame (the zero time before the first). Any goroutine may call it.
func (c *Camera) Progress() (phase Phase, since, served time.Time) {
	p := &c.progress
	return Phase(p.phase.Load()), p.entered.Load(), p.served.Load()
}
