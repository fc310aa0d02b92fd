package fallback

import "sync/atomic"

// schedule is the order of a plan's steps, which all workers go through together,
// frame after frame. Nobody leads: whoever ends a step lets all go on to the
// next, so a worker that the system has taken off its processor holds up the
// others by the units that it has begun, and by nothing else.
type schedule struct {
	steps    []step
	progress []progress    // of each step
	round    atomic.Uint32 // the frame, counted
	parallel bool          // there is work for more than one
}

// progress is how much of a step is done. Its units are cut into shares, one for
// each worker where there is work enough: a worker takes from its own share, the
// same rows in every layer, and helps the others at the end. What a unit computes does not
// depend on who computes it.
//
// Nothing is reset between frames: counters go on, claims name their round.
type progress struct {
	done   atomic.Uint32 // units computed in all rounds, modulo 2^32
	units  int
	grain  int // the fewest units that are worth a claim
	shares []share
}

// share is one worker's part of a step; it has a cache line of its own.
type share struct {
	claimed atomic.Uint64 // the round in the upper half, units claimed in the lower
	lo, hi  int
	_       [40]byte
}

// minWork is how many elementary operations are worth sharing: a step's end
// costs every worker a fraction of a microsecond.
const minWork = 20000

func newSchedule(steps []step, workers int) *schedule {
	c := &schedule{steps: steps, progress: make([]progress, len(steps))}
	for i := range steps {
		c.progress[i].cut(&steps[i], workers)
		c.parallel = c.parallel || len(c.progress[i].shares) > 1
	}
	return c
}

// cut lays out the shares: by the unit count and the work alone.
func (m *progress) cut(s *step, workers int) {
	shares := 2 * s.work / minWork
	n := max(1, min(workers, s.units, shares))
	m.units, m.shares = s.units, make([]share, n)
	m.grain = max(1, s.units/max(1, shares))
	for b := range m.shares {
		m.shares[b].lo, m.shares[b].hi = s.units*b/n, s.units*(b+1)/n
	}
	if n == 1 {
		m.grain = s.units
	}
}

// claim takes some units that nobody has begun: none if there are none left,
// or if the round is over. Claims become smaller towards the end of the share,
// so that those who help find something.
func (b *share) claim(round uint32, grain int) (lo, hi int) {
	for {
		word := b.claimed.Load()
		next := b.lo
		switch age := int32(round - uint32(word>>32)); {
		case age < 0:
			return 0, 0
		case age == 0:
			next += int(uint32(word))
		}
		left := b.hi - next
		if left <= 0 {
			return 0, 0
		}
		n := min(left, max(grain, left/4))
		if b.claimed.CompareAndSwap(word, uint64(round)<<32|uint64(next+n-b.lo)) {
			return next, next + n
		}
	}
}

// work has w compute what it can claim, from its own share first. It tells whether
// w was the one who ended the step.
func (m *progress) work(w *worker, s *step, round uint32) (ended bool) {
	for k := range m.shares {
		b := &m.shares[(w.id+k)%len(m.shares)]
		for lo, hi := b.claim(round, m.grain); lo < hi; lo, hi = b.claim(round, m.grain) {
			s.run(w, lo, hi)
			ended = m.done.Add(uint32(hi-lo)) == round*uint32(m.units)
		}
	}
	return ended
}

// complete says whether every unit of the round is computed.
func (m *progress) complete(round uint32) bool {
	return int32(m.done.Load()-round*uint32(m.units)) >= 0
}
