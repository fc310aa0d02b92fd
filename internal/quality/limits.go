package quality

import (
	"fmt"
	"math"

	"edged"
)

// The kinds of reasons that limits give.
const (
	Dark     = "dark"
	Bright   = "bright"
	Contrast = "contrast"
	Blur     = "blur"
	Frozen   = "frozen"
)

// Limits are what a picture must keep to; nil and 0: it is not looked at.
type Limits struct {
	Dark     *float64 // largest share of black pixels
	Bright   *float64 // largest share of white pixels
	Contrast *float64 // least standard deviation of brightness
	Blur     *float64 // least variance of the Laplacian
	Frozen   int      // pictures in a row that are the same
}

// Any tells whether something is looked at.
func (l Limits) Any() bool {
	return l.Dark != nil || l.Bright != nil || l.Contrast != nil || l.Blur != nil || l.Frozen > 0
}

// Outside appends the reasons why q keeps not to the limits.
func (l *Limits) Outside(dst []edged.Reason, q *edged.Quality) []edged.Reason {
	no := func(kind string, limit float64, format string, args ...any) {
		dst = append(dst, edged.Reason{Kind: kind, Limit: limit, Text: fmt.Sprintf(format, args...)})
	}
	if l.Dark != nil && q.Dark > *l.Dark {
		no(Dark, *l.Dark, "%.1f %% of the picture is black, at most %.1f %% allowed", 100*q.Dark, 100**l.Dark)
	}
	if l.Bright != nil && q.Bright > *l.Bright {
		no(Bright, *l.Bright, "%.1f %% of the picture is white, at most %.1f %% allowed", 100*q.Bright, 100**l.Bright)
	}
	if l.Contrast != nil && q.Contrast < *l.Contrast {
		no(Contrast, *l.Contrast, "the contrast is %.1f, at least %.1f needed", q.Contrast, *l.Contrast)
	}
	if l.Blur != nil && q.Blur < *l.Blur {
		no(Blur, *l.Blur, "the sharpness is %.1f, at least %.1f needed: out of focus, moving or dirty", q.Blur, *l.Blur)
	}
	if l.Frozen > 0 && q.Alike >= l.Frozen {
		no(Frozen, float64(l.Frozen), "the same picture %d times in a row", q.Alike)
	}
	return dst
}

// Range is what good pictures were found to have.
type Range struct {
	Pictures int
	Min, Max edged.Quality
}

// Add takes a good picture in.
func (r *Range) Add(q edged.Quality) {
	if r.Pictures++; r.Pictures == 1 {
		r.Min, r.Max = q, q
		return
	}
	for _, p := range [][3]*float64{
		{&r.Min.Dark, &r.Max.Dark, &q.Dark}, {&r.Min.Bright, &r.Max.Bright, &q.Bright},
		{&r.Min.Contrast, &r.Max.Contrast, &q.Contrast}, {&r.Min.Blur, &r.Max.Blur, &q.Blur},
	} {
		*p[0], *p[1] = min(*p[0], *p[2]), max(*p[1], *p[2])
	}
}

const (
	// leastShare is how far a share of pixels may go beyond what was seen, at least.
	leastShare = 0.02
	// leastFactor is by how much contrast and sharpness may fall below it, at least:
	// defocus that a person sees costs three quarters of the Laplacian's variance.
	leastFactor = 1.5
)

// Limits are those that leave the good pictures as much room again as they took
// themselves. Few pictures took little: what the least room is stands above.
func (r *Range) Limits() Limits {
	share := func(low, high float64) *float64 {
		v := min(1, high+max(high-low, leastShare))
		v = math.Ceil(v*1000) / 1000
		return &v
	}
	least := func(low, high float64) *float64 {
		factor := leastFactor
		if low > 0 {
			factor = max(factor, high/low)
		}
		v := math.Floor(low/factor*10) / 10
		return &v
	}
	return Limits{
		Dark: share(r.Min.Dark, r.Max.Dark), Bright: share(r.Min.Bright, r.Max.Bright),
		Contrast: least(r.Min.Contrast, r.Max.Contrast), Blur: least(r.Min.Blur, r.Max.Blur),
	}
}

// variance is that of n numbers with a sum and a sum of squares.
func variance(sum, squares, n float64) float64 {
	mean := sum / n
	return max(0, squares/n-mean*mean)
}

func root(v float64) float64 { return math.Sqrt(v) }
