package enginetest

import (
	"encoding/binary"
	"fmt"
	"math"

	"edged"
)

// Bound says how far two float32 results of an operator may lie apart:
//
//	|a-b| <= eps*(Ulps*max(|a|,|b|) + Floor*m) + (Sum: 2*gamma_K*s)
//
// eps is 2^-23, m the largest magnitude in either output and 1, K the number of
// terms summed, gamma_K = K*u/(1-K*u) with u = 2^-24, and s the same sum over
// absolute values. Zero means bit for bit (but 0 = -0 and any NaN = any NaN).
type Bound struct {
	Ulps, Floor float64
	Sum         bool
}

const eps = 1.0 / (1 << 23)

// Tolerance is what an engine promises against its reference.
type Tolerance struct {
	// Steps is how far quantised values may differ, in steps of the output's
	// scale. Zero means bit for bit.
	Steps int
	// Looser multiplies every float bound and replaces exact by a few ulps.
	// Zero means the bounds as the table states them.
	Looser float64
	// Except names cases that are not compared, "OPERATOR" or "OPERATOR/kind",
	// with the reason, which the test prints.
	Except map[string]string
	// StepsOf overrides Steps by "OPERATOR" or "OPERATOR/kind".
	StepsOf map[string]int
}

func (t Tolerance) steps(op, kind string) int {
	for _, key := range []string{op + "/" + kind, op} {
		if s, ok := t.StepsOf[key]; ok {
			return s
		}
	}
	return t.Steps
}

func (t Tolerance) except(op, kind string) (string, bool) {
	for _, key := range []string{op + "/" + kind, op} {
		if why, ok := t.Except[key]; ok {
			return why, true
		}
	}
	return "", false
}

func (t Tolerance) loosen(b Bound) Bound {
	if t.Looser > 0 {
		b.Ulps, b.Floor = max(b.Ulps, 8)*t.Looser, max(b.Floor, 1)*t.Looser
	}
	return b
}

// limits carries what differs from output to output in one comparison.
type limits struct {
	bound Bound
	steps int
	terms int
	sums  []Output // of the absolute case, where bound.Sum
}

// diff compares two engines' outputs and describes the first difference, or
// returns "".
func diff(got, want []Output, l limits) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d outputs, want %d", len(got), len(want))
	}
	for i := range want {
		if d := diffOutput(got[i], want[i], l, i); d != "" {
			return fmt.Sprintf("output %d (%s): %s", i, want[i].Spec, d)
		}
	}
	return ""
}

func diffOutput(got, want Output, l limits, i int) string {
	if fmt.Sprint(got.Shape, got.Type) != fmt.Sprint(want.Shape, want.Type) {
		return fmt.Sprintf("is %s%v", got.Type, got.Shape)
	}
	if len(got.Data) != len(want.Data) || len(got.Data) != want.Bytes() {
		return fmt.Sprintf("%d bytes, want %d, the shape takes %d", len(got.Data), len(want.Data), want.Bytes())
	}
	switch want.Type {
	case edged.Float32:
		var sums []float32
		if l.bound.Sum {
			sums = floats(l.sums[i].Data)
		}
		return diffFloats(floats(got.Data), floats(want.Data), sums, l)
	case edged.Int8:
		return diffSteps(got.Data, want.Data, l.steps, func(b byte) int { return int(int8(b)) })
	case edged.Uint8:
		return diffSteps(got.Data, want.Data, l.steps, func(b byte) int { return int(b) })
	}
	return diffSteps(got.Data, want.Data, 0, func(b byte) int { return int(b) })
}

func diffSteps(got, want []byte, steps int, value func(byte) int) string {
	worst, at, n := 0, 0, 0
	for i := range want {
		d := value(got[i]) - value(want[i])
		if d = max(d, -d); d > 0 {
			n++
		}
		if d > worst {
			worst, at = d, i
		}
	}
	if worst <= steps {
		return ""
	}
	return fmt.Sprintf("byte %d is %d, want %d; %d of %d differ, by up to %d (allowed %d)",
		at, value(got[at]), value(want[at]), n, len(want), worst, steps)
}

func diffFloats(got, want, sums []float32, l limits) string {
	largest := 1.0
	for i := range want {
		largest = max(largest, finite(got[i]), finite(want[i]))
	}
	gamma := float64(l.terms) / (1 << 24)
	gamma /= 1 - gamma
	for i := range want {
		a, b := float64(got[i]), float64(want[i])
		if a == b || math.IsNaN(a) && math.IsNaN(b) {
			continue
		}
		allowed := eps * (l.bound.Ulps*max(math.Abs(a), math.Abs(b)) + l.bound.Floor*largest)
		if sums != nil {
			allowed += 2 * gamma * math.Abs(float64(sums[i]))
		}
		if d := math.Abs(a - b); !(d <= allowed) || math.IsInf(allowed, 0) {
			return fmt.Sprintf("element %d is %g, want %g: apart by %.3g, allowed %.3g", i, a, b, d, allowed)
		}
	}
	return ""
}

func finite(v float32) float64 {
	if a := math.Abs(float64(v)); !math.IsInf(a, 0) && !math.IsNaN(a) {
		return a
	}
	return 0
}

func floats(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}
