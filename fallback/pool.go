package fallback

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"edged/internal/kernel"
)

// worker is one thread's private memory, so that steps need not allocate.
type worker struct {
	id     int
	direct kernel.Worker
	f32    kernel.TileF32
	i16    kernel.TileI16
	req    kernel.Requant
	sums   [kernel.TileRows * kernel.TileCols]int32
	tile   [kernel.TileRows * kernel.TileCols]float32
	bytes  [kernel.TileRows * kernel.TileCols]byte
	err    error // why the frame fails

	bell
	inbox atomic.Pointer[step] // the step to take part in
}

// pool is a fixed set of resident workers. The caller of do is the first; the
// others are goroutines that wait for their inbox.
type pool struct {
	workers  []*worker
	pending  atomic.Int32 // workers that have not finished the present step
	caller   bell
	gone     sync.WaitGroup
	sharers  int           // workers that take part in the present step
	patience time.Duration // how long to wait awake
	closed   bool
}

// patience is how long a worker waits awake: the next step of a frame comes
// within microseconds, and waking a goroutine takes tens of them. With 20 µs a
// pose net ran 1.5 times slower on two threads than with 100; 400 gained nothing.
const patience = 100 * time.Microsecond

// stop tells a worker to end.
var stop step

// bell wakes one goroutine that went to sleep.
type bell struct {
	asleep atomic.Bool
	c      chan struct{}
}

// ring wakes the sleeper, if there is one. What it waits for must be true.
func (b *bell) ring() {
	if b.asleep.CompareAndSwap(true, false) {
		b.c <- struct{}{}
	}
}

func newPool(threads int) *pool {
	p := &pool{caller: bell{c: make(chan struct{}, 1)}, patience: patience}
	if threads > runtime.GOMAXPROCS(0) {
		p.patience = 0 // whoever waits awake holds up the one it waits for
	}
	for i := range threads {
		w := &worker{id: i, bell: bell{c: make(chan struct{}, 1)}}
		p.workers = append(p.workers, w)
		if i > 0 {
			p.gone.Add(1)
			go p.serve(w)
		}
	}
	return p
}

func (p *pool) serve(w *worker) {
	defer p.gone.Done()
	for {
		p.wait(&w.bell, func() bool { return w.inbox.Load() != nil })
		s := w.inbox.Swap(nil)
		if s == &stop {
			return
		}
		p.share(w, s)
		if p.pending.Add(-1) == 0 {
			p.caller.ring()
		}
	}
}

// wait returns once ready is true: awake for a while, then asleep until b rings.
func (p *pool) wait(b *bell, ready func() bool) {
	for start := time.Now(); time.Since(start) < p.patience; kernel.Pause() {
		if ready() {
			return
		}
	}
	for !ready() {
		b.asleep.Store(true)
		if ready() && b.asleep.CompareAndSwap(true, false) {
			return
		}
		<-b.c
	}
}

// share runs w's band of the step: bands are fixed by the unit count and the
// number of sharers alone.
func (p *pool) share(w *worker, s *step) {
	lo, hi := s.units*w.id/p.sharers, s.units*(w.id+1)/p.sharers
	if lo < hi {
		s.run(w, lo, hi)
	}
}

// minWork is how many elementary operations make waking a second worker
// worthwhile: a wake costs about a microsecond.
const minWork = 20000

// do runs a step to its end. An error is of the frame's values, as an index
// that lies outside.
func (p *pool) do(s *step) error {
	p.sharers = 1
	if s.work >= minWork {
		p.sharers = max(1, min(len(p.workers), s.units))
	}
	p.pending.Store(int32(p.sharers - 1))
	for _, w := range p.workers[1:p.sharers] {
		w.inbox.Store(s)
		w.ring()
	}
	p.share(p.workers[0], s)
	p.wait(&p.caller, func() bool { return p.pending.Load() == 0 })
	for _, w := range p.workers {
		if err := w.err; err != nil {
			w.err = nil
			return err
		}
	}
	return nil
}

// close stops the goroutines and waits for them.
func (p *pool) close() {
	if p.closed {
		return
	}
	p.closed = true
	for _, w := range p.workers[1:] {
		w.inbox.Store(&stop)
		w.ring()
	}
	p.gone.Wait()
}
