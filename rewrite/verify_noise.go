package rewrite

import (
	"fmt"
	"math"

	"edged"
	"edged/model"
)

// A float32 output may differ from the baseline's by what rounding does, and by
// nothing else. The rigorous bound grows with every layer and would let true
// faults pass, so rounding is measured on the baseline itself: how far its
// answers lie apart on other kernel sets, and under inputs that differ in their
// last bit, which shakes every sum of the net.

const (
	noiseFactor = 16  // times the noise measured
	leastUlps   = 64  // of the output's magnitude, where hardly any noise was measured
	noiseUnits  = 256 // positions at least, of each input, to measure it on
	noiseRuns   = 32
)

// bounds works out how far float32 outputs may lie apart by rounding alone.
func (v *verification) bounds() error {
	exact := v.integerNet()
	var at map[*value]*ranges
	for _, c := range v.outs {
		if c.val.typ != model.TypeFloat32 || exact {
			continue
		}
		if at == nil {
			at = v.net.propagate(v.inputLimit())
		}
		c.rigorous = make([]float64, c.val.ch)
		r := at[c.val]
		for i := range c.rigorous {
			c.rigorous[i] = math.Inf(1)
			if r != nil && !math.IsNaN(r.err[i]) {
				c.rigorous[i] = r.err[i]
			}
		}
	}
	return nil
}

// allow sets the tolerances: the noise that was measured, at least some ulps of
// the output's size, and never more than the rigorous bound.
func (c *compared) allow(noise, size float64) {
	if c.rigorous == nil {
		return
	}
	c.tol = make([]float64, len(c.rigorous))
	for i, r := range c.rigorous {
		c.tol[i] = min(r, max(noiseFactor*noise, leastUlps*unit*size))
		c.bound = max(c.bound, c.tol[i])
	}
}

// tolerances measures the baseline's noise on every input and sets what each
// output is allowed: on one input alone an output may be clipped to nothing.
func (v *verification) tolerances() error {
	floats := false
	for _, c := range v.outs {
		floats = floats || c.rigorous != nil
	}
	if !floats {
		return nil
	}
	noise, size := make([]float64, len(v.outs)), make([]float64, len(v.outs))
	o := v.main()
	engines := v.shaken(o)
	for i, p := range v.inputs {
		for _, at := range v.noiseCrops(o, i) {
			if err := v.measureNoise(o, engines, p, at, noise, size); err != nil {
				return err
			}
		}
	}
	for k, c := range v.outs {
		c.allow(noise[k], size[k])
	}
	return nil
}

// noiseCrops are a few of the oracle's crops, others for each input, enough for
// noiseUnits positions.
func (v *verification) noiseCrops(o *oracle, input int) []pair {
	all := v.offsets(o)
	units := 1
	for _, n := range o.n {
		units = max(units, n.area())
	}
	n := most(min(len(all), max(1, ceilDiv(noiseUnits, units)), noiseRuns), v.pace.noise)
	var out []pair
	for i := range n {
		out = append(out, all[(i*len(all)/n+input*7)%len(all)].at)
	}
	return out
}

// shaken are the engines that the noise is measured on: the oracle's own, and
// the baseline on every other kernel set that loads it.
func (v *verification) shaken(o *oracle) []edged.Engine {
	if v.others == nil {
		v.others = []edged.Engine{}
		for _, open := range v.o.Others {
			if e := openAs(open, o); e != nil {
				v.others = append(v.others, e)
			}
		}
	}
	return append([]edged.Engine{o.engines[0]}, v.others...)
}

// openAs opens the oracle's file on another engine, in the oracle's size.
func openAs(open edged.Opener, o *oracle) edged.Engine {
	e, err := o.start(open)
	if err != nil {
		return nil
	}
	if o.what == resizedBase {
		if e.Resize(0, o.engines[0].Inputs()[0].Shape) != nil {
			_ = e.Close()
			return nil
		}
	}
	return e
}

// measureNoise adds what one crop shows: the largest difference of any other
// answer from the oracle's own.
func (v *verification) measureNoise(o *oracle, engines []edged.Engine, p probe, at pair, noise, size []float64) error {
	own := engines[0]
	var first [][]float64
	for k, e := range append([]edged.Engine{own}, engines...) {
		v.crop(e.Input(0), p.data, at, o.size, e.Inputs()[0], o.in)
		if k == 1 {
			shake(e.Input(0), e.Inputs()[0].Type, newRandom(v.o.Seed))
		}
		if err := e.Run(); err != nil {
			return fmt.Errorf("rewrite: baseline: %w", err)
		}
		for i, s := range e.Outputs() {
			got := realValues(e.Output(i), s)
			if k == 0 {
				first = append(first, got)
				size[i] = max(size[i], finite(magnitude(got)))
				continue
			}
			for x := range got {
				if d := math.Abs(got[x] - first[i][x]); d > noise[i] {
					noise[i] = finite(d)
				}
			}
		}
	}
	return nil
}

// shake moves every float by one unit in the last place, up or down.
func shake(b []byte, t edged.DType, r interface{ Uint64() uint64 }) {
	if t != edged.Float32 {
		return
	}
	f := edged.View[float32](b)
	for i := range f {
		if f[i] != 0 {
			f[i] = math.Float32frombits(math.Float32bits(f[i]) - 1 + uint32(r.Uint64()&2))
		}
	}
}
