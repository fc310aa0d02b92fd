package faults

import (
	"fmt"
	"math"
	"time"
)

// Sample is the vital signs at one moment of a soak.
type Sample struct {
	At time.Duration // since the soak began
	Vitals
}

// Trend is a straight line through a soak's memory.
type Trend struct {
	Slope  float64 // bytes an hour
	StdErr float64 // of Slope, bytes an hour: what the samples' scatter leaves open
	Mean   float64 // bytes
}

// The memories that a soak follows.
func rss(v Vitals) int64  { return v.RSS }
func heap(v Vitals) int64 { return v.Heap }

// TrendOf fits a memory over time by least squares. It takes three samples or
// more.
func TrendOf(samples []Sample, of func(Vitals) int64) Trend {
	n := float64(len(samples))
	var sx, sy float64
	for _, s := range samples {
		sx += s.At.Hours()
		sy += float64(of(s.Vitals))
	}
	mx, my := sx/n, sy/n
	var sxx, sxy float64
	for _, s := range samples {
		dx := s.At.Hours() - mx
		sxx += dx * dx
		sxy += dx * (float64(of(s.Vitals)) - my)
	}
	t := Trend{Slope: sxy / sxx, Mean: my}
	var rest float64
	for _, s := range samples {
		e := float64(of(s.Vitals)) - my - t.Slope*(s.At.Hours()-mx)
		rest += e * e
	}
	t.StdErr = math.Sqrt(rest / (n - 2) / sxx)
	return t
}

func (t Trend) String() string {
	const mib = 1 << 20
	return fmt.Sprintf("memory %.1f MiB, slope %+.2f MiB/h, standard error %.2f", t.Mean/mib, t.Slope/mib, t.StdErr/mib)
}

// Grows tells whether memory grew over a soak of this length by more than its
// scatter (three standard errors) and by more than what matters: 4 MiB or a
// tenth, whichever is more.
func (t Trend) Grows(length time.Duration) bool {
	grown := t.Slope * length.Hours()
	return t.Slope > 3*t.StdErr && grown > max(4<<20, t.Mean/10)
}
