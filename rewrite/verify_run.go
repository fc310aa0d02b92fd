package rewrite

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"edged"
	"edged/model"
)

// extraPositions and extraRuns bound what is compared on the inputs after the
// first, which is compared in full.
const (
	extraPositions = 4096
	extraRuns      = 128
)

// plan lists the baseline runs for input i.
func (v *verification) plan(i int) []cropPlan {
	offsets := v.offsets()
	want, runs := v.o.Positions, int64(len(offsets))
	if i > 0 {
		runs = min(runs, extraRuns)
		if want == 0 || want > extraPositions {
			want = extraPositions
		}
	}
	if want == 0 {
		return offsets
	}
	return v.sample(offsets, want, runs, newRandom(v.o.Seed+uint64(i)*7919))
}

// offsets are the pixels at which crops start: one for every phase, and, where
// crops tile the frame, as often as it takes.
func (v *verification) offsets() []cropPlan {
	axis := [2][]int{v.axisOffsets(0), v.axisOffsets(1)}
	var out []cropPlan
	for _, y := range axis[0] {
		for _, x := range axis[1] {
			out = append(out, cropPlan{at: pair{y, x}})
		}
	}
	return out
}

// axisOffsets are the offsets that any output needs: below its eST, and no
// further than its last position.
func (v *verification) axisOffsets(a int) []int {
	var all []int
	for _, c := range v.outs {
		last := (c.count[a] - 1) * c.q[a]
		tile := last + 1
		if v.oracle.local {
			tile = c.n[a] * c.e[a]
		}
		for d := 0; d < c.e[a]; d += c.q[a] {
			for p := d; p <= last && (p == d || v.oracle.local); p += tile {
				all = append(all, p)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// sample takes crops of every phase in turn until want positions are covered,
// and says how many to read from each.
func (v *verification) sample(all []cropPlan, want, runs int64, r *rand.Rand) []cropPlan {
	byPhase := map[pair][]cropPlan{}
	var phases []pair
	for _, p := range all {
		f := v.phase(p.at)
		if byPhase[f] == nil {
			phases = append(phases, f)
		}
		byPhase[f] = append(byPhase[f], p)
	}
	r.Shuffle(len(phases), func(i, j int) { phases[i], phases[j] = phases[j], phases[i] })
	per := int64(1)
	for _, c := range v.outs {
		per = max(per, int64(c.n.area()))
	}
	need := min(max(ceil64(want, per), min(want, int64(len(phases)))), runs)
	var out []cropPlan
	for k := 0; int64(len(out)) < need; k++ {
		took := false
		for _, f := range phases {
			if l := byPhase[f]; k < len(l) && int64(len(out)) < need {
				if k == 0 {
					r.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
				}
				out = append(out, l[k])
				took = true
			}
		}
		if !took {
			break
		}
	}
	n := int64(len(out))
	for i := range out {
		out[i].limit = int(want / n)
		if int64(i) < want%n {
			out[i].limit++
		}
	}
	return out
}

func ceil64(a, b int64) int64 { return (a + b - 1) / b }

// phase is an offset modulo the largest eST among the outputs.
func (v *verification) phase(at pair) pair {
	var f pair
	for a := range f {
		e := 1
		for _, c := range v.outs {
			e = max(e, c.e[a])
		}
		f[a] = at[a] % e
	}
	return f
}

// compareInput runs dense once and the baseline on every crop of the plan.
func (v *verification) compareInput(i int, p probe, plan []cropPlan, done *int, total int) error {
	copy(v.dense.Input(0), p.data)
	if err := v.dense.Run(); err != nil {
		return fmt.Errorf("rewrite: dense model: %w", err)
	}
	got := make([][]float64, len(v.outs))
	for k, c := range v.outs {
		got[k] = realValues(v.dense.Output(k), v.dense.Outputs()[k])
		c.begin(got[k])
	}
	w := &workers{v: v, frame: p.data, got: got, plan: plan, phases: map[pair]bool{}, budget: -1, seed: v.o.Seed + uint64(i)}
	if v.o.Positions > 0 {
		w.budget = v.o.Positions
	}
	w.tick = func() {
		*done++
		if v.o.Progress != nil {
			v.o.Progress(*done, total)
		}
	}
	if err := w.run(); err != nil {
		return err
	}
	for _, c := range v.outs {
		if c.bad > 0 {
			v.collect(i, w)
			return disprovef("input %q, output %q: %d elements differ by up to %g (allowed %g), first at pixel y=%d x=%d",
				p.name, c.val.name, c.bad, c.differ, c.bound, c.badAt[0], c.badAt[1])
		}
	}
	v.collect(i, w)
	if i == 0 {
		return v.counted(w)
	}
	return nil
}

// begin prepares an output for another input.
func (c *compared) begin(got []float64) {
	clear(c.seen)
	c.varied = c.varied || spread(got) > 0
	c.noteNeighbours(got)
	s, size := commonSpread(got)
	c.allow(max(s, size/100))
}

func (v *verification) collect(i int, w *workers) {
	r := v.report
	for _, c := range v.outs {
		r.MaxAbsDiff = max(r.MaxAbsDiff, finite(c.differ))
		r.Bound = max(r.Bound, finite(c.bound))
		r.BitIdentical = r.BitIdentical && c.differ == 0
		b := c.band.settle()
		r.Band = model.Band{Top: max(r.Band.Top, b.Top), Left: max(r.Band.Left, b.Left), Bottom: max(r.Band.Bottom, b.Bottom), Right: max(r.Band.Right, b.Right)}
	}
	if i == 0 {
		r.Positions, r.Phases = w.positions, len(w.phases)
	}
}

// counted proves that a full comparison left nothing out.
func (v *verification) counted(w *workers) error {
	want := int64(0)
	for _, c := range v.outs {
		want += c.promised()
	}
	if v.o.Positions > 0 {
		want = min(want, v.o.Positions)
		if w.positions == 0 {
			return disprovef("vacuous: no position was compared")
		}
		return nil
	}
	if w.positions != want {
		return disprovef("vacuous: %d positions were compared, the contract speaks of %d", w.positions, want)
	}
	return nil
}

// promised counts the positions at which equality is promised: by closed form,
// apart from the comparison itself.
func (c *compared) promised() int64 {
	if c.local() || c.whole() {
		return int64(c.count.area())
	}
	var zero, inside, both pair
	for a, g := range c.val.grid {
		for t := range c.count[a] {
			p := t * c.q[a]
			d := p % c.e[a]
			in := p-d >= g.before && g.span-1-p >= g.after
			if d == 0 {
				zero[a]++
			}
			if in {
				inside[a]++
			}
			if d == 0 && in {
				both[a]++
			}
		}
	}
	return int64(zero.area() + inside.area() - both.area())
}

// workers run the baseline side by side.
type workers struct {
	v         *verification
	frame     []byte
	got       [][]float64
	plan      []cropPlan
	tick      func()
	seed      uint64
	mu        sync.Mutex
	next      int
	positions int64
	budget    int64 // positions left to compare, -1: no limit
	phases    map[pair]bool
	failed    lockedError
}

func (w *workers) run() error {
	var wg sync.WaitGroup
	for _, e := range w.v.oracle.engines {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for w.one(e) {
			}
		}()
	}
	wg.Wait()
	return w.failed.get()
}

// one does the next crop of the plan.
func (w *workers) one(e edged.Engine) bool {
	w.mu.Lock()
	k := w.next
	w.next++
	stop := k >= len(w.plan) || w.budget == 0
	w.mu.Unlock()
	if stop || w.failed.get() != nil {
		return false
	}
	p := w.plan[k]
	w.v.crop(e.Input(0), w.frame, p.at, w.v.oracle.size, e.Inputs()[0])
	if err := e.Run(); err != nil {
		w.failed.set(fmt.Errorf("rewrite: baseline: %w", err))
		return false
	}
	specs := e.Outputs()
	want := make([][]float64, len(specs))
	for i, s := range specs {
		want[i] = realValues(e.Output(i), s)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.compare(p, want)
	w.tick()
	return true
}

func (w *workers) compare(p cropPlan, want [][]float64) {
	for i, c := range w.v.outs {
		limit := p.limit
		if w.budget >= 0 {
			limit = int(min(int64(max(limit, 1)), w.budget))
			if limit == 0 {
				return
			}
		}
		var pick []int
		if limit > 0 {
			pick = newRandom(w.seed + uint64(p.at[0])<<20 + uint64(p.at[1])).Perm(c.n.area())
		}
		n := c.take(block{got: w.got[i], want: want[i], dims: w.v.oracle.dims[i], at: p.at}, limit, pick)
		w.positions += int64(n)
		if w.budget >= 0 {
			w.budget -= int64(n)
		}
		if n > 0 {
			w.phases[w.v.phase(p.at)] = true
		}
	}
}
