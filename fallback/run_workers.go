package fallback

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"edged/internal/kernel/conv"
	"edged/internal/kernel/cpu"
	"edged/internal/kernel/gemm"
)

// worker is one thread's private memory, so that steps need not allocate.
type worker struct {
	id     int
	direct conv.Worker
	f32    gemm.TileF32
	i16    gemm.TileI16
	req    gemm.Requant
	sums   [gemm.TileRows * gemm.TileCols]int32
	none   [gemm.TileCols]int32 // biases of zero
	tile   [gemm.TileRows * gemm.TileCols]float32
	bytes  [gemm.TileRows * gemm.TileCols]byte
	err    error // why the frame fails

	bell
}

// workerPool is a fixed set of resident workers. The caller of run is the first; the
// others are goroutines that sleep between frames.
type workerPool struct {
	workers  []*worker
	schedule atomic.Pointer[schedule] // of the present frame
	gone     sync.WaitGroup
	patience time.Duration // how long to wait awake
	closed   atomic.Bool
}

// patience is how long a worker waits awake for the end of a step or for the
// next frame. Workers end a step together, within one claim, unless the system
// has taken one off its processor: then it gets that of those who wait. With
// 20 and 50 µs nets ran up to twice as fast beside other programs as with 200.
const patience = 50 * time.Microsecond

// What a worker that sleeps waits for.
const (
	awake     = iota
	forFrame  // to begin
	forOthers // to end a step
)

// bell wakes one goroutine that went to sleep.
type bell struct {
	asleep atomic.Int32
	c      chan struct{}
}

// ring wakes the sleeper, if it waits for what has come true.
func (b *bell) ring(what int32) {
	if b.asleep.Load() == what && b.asleep.CompareAndSwap(what, awake) {
		b.c <- struct{}{}
	}
}

// sleep returns once ready is true and its bell has rung, or at once.
func (b *bell) sleep(what int32, ready func() bool) {
	for !ready() {
		b.asleep.Store(what)
		if ready() && b.asleep.CompareAndSwap(what, awake) {
			return
		}
		<-b.c
	}
}

func newWorkerPool(threads int) *workerPool {
	p := &workerPool{patience: patience}
	if threads > runtime.GOMAXPROCS(0) {
		p.patience = 0 // whoever waits awake holds up the one it waits for
	}
	p.schedule.Store(&schedule{})
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

// serve takes part in one frame after the other.
func (p *workerPool) serve(w *worker) {
	defer p.gone.Done()
	c, round := p.schedule.Load(), uint32(0)
	for {
		p.wait(w, forFrame, func() bool {
			now := p.schedule.Load()
			return now != c || now.round.Load() != round || p.closed.Load()
		})
		if p.closed.Load() {
			return
		}
		c = p.schedule.Load()
		round = c.round.Load()
		p.walk(w, c, round, nil)
	}
}

// wait returns once ready is true: awake for a while, then asleep.
func (p *workerPool) wait(w *worker, what int32, ready func() bool) {
	if ready() {
		return
	}
	const pauses = 16 // between two looks at the clock
	for start := time.Now(); time.Since(start) < p.patience; {
		for range pauses {
			if cpu.Pause(); ready() {
				return
			}
		}
	}
	w.sleep(what, ready)
}

// walk takes w through the steps of a round. took, unless it is nil, gets the
// time of each.
func (p *workerPool) walk(w *worker, c *schedule, round uint32, took []time.Duration) {
	var start time.Time
	if took != nil {
		start = time.Now()
	}
	for i := range c.progress {
		m := &c.progress[i]
		if m.work(w, &c.steps[i], round) {
			p.ring(forOthers)
		} else if i < len(c.progress)-1 || w.id == 0 {
			p.wait(w, forOthers, func() bool { return m.complete(round) })
		}
		if took != nil {
			now := time.Now()
			took[i], start = now.Sub(start), now
		}
	}
}

// ring wakes those who sleep for what has come true.
func (p *workerPool) ring(what int32) {
	for _, w := range p.workers {
		w.ring(what)
	}
}

// run computes a frame. An error is of the frame's values, as an index that
// lies outside.
func (p *workerPool) run(c *schedule, took []time.Duration) error {
	round := c.round.Add(1) // first: nobody may walk a schedule before its first round
	p.schedule.Store(c)
	if c.parallel {
		p.ring(forFrame)
	}
	p.walk(p.workers[0], c, round, took)
	var err error
	for _, w := range p.workers {
		if w.err != nil {
			err, w.err = w.err, nil
		}
	}
	return err
}

// close stops the goroutines and waits for them.
func (p *workerPool) close() {
	p.closed.Store(true)
	p.ring(forFrame)
	p.gone.Wait()
}
