package config

import "edged/internal/quality"

// Quality are the limits of a camera's pictures; what is left out is not looked at.
type Quality struct {
	Dark     *float64 `toml:"dark"`
	Bright   *float64 `toml:"bright"`
	Contrast *float64 `toml:"contrast"`
	Blur     *float64 `toml:"blur"`
	Frozen   *int     `toml:"frozen"`
}

// Limits is the quality package's view of them.
func (q *Quality) Limits() quality.Limits {
	l := quality.Limits{Dark: q.Dark, Bright: q.Bright, Contrast: q.Contrast, Blur: q.Blur}
	if q.Frozen != nil {
		l.Frozen = *q.Frozen
	}
	return l
}

// mostContrast is the standard deviation of a picture half black, half white.
const mostContrast = 127.5

// checkQuality looks at a camera's limits.
func (c *Config) checkQuality(i int) {
	q := c.Cameras[i].Quality
	if q == nil {
		return
	}
	wrong := func(key, format string, args ...any) { c.file.Addf(at(i, "quality."+key), format, args...) }
	for _, s := range []struct {
		key   string
		value *float64
	}{{"dark", q.Dark}, {"bright", q.Bright}} {
		if s.value != nil && !(*s.value >= 0 && *s.value <= 1) {
			wrong(s.key, "%s of %v: the largest share of pixels, from 0 to 1", s.key, *s.value)
		}
	}
	if v := q.Contrast; v != nil && !(*v >= 0 && *v <= mostContrast) {
		wrong("contrast", "contrast of %v: the least standard deviation of brightness, from 0 to %v", *v, mostContrast)
	}
	if v := q.Blur; v != nil && !(*v >= 0 && *v <= 1e6) {
		wrong("blur", "blur of %v: the least variance of the Laplacian, from 0; edged doctor --learn-quality finds it", *v)
	}
	if v := q.Frozen; v != nil && *v != 0 && *v < 2 {
		wrong("frozen", "frozen of %d: pictures in a row that are the same, from 2; 0: not looked at", *v)
	}
}
