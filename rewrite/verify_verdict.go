package rewrite

import (
	"fmt"
)

// noteNeighbours remembers whether positions of different phases ever differ:
// if they never do, equality says nothing about phases.
func (c *compared) noteNeighbours(got []float64) {
	ch := c.val.ch
	for a := range c.e {
		if c.e[a] <= c.q[a] || c.size[a] < 2 || c.phased[a] {
			continue
		}
		step := ch
		if a == 0 {
			step = ch * c.size[1]
		}
		for i := 0; i+step < len(got); i++ {
			if got[i] != got[i+step] {
				c.phased[a] = true
				break
			}
		}
	}
}

// verdict refuses proofs that prove nothing.
func (v *verification) verdict() error {
	for _, c := range v.outs {
		if !c.varied && c.size.area()*c.val.ch > 1 {
			return disprovef("vacuous: output %q is constant on every input", c.val.name)
		}
		for a := range c.e {
			if c.e[a] > c.q[a] && c.count[a] > 1 && !c.phased[a] {
				return disprovef("vacuous: output %q is the same at neighbouring positions along %s on every input", c.val.name, axisName(a))
			}
		}
	}
	return nil
}

// note says which phases had no position to compare: where the receptive field
// exceeds the frame, every unit between the baseline's own sees a padded value.
func (v *verification) note() string {
	for _, c := range v.outs {
		phases := min(c.e[0]/c.q[0], c.count[0]) * min(c.e[1]/c.q[1], c.count[1])
		if c.local() || c.whole() || v.report.Sampled || len(v.outs) > 1 || v.report.Phases >= phases {
			continue
		}
		return fmt.Sprintf("only %d of %d phases have an oracle on a frame of %dx%d, because the receptive field is %dx%d; rewrite with a larger --input to prove the others",
			v.report.Phases, phases, v.frame[0], v.frame[1], c.val.grid[0].r, c.val.grid[1].r)
	}
	return ""
}
