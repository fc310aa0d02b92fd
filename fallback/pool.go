package fallback

import (
	"sync"

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
}

// pool is a fixed set of resident workers. The caller of do is the first; the
// others are goroutines that sleep between steps.
type pool struct {
	workers []*worker
	wake    []chan *step // wake[i-1] is of workers[i]
	done    sync.WaitGroup
	gone    sync.WaitGroup
	sharers int // workers that take part in the present step
}

func newPool(threads int) *pool {
	p := &pool{}
	for i := range threads {
		w := &worker{id: i}
		p.workers = append(p.workers, w)
		if i == 0 {
			continue
		}
		wake := make(chan *step, 1)
		p.wake = append(p.wake, wake)
		p.gone.Add(1)
		go p.serve(w, wake)
	}
	return p
}

func (p *pool) serve(w *worker, wake chan *step) {
	defer p.gone.Done()
	for s := range wake {
		p.share(w, s)
		p.done.Done()
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
	p.done.Add(p.sharers - 1)
	for i := range p.sharers - 1 {
		p.wake[i] <- s
	}
	p.share(p.workers[0], s)
	p.done.Wait()
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
	for _, w := range p.wake {
		close(w)
	}
	p.wake = nil
	p.gone.Wait()
}
