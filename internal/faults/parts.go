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
	last map[string]map[string]uint64          // camera, run: the highest of them
}

// Parts has the recorder count them from now on.
func (r *Recorder) Parts() *Parts {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts = &Parts{seen: map[string]map[string]map[string]bool{}, last: map[string]map[string]uint64{}}
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
		p.seen[cam], p.last[cam] = map[string]map[string]bool{}, map[string]uint64{}
	}
	p.last[cam][run] = max(p.last[cam][run], seq)
	if p.seen[cam][part] == nil {
		p.seen[cam][part] = map[string]bool{}
	}
	p.seen[cam][part][fmt.Sprint(run, " ", seq)] = true
}

// Served is how many results a camera has made, those that were lost with a link
// included: they are numbered without a gap.
func (p *Parts) Served(cam string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, last := range p.last[cam] {
		n += int(last)
	}
	return n
}

// EachOnce checks that n parts of a camera were served, each once. lossy: a link was
// lost, so that results may lack, which the audit of numbers accounts for.
func (p *Parts) EachOnce(t testing.TB, cam string, n int, lossy bool) {
	t.Helper()
	served := p.Served(cam)
	p.mu.Lock()
	defer p.mu.Unlock()
	t.Logf("camera %s: %d results, %d parts have come, of %d", cam, served, len(p.seen[cam]), n)
	if served != n || !lossy && len(p.seen[cam]) != n {
		t.Errorf("camera %s: %d results, %d parts have one, want %d", cam, served, len(p.seen[cam]), n)
	}
	for part, results := range p.seen[cam] {
		if len(results) != 1 {
			t.Errorf("camera %s: part %s has %d results", cam, part, len(results))
		}
	}
}
