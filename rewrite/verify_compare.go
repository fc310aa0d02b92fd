package rewrite

import (
	"math"
	"slices"
	"sync"

	"edged"
)

// compared is one output under comparison.
type compared struct {
	index    int
	tensor   int32
	val      *value
	e, q     pair
	size     pair // positions of the dense output
	count    pair // positions that the contract speaks of: less than size where the patch exceeds the receptive field
	seen     []bool
	tol      []float64 // per channel; nil: bit identity
	rigorous []float64 // per channel, what rounding alone can do; nil: nothing
	bound    float64
	differ   float64 // largest difference where equality is promised
	band     measuredBand
	bad      int64 // elements beyond tolerance
	badAt    pair
	varied   bool
	phased   [2]bool // positions of different phases were seen to differ
}

func (v *verification) newCompared(i int, o *output, d *dense) *compared {
	val := o.val
	c := &compared{index: i, tensor: o.tensor, val: val, q: d.stride(val), size: d.target(val)}
	c.count = c.size
	for a, g := range val.grid {
		c.e[a] = g.e
		if v.report.Contract == Patch {
			c.count[a] = max(0, min(c.size[a], floorDiv(v.frame[a]-v.net.input.n[a], c.q[a])+1))
		}
	}
	c.seen = make([]bool, c.size.area())
	return c
}

// local reports whether every output depends on its window alone.
func (c *compared) local() bool {
	for _, g := range c.val.grid {
		if g.padded || g.global || g.bad {
			return false
		}
	}
	return true
}

// whole reports whether equality is asked for everywhere, borders included:
// the output depends on the whole frame, or lies behind a decoder, and only
// shifts of the baseline itself are exact for it.
func (c *compared) whole() bool {
	return slices.ContainsFunc(c.val.grid[:], func(g axisGrid) bool { return g.global || g.loose })
}

// reach tells, per axis, whether the unit at frame position p sees a padded
// value before the start of the crop at offset at, or behind the frame's end.
func (c *compared) reach(p, at pair) (start, end [2]bool) {
	for a, g := range c.val.grid {
		start[a] = p[a]-at[a] < g.before
		end[a] = g.span-1-p[a] < g.after
	}
	return start, end
}

// comparable reports whether equality is promised at frame position p of the
// crop at offset at.
func (c *compared) comparable(p, at pair) bool {
	if c.local() || c.whole() || at == (pair{}) {
		return true
	}
	start, end := c.reach(p, at)
	return !start[0] && !start[1] && !end[0] && !end[1]
}

// position is the dense index of unit j of the crop at offset at; ok is false
// where dense has no such position or another crop answers for it.
func (c *compared) position(j, at pair) (t pair, ok bool) {
	for a := range t {
		p := at[a] + j[a]*c.e[a]
		if p%c.q[a] != 0 || !c.local() && at[a] >= c.e[a] {
			return t, false
		}
		t[a] = p / c.q[a]
		if t[a] >= c.count[a] {
			return t, false
		}
	}
	return t, true
}

// block is what one baseline run and one output give to compare.
type block struct {
	got     []float64 // dense, [size] x channels
	want    []float64 // baseline
	dims    dims
	n       pair // units of the run
	at      pair
	pick    []int // units to compare
	sampled bool  // pick says which; else all that count
}

// take compares one baseline run; the caller holds the lock. It returns how
// many positions were compared. Units that see a padded value widen the band.
func (c *compared) take(b block) int {
	done := 0
	for u := range b.n.area() {
		j := pair{u / b.n[1], u % b.n[1]}
		t, ok := c.position(j, b.at)
		if !ok {
			continue
		}
		at := t[0]*c.size[1] + t[1]
		p := pair{b.at[0] + j[0]*c.e[0], b.at[1] + j[1]*c.e[1]}
		if c.seen[at] || b.sampled && c.comparable(p, b.at) {
			continue
		}
		done += c.unit(b, j, at, p)
	}
	for _, u := range b.pick {
		j := pair{u / b.n[1], u % b.n[1]}
		if t, ok := c.position(j, b.at); ok && !c.seen[t[0]*c.size[1]+t[1]] {
			done += c.unit(b, j, t[0]*c.size[1]+t[1], pair{b.at[0] + j[0]*c.e[0], b.at[1] + j[1]*c.e[1]})
		}
	}
	return done
}

// unit compares unit j of a run with position at of dense, frame pixel p: 1
// where equality is promised.
func (c *compared) unit(b block, j pair, at int, p pair) int {
	got := b.got[at*c.val.ch : (at+1)*c.val.ch]
	want := j[0]*b.dims.y + j[1]*b.dims.x
	if !c.comparable(p, b.at) {
		c.measureBorder(got, b.want, want, b.dims.c, p, b.at)
		return 0
	}
	c.seen[at] = true
	c.equal(got, b.want, want, b.dims.c, p)
	return 1
}

func (c *compared) equal(got, all []float64, at, step int, p pair) {
	for ch, g := range got {
		w := all[at+ch*step]
		d := math.Abs(g - w)
		if math.IsNaN(g) && math.IsNaN(w) || g == w {
			continue
		}
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		c.differ = max(c.differ, d)
		if c.tol == nil || !(d <= c.tol[ch]) {
			if c.bad == 0 {
				c.badAt = p
			}
			c.bad++
		}
	}
}

// measureBorder widens the measured band where a border unit differs.
func (c *compared) measureBorder(got, all []float64, at, step int, p, off pair) {
	same := true
	for ch, g := range got {
		tol := 0.0
		if c.tol != nil {
			tol = c.tol[ch]
		}
		same = same && math.Abs(g-all[at+ch*step]) <= tol
	}
	if same {
		return
	}
	start, end := c.reach(p, off)
	need := [4]int{}
	for a := range p {
		if start[a] {
			need[a] = p[a] + 1
		}
		if end[a] {
			need[2+a] = (c.size[a]-1)*c.q[a] - p[a] + 1
		}
	}
	c.band.note(need)
}

// realValues are a tensor's elements as real numbers.
func realValues(b []byte, s edged.Spec) []float64 {
	out := make([]float64, s.Elems())
	scale := float64(s.Quant.Scale)
	if scale == 0 {
		scale = 1
	}
	for i := range out {
		switch s.Type {
		case edged.Float32:
			out[i] = float64(edged.View[float32](b)[i])
		case edged.Int8:
			out[i] = (float64(int8(b[i])) - float64(s.Quant.ZeroPoint)) * scale
		case edged.Uint8:
			out[i] = (float64(b[i]) - float64(s.Quant.ZeroPoint)) * scale
		case edged.Int16:
			out[i] = float64(edged.View[int16](b)[i]) * scale
		case edged.Int32:
			out[i] = float64(edged.View[int32](b)[i])
		case edged.Int64:
			out[i] = float64(edged.View[int64](b)[i])
		}
	}
	return out
}

func abs(x float64) float64 { return math.Abs(x) }

// spread is the distance from the least to the largest element.
func spread(v []float64) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, x := range v {
		lo, hi = min(lo, x), max(hi, x)
	}
	return max(hi-lo, 0)
}

// magnitude is the greatest absolute value of the elements.
func magnitude(v []float64) float64 {
	most := 0.0
	for _, x := range v {
		most = max(most, math.Abs(x))
	}
	return most
}

// finite replaces what JSON cannot hold by the largest number.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return math.MaxFloat64
	}
	return x
}

// lockedError keeps the first error of several goroutines.
type lockedError struct {
	sync.Mutex
	err error
}

func (l *lockedError) set(err error) {
	l.Lock()
	defer l.Unlock()
	if l.err == nil {
		l.err = err
	}
}

func (l *lockedError) get() error {
	l.Lock()
	defer l.Unlock()
	return l.err
}
