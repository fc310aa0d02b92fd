package fallback

import (
	"bytes"
	"slices"
	"sync"
	"unsafe"

	"edged/model"
)

// packer makes the packed form of an operator's constants, once.
type packer struct {
	from  []*tensor // the operator's inputs
	fill  func()
	bytes int64 // of what it makes
	done  bool
}

// provider gives constants their content, one after the other as they are asked
// for, and takes it away when the last one who asked has it: never are all of a
// model's weights in memory twice.
type provider struct {
	p     *plan
	mu    sync.Mutex
	read  map[*tensor]bool // in frames: these stay
	copy  map[*tensor]bool // by kernels, which read whole vectors, past the end
	users map[*tensor]int  // folding steps and packers that have yet to read it
	spare [][]byte         // memory that folded tensors have given back
}

// provide computes what frames read of the constants, and packs the weights.
func (p *plan) provide() {
	v := &provider{p: p, read: map[*tensor]bool{}, copy: map[*tensor]bool{}, users: map[*tensor]int{}}
	v.count()
	for _, t := range p.tensors {
		if t.raw != nil && v.read[t] {
			v.load(t)
		}
	}
	for _, s := range p.once {
		if slices.ContainsFunc(s.writes, func(t *tensor) bool { return v.read[t.memory()] }) {
			v.evaluate(s)
		}
	}
	v.packAll()
	for _, t := range p.tensors {
		switch {
		case t.constant() && !v.read[t.memory()]:
			t.data = nil
		case t.root != nil && t.root.memory().data != nil && t.shape != nil:
			t.data = t.within(t.memory().data)
		}
	}
	p.once, p.packers, p.meter = nil, nil, nil
}

// count finds out who will read what.
func (v *provider) count() {
	stay := slices.Clone(v.p.outputs)
	for i := range v.p.steps {
		stay = append(stay, v.p.steps[i].reads...)
	}
	for _, t := range stay {
		v.read[t], v.read[t.memory()] = true, true
		v.copy[t.memory()] = true
	}
	for _, s := range v.p.once {
		if !s.done {
			v.use(s.reads)
		}
		for _, t := range s.reads {
			v.copy[t.memory()] = v.copy[t.memory()] || s.name != model.OpDequantize.String()
		}
	}
	for _, k := range v.p.packers {
		if !k.done {
			v.use(k.from)
		}
	}
}

func (v *provider) use(list []*tensor) {
	for _, t := range list {
		if t != nil && t.constant() {
			v.users[t.memory()]++
		}
	}
}

// packAll makes what is still to pack, on as many threads as the engine has.
func (v *provider) packAll() {
	next := 0
	take := func() *packer {
		v.mu.Lock()
		defer v.mu.Unlock()
		for ; next < len(v.p.packers); next++ {
			if k := v.p.packers[next]; !k.done {
				v.begin(k)
				return k
			}
		}
		return nil
	}
	var all sync.WaitGroup
	for range v.p.workers {
		all.Go(func() {
			for k := take(); k != nil; k = take() {
				k.fill()
				v.mu.Lock()
				v.finish(k.from)
				v.mu.Unlock()
			}
		})
	}
	all.Wait()
}

// begin readies what k packs.
func (v *provider) begin(k *packer) {
	k.done = true
	for _, t := range k.from {
		if t != nil && t.constant() {
			v.ready(t)
		}
	}
}

// finish tells that one who reads these tensors has done so.
func (v *provider) finish(list []*tensor) {
	for _, t := range list {
		if t == nil || !t.constant() {
			continue
		}
		m := t.memory()
		if v.users[m]--; v.users[m] == 0 && !v.read[m] {
			v.drop(m)
		}
	}
}

// drop gives up the content of a constant that nobody reads any more.
func (v *provider) drop(t *tensor) {
	if t.raw == nil && t.data != nil {
		v.spare = append(v.spare, t.data)
	}
	if within(t.raw, v.p.mapped) {
		forget(t.raw)
	}
	t.data = nil
}

// within says that b is a part of file, and no copy that was made of one that
// is not aligned.
func within(b, file []byte) bool {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b))) - uintptr(unsafe.Pointer(unsafe.SliceData(file)))
	return len(b) > 0 && at < uintptr(len(file))
}

// ready gives a constant its content.
func (v *provider) ready(t *tensor) {
	m := t.memory()
	if m.raw != nil {
		v.load(m)
	}
	for _, s := range m.fold {
		v.evaluate(s)
	}
	if t != m && t.data == nil {
		t.data = m.data[:t.bytes:t.bytes]
	}
}

// load makes a constant of the file readable as its type: a copy for kernels,
// the file's own memory for those who fold and pack.
func (v *provider) load(t *tensor) {
	switch shared := len(t.data) > 0 && &t.data[0] == &t.raw[0]; {
	case t.data != nil && !(shared && v.copy[t]):
	case v.copy[t]:
		t.data = aligned(int64(len(t.raw)))
		copy(t.data, t.raw)
	default:
		t.data = t.raw
	}
}

// evaluate runs a step that depends on constants alone, after those it needs.
func (v *provider) evaluate(s *step) {
	if s.done {
		return
	}
	s.done = true
	for _, t := range s.reads {
		if !slices.Contains(s.writes, t.memory()) {
			v.ready(t)
		}
	}
	for _, k := range s.packers {
		if !k.done {
			v.begin(k)
			k.fill()
			v.finish(k.from)
		}
	}
	for _, t := range s.writes {
		if t.data == nil {
			t.data = v.memory(t.bytes)
		}
	}
	if s.units > 0 {
		s.run(&worker{}, 0, s.units)
	}
	v.finish(s.reads)
}

// memory is n zero bytes, of a folded tensor that has been given up if one fits.
func (v *provider) memory(n int64) []byte {
	for i, b := range v.spare {
		if have := int64(len(b)); have >= n && have/2 <= n {
			v.spare = slices.Delete(v.spare, i, i+1)
			clear(b)
			return b[:n]
		}
	}
	return aligned(n)
}

// content is a constant's bytes at plan time, computed if it must be.
func (p *plan) content(t *tensor) []byte {
	m := t.memory()
	switch {
	case m.raw != nil:
		return bytes.Clone(m.raw)
	case m.fold != nil:
		(&provider{p: p, copy: map[*tensor]bool{}, users: map[*tensor]int{}}).ready(m)
		return m.data
	}
	return nil
}
