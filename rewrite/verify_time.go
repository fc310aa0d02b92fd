package rewrite

import (
	"fmt"
	"time"
)

// pace bounds a verification by what runs of these nets take: counts of runs, 0
// for no limit. It is told in the report where it left something out.
type pace struct {
	inputs  int // that dense runs on
	first   int // baseline runs on the first input
	others  int // on each other one
	patches int // single patches beside a baseline on the whole frame
	noise   int // crops of each input on which rounding is measured
}

// The least of each that a verification is worth its name with.
const (
	leastInputs  = 4
	leastFirst   = 16
	leastOthers  = 4
	leastSingles = 16
)

// timeAll measures a run of each net and divides the time among them: a third each
// for the dense runs, the first input and the others, a sixth each for patches and
// noise.
func (v *verification) timeAll() error {
	if v.o.Time <= 0 {
		return nil
	}
	took := func(run func() error) (time.Duration, error) {
		began := time.Now()
		err := run()
		return max(time.Since(began), time.Microsecond), err
	}
	copy(v.dense.Input(0), v.inputs[0].data)
	dense, err := took(v.dense.Run)
	if err != nil {
		return fmt.Errorf("rewrite: dense model: %w", err)
	}
	main, err := took(v.main().engines[0].Run)
	if err != nil {
		return fmt.Errorf("rewrite: baseline: %w", err)
	}
	single, err := took(v.oracle.engines[0].Run)
	if err != nil {
		return fmt.Errorf("rewrite: baseline: %w", err)
	}
	v.pace = v.paceOf(dense, main, single)
	v.inputs = v.inputs[:min(len(v.inputs), v.pace.inputs)]
	return nil
}

// paceOf divides the time, given what a run of dense, of the baseline and of the
// baseline on one patch takes.
func (v *verification) paceOf(dense, main, single time.Duration) pace {
	third := v.o.Time / 3
	side := time.Duration(len(v.main().engines))
	in := func(share, run time.Duration, least int) int { return max(least, int(share*side/run)) }
	p := pace{inputs: max(leastInputs, int(third/dense))}
	others := time.Duration(max(1, min(len(v.inputs), p.inputs)-1))
	p.first = in(third, main, leastFirst)
	p.others = in(third/others, main, leastOthers)
	p.patches = in(third/2, single, leastSingles)
	p.noise = max(1, int(third/2/main/(others+1)/time.Duration(len(v.o.Others)+2)))
	return p
}

// most is a limit that may be none.
func most(n, limit int) int {
	if limit > 0 && (n == 0 || n > limit) {
		return limit
	}
	return n
}

// bounded tells what the time left of a plan that has all runs.
func (v *verification) bounded(jobs []job) {
	if all := len(v.offsets(v.main())); v.o.Time > 0 && v.o.Positions == 0 && len(jobs[0].plan) < all {
		v.report.Sampled = true
		v.short = fmt.Sprintf("%d of %d baseline runs on the first input, to end within about %v; a longer --time compares more, --time 0 all", len(jobs[0].plan), all, v.o.Time)
	}
}
