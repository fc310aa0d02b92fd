package fallback

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"edged"
)

// sharedStep is a step of n units that is worth two workers.
func sharedStep(n int, run func(w *worker, lo, hi int)) step {
	return step{units: n, work: 100 * minWork, run: run}
}

func testPool(t *testing.T, threads int) *workerPool {
	p := newWorkerPool(threads)
	t.Cleanup(p.close)
	return p
}

// TestEveryUnitOnce: many frames of steps of all sizes, each unit of a step once
// a frame, and no step before the one before it has ended.
func TestEveryUnitOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		var steps []step
		counts := [][]atomic.Int32{make([]atomic.Int32, 1), make([]atomic.Int32, 2), make([]atomic.Int32, 7), make([]atomic.Int32, 200), make([]atomic.Int32, 3)}
		for i, units := range counts {
			steps = append(steps, sharedStep(len(units), func(w *worker, lo, hi int) {
				for u := lo; u < hi; u++ {
					now := units[u].Add(1)
					for b := range counts[max(i-1, 0)] {
						if before := counts[max(i-1, 0)][b].Load(); before < now && i > 0 {
							t.Errorf("step %d in round %d, unit %d of the step before in round %d", i, now, b, before)
						}
					}
				}
			}))
		}
		steps[1].work = 1 // not shared
		steps = append(steps, step{run: func(*worker, int, int) { t.Error("a step of no units ran") }})
		p, c := testPool(t, threads), newSchedule(steps, threads)
		const rounds = 300
		for range rounds {
			if err := p.run(c, nil); err != nil {
				t.Fatal(err)
			}
		}
		for i, units := range counts {
			for u := range units {
				if n := units[u].Load(); n != rounds {
					t.Errorf("%d threads, step %d: unit %d ran %d times in %d rounds", threads, i, u, n, rounds)
				}
			}
		}
	}
}

// TestOthersTakeOver: a worker that does not get on holds up what it has begun,
// and nothing else.
func TestOthersTakeOver(t *testing.T) {
	const units = 64
	var computed atomic.Int32
	p := testPool(t, 2)
	c := newSchedule([]step{sharedStep(units, func(w *worker, lo, hi int) {
		for own := int32(hi - lo); w.id == 1 && computed.Load() < units-own; {
			runtime.Gosched()
		}
		computed.Add(int32(hi - lo))
	})}, 2)
	for range 20 {
		computed.Store(0)
		if err := p.run(c, nil); err != nil {
			t.Fatal(err)
		}
		if n := computed.Load(); n != units {
			t.Fatalf("%d units computed, want %d", n, units)
		}
	}
}

// TestIdleEngineSleeps: between frames every worker waits for its bell, which
// takes no processor time; and it wakes up again.
func TestIdleEngineSleeps(t *testing.T) {
	e := open(t, smallNet(t, 64), edged.Options{Threads: 4}).(*Engine)
	for range 3 {
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
		for _, w := range e.pool.workers[1:] {
			for deadline := time.Now().Add(time.Minute); w.asleep.Load() != forFrame; runtime.Gosched() {
				if time.Now().After(deadline) {
					t.Fatalf("worker %d is awake, a minute after the frame", w.id)
				}
			}
		}
	}
}

// TestNoGarbageInFrames: frames leave the collector nothing to do, whatever else
// the process allocates once. Not by the number of collections: the runtime makes
// one every two minutes, which frames on an emulated processor take.
func TestNoGarbageInFrames(t *testing.T) {
	e := open(t, smallNet(t, 64), edged.Options{Threads: 2})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const frames = 500
	for range frames {
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > frames/10 {
		t.Errorf("%d allocations in %d frames", n, frames)
	}
}
