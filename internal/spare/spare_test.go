package spare

import (
	"context"
	"sync"
	"testing"
	"time"
)

// However much there is to do, and however many do it, the share is kept.
func TestShareIsKept(t *testing.T) {
	s := New(0.1)
	ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	began, done, longest := time.Now(), [3]int{}, time.Duration(0) // of one at a time
	for i := range done {
		wg.Go(func() {
			work := func() {
				longest = max(longest, ProcessorTime(func() {
					for start := threadTime(); threadTime()-start < 2*time.Millisecond; {
						continue
					}
				}))
			}
			for worked(s.Do(ctx, nil, work)) {
				done[i]++
			}
		})
	}
	wg.Wait()
	// The last work may have begun just before the end.
	if most := time.Duration(0.1*float64(time.Since(began))) + 2*longest; s.Busy() > most {
		t.Errorf("worked %v of %v", s.Busy(), time.Since(began))
	}
	for i, n := range done {
		if n == 0 {
			t.Errorf("worker %d never had its turn", i)
		}
	}
}

// Work waits for an idle moment, and not for ever.
func TestIdleMomentsFirst(t *testing.T) {
	s := New(1)
	asked, began := 0, time.Now()
	idle := func() bool { asked++; return asked == 3 }
	if _, err := s.Do(context.Background(), idle, func() {}); err != nil || asked != 3 {
		t.Errorf("asked %d times, %v", asked, err)
	}
	if _, err := s.Do(context.Background(), func() bool { return false }, func() {}); err != nil || time.Since(began) < patience {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// What was spent elsewhere counts, and who waits can be called off.
func TestSpentElsewhere(t *testing.T) {
	s := New(0.001)
	s.Spent(time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Do(ctx, nil, func() { t.Error("a thousand seconds have not passed") }); err == nil {
		t.Error("no error")
	}
}

func worked(_ time.Duration, err error) bool { return err == nil }
