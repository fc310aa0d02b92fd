package stage

import (
	"testing"
	"time"

	"edged"
	"edged/internal/config"
	"edged/internal/pipeline"
)

// oddJudge is rules that say NG and count what they see.
type oddJudge struct{ seen int }

func (j *oddJudge) Judge(r *pipeline.Result) {
	j.seen++
	r.Verdict, r.Reasons = "NG", append(r.Reasons[:0], edged.Reason{Kind: edged.ReasonPresent})
}

func limit(v float64) *float64 { return &v }

// grey is a picture of one brightness.
func greyFrame(v byte, at time.Time) *edged.Frame {
	f := &edged.Frame{W: 64, H: 48, Stride: 64, Format: edged.Gray, Time: at, Pix: make([]byte, 64*48)}
	for i := range f.Pix {
		f.Pix[i] = v
	}
	return f
}

// look serves one picture as the pipeline would.
func look(t *testing.T, judge pipeline.Judge, f *edged.Frame) *pipeline.Result {
	t.Helper()
	prepare, err := pipeline.NewPreparer(pipeline.PrepareConfig{Order: edged.Gray, Mean: []float64{0}, Scale: []float64{1}},
		edged.Spec{Shape: []int{1, 48, 64, 1}, Type: edged.Float32})
	if err != nil {
		t.Fatal(err)
	}
	if err := prepare.Prepare(make([]byte, 48*64*4), f); err != nil {
		t.Fatal(err)
	}
	r := &pipeline.Result{Frame: f, Stage: &pipeline.Stage{Prepare: prepare}}
	judge.Judge(r)
	return r
}

// TestGauge: a picture outside of its limits is unsure at once, whatever the rules
// and their hold; leaving the limits and being back for a while are one event each.
func TestGauge(t *testing.T) {
	rules := &oddJudge{}
	var told []PictureChange
	outside := 0
	cam := &config.Camera{Quality: &config.Quality{Dark: limit(0.5), Bright: limit(0.5)}}
	g := NewGauge(cam, rules, PictureWatch{Outside: func([]edged.Reason) { outside++ }, Changed: func(c PictureChange) { told = append(told, c) }})
	at := time.Now()
	for i, c := range []struct {
		after  time.Duration
		grey   byte
		want   string
		events int
	}{
		{0, 128, "NG", 0}, {100 * time.Millisecond, 0, "unsure", 1}, {100 * time.Millisecond, 255, "unsure", 1}, {100 * time.Millisecond, 128, "NG", 1},
		{100 * time.Millisecond, 0, "unsure", 1}, {calm - 1, 128, "NG", 1}, {1, 128, "NG", 2}, {time.Hour, 128, "NG", 2}, {1, 5, "unsure", 3},
	} {
		at = at.Add(c.after)
		r := look(t, g, greyFrame(c.grey, at))
		if r.Verdict != c.want || len(told) != c.events || r.Quality == nil || len(r.Reasons) != 1 {
			t.Errorf("picture %d: %q, %d events, reasons %v, quality %v", i, r.Verdict, len(told), r.Reasons, r.Quality)
		}
	}
	if outside != 4 || rules.seen != 5 {
		t.Errorf("%d outside, %d seen by the rules", outside, rules.seen)
	}
	if left, back := told[0], told[1]; left.Verdict != pipeline.Unsure || left.Previous != "NG" || left.Reasons[0].Kind != "dark" ||
		back.Verdict != "NG" || back.Message != "the pictures are within their limits again; 3 were not" {
		t.Errorf("told %+v", told)
	}
}

func TestGaugeWithoutLimitsIsTheRules(t *testing.T) {
	rules := &oddJudge{}
	for _, cam := range []*config.Camera{{}, {Quality: &config.Quality{}}} {
		if NewGauge(cam, rules, PictureWatch{}) != pipeline.Judge(rules) {
			t.Errorf("%+v: the rules are not asked alone", cam.Quality)
		}
	}
	two := 2
	g := NewGauge(&config.Camera{Quality: &config.Quality{Frozen: &two}}, nil, PictureWatch{Outside: func([]edged.Reason) {}, Changed: func(PictureChange) {}})
	if r := look(t, g, greyFrame(9, time.Now())); r.Verdict != "" {
		t.Errorf("a good picture without rules: %q", r.Verdict)
	}
	if r := look(t, g, greyFrame(9, time.Now())); r.Verdict != pipeline.Unsure || r.Reasons[0].Kind != "frozen" {
		t.Errorf("the same again: %q, %v", r.Verdict, r.Reasons)
	}
}
