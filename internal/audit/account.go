package audit

import (
	"maps"
	"sync"

	"edged/rewrite"
)

// Account is what audits of one camera have found, over all its models.
type Account struct {
	mu sync.Mutex
	c  Counts
}

// Counts is an Account at an instant.
type Counts struct {
	Frames    uint64
	Positions uint64
	Differing uint64            // beyond the margin
	Largest   float64           // difference of a score
	Engines   map[string]uint64 // positions by pair: that answered/that ran the baseline
	Off       string            // why there is no audit; empty: there is
}

// Counts reads the account.
func (a *Account) Counts() Counts {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.c
	c.Engines = maps.Clone(c.Engines)
	return c
}

// On forgets why there was no audit: another model begins.
func (a *Account) On() { a.set("") }

func (a *Account) turnOff(err error) { a.set(err.Error()) }

// TurnOff notes why there is none.
func (a *Account) TurnOff(why string) { a.set(why) }

func (a *Account) set(off string) {
	a.mu.Lock()
	a.c.Off = off
	a.mu.Unlock()
}

func (a *Account) add(pair string, s rewrite.Spot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.c.Engines == nil {
		a.c.Engines = map[string]uint64{}
	}
	a.c.Engines[pair] += uint64(s.Positions)
	a.c.Positions += uint64(s.Positions)
	a.c.Differing += uint64(s.Differing)
	a.c.Largest = max(a.c.Largest, s.Largest)
}

func (a *Account) frame() {
	a.mu.Lock()
	a.c.Frames++
	a.mu.Unlock()
}
