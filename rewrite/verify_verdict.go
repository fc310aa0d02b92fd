package rewrite

import (
	"fmt"
	"math"

	"edged"
	"edged/model"
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

// agreementPatches is how many patches tell how a frame contract agrees with
// the classifier on single patches.
const agreementPatches = 256

// agreement measures the dense outputs of a patch classifier under the frame
// contract against the classifier itself on patches.
func (v *verification) agreement() error {
	if !v.net.isPatch() || v.report.Contract != Frame {
		return nil
	}
	frame := v.inputs[0].data
	copy(v.dense.Input(0), frame)
	if err := v.dense.Run(); err != nil {
		return err
	}
	var got [][]float64
	for i, s := range v.dense.Outputs() {
		got = append(got, realValues(v.dense.Output(i), s))
	}
	a, err := v.patches(frame, got)
	v.report.PatchAgreement = a
	return err
}

func (v *verification) patches(frame []byte, got [][]float64) (*model.PatchAgreement, error) {
	e, c := v.oracle.patch, v.outs[0]
	patch := v.net.input.n
	var n pair
	for a := range n {
		n[a] = min(c.size[a], floorDiv(v.frame[a]-patch[a], c.q[a])+1)
	}
	if n[0] < 1 || n[1] < 1 {
		return nil, nil
	}
	r := newRandom(v.o.Seed + 99)
	out := &model.PatchAgreement{}
	total := min(agreementPatches, n.area())
	for k := range total {
		t := pair{k / n[1], k % n[1]}
		if n.area() > agreementPatches {
			t = pair{r.IntN(n[0]), r.IntN(n[1])}
		}
		v.crop(e.Input(0), frame, pair{t[0] * c.q[0], t[1] * c.q[1]}, patch, e.Inputs()[0])
		if err := e.Run(); err != nil {
			return nil, err
		}
		d, _ := comparePatch(got[0][(t[0]*c.size[1]+t[1])*c.val.ch:][:c.val.ch], realValues(e.Output(0), e.Outputs()[0]))
		out.MaxAbsDiff = max(out.MaxAbsDiff, d)
	}
	out.Patches = total
	return out, nil
}

// comparePatch gives the largest difference, and whether the winning class is
// the same; a single channel wins by its sign.
func comparePatch(a, b []float64) (float64, bool) {
	diff := 0.0
	ia, ib := 0, 0
	for i := range a {
		diff = max(diff, math.Abs(a[i]-b[i]))
		if a[i] > a[ia] {
			ia = i
		}
		if b[i] > b[ib] {
			ib = i
		}
	}
	if len(a) == 1 {
		return diff, (a[0] > 0) == (b[0] > 0)
	}
	return diff, ia == ib
}

// Agreement measures, for a dense graph under the frame contract, how far it
// agrees with a patch classifier on patches; nil where base is none.
func Agreement(base, dense []byte, open edged.Opener) (*model.PatchAgreement, error) {
	v, err := newVerification(base, dense, open, VerifyOptions{})
	if err != nil {
		return nil, err
	}
	defer v.close()
	v.inputs = v.probes()
	err = v.agreement()
	return v.report.PatchAgreement, err
}
