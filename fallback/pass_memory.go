package fallback

import (
	"edged/internal/kernel/conv"
	"edged/model"
)

// assignMemory computes the lifetimes of tensors, lays the arena out and checks
// the memory limit.
func (p *plan) assignMemory() error {
	for i := range p.steps {
		for _, t := range p.steps[i].writes {
			m := t.memory()
			if m.first < 0 {
				m.first = i
			}
			m.last = max(m.last, i)
		}
		for _, t := range p.steps[i].reads {
			m := t.memory()
			m.last = max(m.last, i)
		}
	}
	end := len(p.steps)
	for _, t := range p.outputs {
		if t.shape == nil {
			return &model.MalformedError{Path: path(t.index), Problem: "a graph output that no operator computes"}
		}
		t.memory().keep = true
	}
	var live []*tensor
	for _, t := range p.inArena() {
		if t.keep {
			t.last = end
		}
		live = append(live, t)
	}
	p.ownScratch = p.workerScratch()
	if err := p.claim(int64(p.workers) * p.ownScratch.Bytes()); err != nil {
		return err
	}
	p.arenaBytes = layout(live)
	p.ownArena = p.arenaBytes
	if p.loop != nil {
		p.arenaBytes += p.loop.plan.arenaBytes
	}
	if need := p.arenaBytes + p.fixedBytes; need > p.limit {
		return &MemoryError{Need: need, Limit: p.limit}
	}
	return nil
}

// needs adds a step's scratch memory to a worker's; b is its convolution in bands,
// laid out, nil for other steps.
type needs func(n *conv.Scratch, b *banded)

func (f needs) count(n *conv.Scratch, b *banded) {
	if f != nil {
		f(n, b)
	}
}

// workerScratch is the memory that every worker holds.
func (p *plan) workerScratch() conv.Scratch {
	n := p.routines.Conv.Scratch()
	for i := range p.steps {
		p.steps[i].needs.count(&n, p.steps[i].conv)
	}
	return n
}

// inArena lists the tensors that own memory which changes from frame to frame.
func (p *plan) inArena() []*tensor {
	var list []*tensor
	for _, group := range [][]*tensor{p.tensors, p.scratch} {
		for _, t := range group {
			if t.root == nil && !t.constant() && (t.first >= 0 || t.input) {
				list = append(list, t)
			}
		}
	}
	return list
}

// bind allocates the memory, computes folded constants and packs weights.
func (p *plan) bind() {
	for _, t := range p.private {
		t.data = aligned(t.bytes)
	}
	arena := aligned(p.ownArena)
	hugePages(arena)
	for _, t := range p.inArena() {
		t.data = arena[t.offset:][:t.bytes:t.bytes]
	}
	p.provide()
	for i := range p.steps {
		if h := p.steps[i].chainable; h != nil {
			h.bindWeights()
		}
	}
	p.schedule = newSchedule(p.steps, p.workers)
	if p.loop != nil {
		p.loop.bind(p.mapped)
	}
}
