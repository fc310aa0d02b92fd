package rewrite

import (
	"fmt"
	"math"
	"slices"
	"time"

	"edged"
	"edged/model"
)

// Under the frame contract a dense patch classifier need not agree with the
// classifier on single patches. How far it does is measured on pictures: noise
// belongs to no class, and a share of equal classes on it means nothing.

const (
	agreementPatches = 256 // per picture
	agreementTime    = 20 * time.Second
	leastPatches     = 16 // of the first picture, however long they take
)

// agreement measures what the frame contract leaves open.
func (v *verification) agreement() error {
	if !v.net.isPatch() || v.report.Contract != Frame {
		return nil
	}
	a, err := v.agree()
	v.report.PatchAgreement = a
	return err
}

func (v *verification) agree() (*model.PatchAgreement, error) {
	c := v.outs[0]
	if v.patchGrid(c).area() == 0 {
		return nil, nil
	}
	t := &tally{v: v, c: c, classes: max(c.val.ch, 2), until: time.Now().Add(agreementTime)}
	frames := v.o.Pictures
	if len(frames) == 0 {
		frames = []Picture{{Name: "noise", Data: v.inputs[0].data}}
	}
	for i, p := range frames {
		if len(p.Data) != v.dense.Inputs()[0].Bytes() {
			return nil, fmt.Errorf("rewrite: picture %s: %d bytes, the dense model takes %d", p.Name, len(p.Data), v.dense.Inputs()[0].Bytes())
		}
		if i > 0 && time.Now().After(t.until) {
			break
		}
		if err := t.picture(p.Data, newRandom(v.o.Seed+99+uint64(i)).IntN); err != nil {
			return nil, err
		}
	}
	return t.result(len(v.o.Pictures) > 0), nil
}

// patchGrid is how many patches of the frame have a position in the output.
func (v *verification) patchGrid(c *compared) pair {
	var n pair
	for a := range n {
		n[a] = max(0, min(c.size[a], floorDiv(v.frame[a]-v.net.input.n[a], c.q[a])+1))
	}
	return n
}

// tally counts patches by what the baseline and the dense net say.
type tally struct {
	v        *verification
	c        *compared
	classes  int
	counts   [][]int
	diff     float64
	patches  int
	pictures int
	until    time.Time
}

func (t *tally) picture(frame []byte, random func(int) int) error {
	v := t.v
	if t.counts == nil {
		for range t.classes {
			t.counts = append(t.counts, make([]int, t.classes))
		}
	}
	copy(v.dense.Input(0), frame)
	if err := v.dense.Run(); err != nil {
		return err
	}
	got := realValues(v.dense.Output(0), v.dense.Outputs()[0])
	n, e := v.patchGrid(t.c), v.oracle.patch
	total := min(agreementPatches, n.area())
	t.pictures++
	for k := range total {
		if t.patches >= leastPatches && time.Now().After(t.until) {
			break
		}
		at := pair{k / n[1], k % n[1]}
		if n.area() > agreementPatches {
			at = pair{random(n[0]), random(n[1])}
		}
		v.crop(e.Input(0), frame, pair{at[0] * t.c.q[0], at[1] * t.c.q[1]}, v.net.input.n, e.Inputs()[0], v.net.inDims)
		if err := e.Run(); err != nil {
			return err
		}
		t.add(realValues(e.Output(0), e.Outputs()[0]), got[(at[0]*t.c.size[1]+at[1])*t.c.val.ch:][:t.c.val.ch])
	}
	return nil
}

func (t *tally) add(base, dense []float64) {
	for i := range dense {
		t.diff = max(t.diff, finite(math.Abs(base[i]-dense[i])))
	}
	t.counts[t.class(base)][t.class(dense)]++
	t.patches++
}

// class is the winning channel; a single one wins from its threshold on.
func (t *tally) class(x []float64) int {
	if len(x) > 1 {
		return slices.Index(x, slices.Max(x))
	}
	if x[0] > t.v.threshold {
		return 1
	}
	return 0
}

// result is the table, or why there is none.
func (t *tally) result(pictures bool) *model.PatchAgreement {
	a := &model.PatchAgreement{MaxAbsDiff: t.diff, Patches: t.patches}
	wide := ""
	for i, g := range t.c.val.grid {
		if g.r > t.v.net.input.n[i] {
			wide = fmt.Sprintf("; the receptive field of %dx%d exceeds the patch of %s, so by theory no position has to agree",
				t.c.val.grid[0].r, t.c.val.grid[1].r, sizeText(t.v.net.input.n))
		}
	}
	if !pictures {
		a.Says = "agreement of classes was not measured: give pictures with edged verify --images DIR" + wide
		return a
	}
	a.Images, a.Confusion = t.pictures, t.counts
	equal, seen := 0, 0
	for k, row := range t.counts {
		c := model.ClassAgreement{Class: t.label(k), Equal: row[k]}
		for _, n := range row {
			c.Patches += n
		}
		if c.Patches > 0 {
			seen++
		}
		equal += c.Equal
		a.Classes = append(a.Classes, c)
	}
	if seen < 2 {
		a.Says = "says nothing: the baseline gives every patch of these pictures to one class" + wide
		return a
	}
	share := float64(equal) / float64(t.patches)
	a.EqualClasses = &share
	a.Says = fmt.Sprintf("%d of %d patches of %d pictures get the same class", equal, t.patches, t.pictures) + wide
	return a
}

func (t *tally) label(k int) string {
	if k < len(t.v.labels) {
		return t.v.labels[k]
	}
	return fmt.Sprint("class ", k)
}

// Agreement measures, for a dense graph under the frame contract, how far it
// agrees with a patch classifier on patches; nil where base is none.
func Agreement(base, dense []byte, open edged.Opener) (*model.PatchAgreement, error) {
	v, err := newVerification(base, dense, open, VerifyOptions{})
	if err != nil {
		return nil, err
	}
	defer v.close()
	if err := v.prepareRun(base, dense); err != nil {
		return nil, err
	}
	v.inputs = v.probes()[:1]
	err = v.agreement()
	return v.report.PatchAgreement, err
}
