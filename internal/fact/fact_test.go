package fact

import (
	"math"
	"strings"
	"testing"

	"edged/internal/fault"
)

func TestRules(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]struct {
		err error
		key string // empty: it holds
		say string
	}{
		"no turn":           {Rotate(0), "", ""},
		"three quarters":    {Rotate(270), "", ""},
		"an eighth":         {Rotate(45), "rotate", "rotate 45: use 0, 90, 180 or 270"},
		"backwards":         {Rotate(-90), "rotate", "rotate -90"},
		"a whole turn":      {Rotate(360), "rotate", "rotate 360"},
		"one pixel":         {ROI(0, 0, 1, 1), "", ""},
		"left of the frame": {ROI(-1, 0, 1, 1), "roi", "roi [-1 0 1 1]"},
		"no width":          {ROI(0, 0, 0, 1), "roi", "at least 1"},
		"one mean":          {Mean([]float64{1}, 3), "", ""},
		"three means":       {Mean([]float64{1, 2, 3}, 3), "", ""},
		"perhaps colour":    {Mean([]float64{1, 2, 3}, 0), "", ""},
		"three for grey":    {Mean([]float64{1, 2, 3}, 1), "mean", "mean has 3 numbers"},
		"two":               {Mean([]float64{1, 2}, 0), "mean", "mean has 2 numbers: give one, or one per channel"},
		"none":              {Scale(nil, 3), "scale", "scale has 0 numbers"},
		"no number":         {Mean([]float64{nan}, 1), "mean", "mean holds NaN"},
		"infinite":          {Scale([]float64{1, inf, 1}, 3), "scale", "scale holds +Inf"},
		"flat":              {Scale([]float64{0}, 1), "scale", "scale is 0"},
		"in range":          {Range([]float64{127.5}, []float64{1, 2, 3}), "", ""},
		"too large":         {Range([]float64{0, 0, 0}, []float64{1, 1, 1e38}), "scale", "make +Inf of a pixel"},
		"no float32":        {Range([]float64{1e300}, []float64{1}), "scale", "make -Inf of a pixel"},
		"half":              {Threshold(0.5), "", ""},
		"always":            {Threshold(0), "threshold", "threshold 0: it is a probability"},
		"never":             {Threshold(1), "threshold", "threshold 1"},
		"undecided":         {Threshold(nan), "threshold", "threshold NaN"},
	} {
		all := fault.All(c.err)
		switch {
		case c.key == "" && len(all) == 0:
		case len(all) != 1 || all[0].Key != c.key || !strings.Contains(c.err.Error(), c.say):
			t.Errorf("%s: %v, want a fault of %q with %q", name, c.err, c.key, c.say)
		}
	}
}
