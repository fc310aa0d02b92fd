package rewrite

import (
	"fmt"
	"sync"

	"edged"
	"edged/model"
)

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

// job is one comparison: dense on one input against an oracle's runs.
type job struct {
	name   string
	input  probe
	oracle *oracle
	plan   []cropPlan
}

// compareJob runs dense once and the baseline on every crop of the plan.
func (v *verification) compareJob(i int, j job, tick func()) error {
	copy(v.dense.Input(0), j.input.data)
	if err := v.dense.Run(); err != nil {
		return fmt.Errorf("rewrite: dense model: %w", err)
	}
	got := make([][]float64, len(v.outs))
	for k, c := range v.outs {
		if err := edged.CheckFinite(v.dense.Outputs()[k], v.dense.Output(k)); err != nil {
			return disprovef("input %q: the dense net: %v", j.name, err)
		}
		got[k] = realValues(v.dense.Output(k), v.dense.Outputs()[k])
		c.begin(got[k])
	}
	w := &workers{v: v, oracle: j.oracle, frame: j.input.data, got: got, plan: j.plan, phases: map[pair]bool{}, positions: make([]int64, len(v.outs)), tick: tick}
	if err := w.run(); err != nil {
		return err
	}
	v.collect(i, j, w)
	for _, c := range v.outs {
		if c.bad > 0 {
			return disprovef("input %q, output %q: %d elements differ by up to %g (allowed %g), first at pixel y=%d x=%d",
				j.name, c.val.name, c.bad, c.differ, c.bound, c.badAt[0], c.badAt[1])
		}
	}
	return v.counted(j, w)
}

// begin prepares an output for another input.
func (c *compared) begin(got []float64) {
	clear(c.seen)
	c.varied = c.varied || spread(got) > 0
	c.noteNeighbours(got)
}

func (v *verification) collect(i int, j job, w *workers) {
	r := v.report
	line := Compared{Input: j.name, Oracle: j.oracle.what, Runs: len(j.plan)}
	for k, c := range v.outs {
		line.Positions += w.positions[k]
		r.MaxAbsDiff = max(r.MaxAbsDiff, finite(c.differ))
		r.Bound = max(r.Bound, finite(c.bound))
		r.BitIdentical = r.BitIdentical && c.differ == 0
		b := c.band.settle()
		r.Band = model.Band{Top: max(r.Band.Top, b.Top), Left: max(r.Band.Left, b.Left), Bottom: max(r.Band.Bottom, b.Bottom), Right: max(r.Band.Right, b.Right)}
	}
	r.Compared = append(r.Compared, line)
	if i == 0 {
		r.Positions, r.Phases = line.Positions, len(w.phases)
		for k, c := range v.outs {
			r.OutputsCompared = append(r.OutputsCompared, OutputCompared{Name: c.val.name, Due: c.promised(), Compared: w.positions[k]})
		}
	}
}

// counted proves that a comparison left nothing out: for every output as many
// positions as are due by closed form, or as the plan picked.
func (v *verification) counted(j job, w *workers) error {
	for k, c := range v.outs {
		due := c.promised()
		if due == 0 {
			return disprovef("vacuous: the contract promises no position of output %q on this frame; rewrite with a larger --input", c.val.name)
		}
		if j.plan[0].pick != nil {
			due = 0
			for _, p := range j.plan {
				due += int64(len(p.pick[k]))
			}
		}
		if w.positions[k] != due || due == 0 {
			return disprovef("vacuous: output %q: %d positions were compared, %d are due", c.val.name, w.positions[k], due)
		}
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
	oracle    *oracle
	frame     []byte
	got       [][]float64
	plan      []cropPlan
	tick      func()
	mu        sync.Mutex
	next      int
	positions []int64 // compared, per output
	phases    map[pair]bool
	failed    lockedError
}

func (w *workers) run() error {
	var wg sync.WaitGroup
	for _, e := range w.oracle.engines {
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
	stop := k >= len(w.plan)
	w.mu.Unlock()
	if stop || w.failed.get() != nil {
		return false
	}
	p := w.plan[k]
	w.v.crop(e.Input(0), w.frame, p.at, w.oracle.size, e.Inputs()[0], w.oracle.in)
	if err := e.Run(); err != nil {
		w.failed.set(fmt.Errorf("rewrite: baseline: %w", err))
		return false
	}
	specs := e.Outputs()
	want := make([][]float64, len(specs))
	for i, s := range specs {
		if err := edged.CheckFinite(s, e.Output(i)); err != nil {
			w.failed.set(disprovef("the baseline: %v", err))
			return false
		}
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
		b := block{got: w.got[i], want: want[i], dims: w.oracle.dims[i], n: w.oracle.n[i], at: p.at, sampled: p.pick != nil}
		if b.sampled {
			b.pick = p.pick[i]
		}
		n := c.take(b)
		w.positions[i] += int64(n)
		if n > 0 {
			w.phases[w.v.phase(p.at)] = true
		}
	}
}
