package fallback

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"

	"edged/model"
)

// place computes lifetimes, lays the arena out and checks the memory limit.
func (p *plan) place() error {
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
	if err := p.claim(0); err != nil {
		return err
	}
	p.arenaBytes = layout(live)
	if need := p.arenaBytes + p.fixedBytes; need > p.limit {
		return &MemoryError{Need: need, Limit: p.limit}
	}
	return nil
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
	arena := aligned(p.arenaBytes)
	hugePages(arena)
	for _, t := range p.inArena() {
		t.data = arena[t.offset:][:t.bytes:t.bytes]
	}
	p.settle()
	for _, t := range p.tensors {
		if t.root != nil && t.root.memory().data != nil && t.shape != nil {
			t.data = t.memory().data[:t.bytes:t.bytes]
		}
	}
	p.packAll()
	p.release()
	p.course = newCourse(p.steps, p.workers)
}

// packAll makes what is still to pack, on as many threads as the engine has.
// Every constant is in its place by now, and each packer writes its own.
func (p *plan) packAll() {
	var next atomic.Int64
	var all sync.WaitGroup
	for range p.workers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(p.packers)); i = next.Add(1) - 1 {
				if k := p.packers[i]; !k.done {
					k.done = true
					k.fill()
				}
			}
		})
	}
	all.Wait()
	p.packers = nil
}

// settle computes every folded tensor and gives the constants aligned memory.
func (p *plan) settle() {
	for _, s := range p.once {
		p.evaluate(s)
	}
	for _, t := range p.tensors {
		if t.raw != nil {
			p.load(t)
		}
	}
}

// load makes a constant of the file readable as its type: the file aligns less
// strictly than Go does, and the engine must not keep the file.
func (p *plan) load(t *tensor) {
	if t.data == nil {
		t.data = aligned(int64(len(t.raw)))
		copy(t.data, t.raw)
	}
}

// evaluate runs a step that depends on constants alone, after those it needs.
func (p *plan) evaluate(s *step) {
	if s.done {
		return
	}
	s.done = true
	for _, t := range s.reads {
		if !slices.Contains(s.writes, t.memory()) {
			p.ready(t)
		}
	}
	for _, k := range s.packers {
		p.pack(k)
	}
	for _, t := range s.writes {
		if t.data == nil {
			t.data = aligned(t.bytes)
		}
	}
	if s.units > 0 {
		s.run(&worker{}, 0, s.units)
	}
}

// ready gives a constant its content.
func (p *plan) ready(t *tensor) {
	m := t.memory()
	if m.raw != nil {
		p.load(m)
	} else {
		p.settleTensor(m)
	}
	if t != m {
		t.data = m.data[:t.bytes:t.bytes]
	}
}

// packer makes the packed form of an operator's constants, once.
type packer struct {
	from  []*tensor // the operator's inputs
	fill  func()
	bytes int64 // of what it makes
	done  bool
}

func (p *plan) pack(k *packer) {
	if k.done {
		return
	}
	k.done = true
	for _, t := range k.from {
		if t != nil && t.constant() {
			p.ready(t)
		}
	}
	k.fill()
}

// release drops constants that no step reads any more: their packed form took
// their place.
func (p *plan) release() {
	read := map[*tensor]bool{}
	for i := range p.steps {
		for _, t := range p.steps[i].reads {
			read[t], read[t.memory()] = true, true
		}
	}
	for _, t := range p.outputs {
		read[t], read[t.memory()] = true, true
	}
	for _, t := range p.tensors {
		if t.constant() && !read[t] {
			t.data = nil
		}
	}
	p.once = nil
}

// content is a constant's bytes at plan time, computed if it must be.
func (p *plan) content(t *tensor) []byte {
	m := t.memory()
	switch {
	case m.raw != nil:
		return bytes.Clone(m.raw)
	case m.fold != nil:
		p.settleTensor(m)
		return m.data
	}
	return nil
}

// settleTensor computes a folded tensor.
func (p *plan) settleTensor(t *tensor) {
	for _, s := range t.fold {
		p.evaluate(s)
	}
}
