package faults

import (
	"fmt"
	"sync"
	"testing"
)

// Parts counts the results of each part of each camera.
type Parts struct {
	mu   sync.Mutex
	seen map[string]map[string]map[string]bool // camera, part: the numbers of its results
}

// Parts has the recorder count them from now on.
func (r *Recorder) Parts() *Parts {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts = &Parts{seen: map[string]map[string]map[string]bool{}}
	return r.parts
}

// add counts a result. One that comes again, as QoS 1 may, is the same.
func (p *Parts) add(cam, part, run string, seq uint64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen[cam] == nil {
		p.seen[cam] = map[string]map[string]bool{}
	}
	if p.seen[cam][part] == nil {
		p.seen[cam][part] = map[string]bool{}
	}
	p.seen[cam][part][fmt.Sprint(run, " ", seq)] = true
}

// Count is how many parts of a camera have a result.
func (p *Parts) Count(cam string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.seen[cam])
}

// EachOnce checks that n parts of a camera have one result each.
func (p *Parts) EachOnce(t testing.TB, cam string, n int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen[cam]) != n {
		t.Errorf("camera %s: %d parts have a result, want %d", cam, len(p.seen[cam]), n)
	}
	for part, results := range p.seen[cam] {
		if len(results) != 1 {
			t.Errorf("camera %s: part %s has %d results", cam, part, len(results))
		}
	}
}
