package rewrite

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged"
	"edged/fallback"
	"edged/model"
)

// slow is an engine each of whose runs takes at least so long, and counts.
type slow struct {
	edged.Engine
	takes time.Duration
	runs  *atomic.Int64
}

func (s *slow) Run() error {
	s.runs.Add(1)
	time.Sleep(s.takes)
	return s.Engine.Run()
}

// TestVerifyEndsInTime: of nets whose runs take long a sample is compared, which the
// report tells; every output has its share, and a wrong weight is still found.
func TestVerifyEndsInTime(t *testing.T) {
	for name, m := range map[string]*model.Model{"float32": poolNet(31, model.TypeFloat32, 60, 62), "int8": poolNet(32, model.TypeInt8, 60, 62), "windows": excitePatch()} {
		o := Options{}
		if name == "windows" {
			o = Options{Form: Windows, OutputStride: [2]int{4, 4}, Input: [2]int{60, 60}}
		}
		base, dense := filesOf(t, m, o)
		var runs atomic.Int64
		open := func(file []byte, o edged.Options) (edged.Engine, error) {
			e, err := fallback.Open(file, o)
			return &slow{e, time.Millisecond, &runs}, err
		}
		all, err := Verify(base, dense, fallback.Open, VerifyOptions{})
		if err != nil || all.Level != Proved || all.Sampled {
			t.Fatalf("%s: %+v, %v", name, all, err)
		}
		last := -1
		part, err := Verify(base, dense, open, VerifyOptions{Time: 10 * time.Millisecond, Progress: func(done, _ int) { last = max(last, done) }})
		if err != nil || part.Level != Proved || !part.Sampled || !strings.Contains(part.Note, "--time") {
			t.Fatalf("%s: %+v, %v", name, part, err)
		}
		if n := runs.Load(); n > 400 {
			t.Errorf("%s: %d runs", name, n)
		}
		if part.Positions == 0 || part.Positions >= all.Positions || len(part.Compared) < leastInputs || last < leastFirst/2 {
			t.Errorf("%s: %d of %d positions on %d inputs, progress up to %d", name, part.Positions, all.Positions, len(part.Compared), last)
		}
		loose, err := Verify(base, dense, fallback.Open, VerifyOptions{Time: time.Hour})
		if err != nil || loose.Sampled || loose.Positions != all.Positions {
			t.Errorf("%s: with time for all: %+v, %v", name, loose, err)
		}
	}
}

// filesOf are a net and its dense net, as files.
func filesOf(t *testing.T, m *model.Model, o Options) (base, dense []byte) {
	t.Helper()
	base, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	r, err := Rewrite(m, hashOf(base), o)
	if err != nil {
		t.Fatal(err)
	}
	if dense, err = r.Model.Write(); err != nil {
		t.Fatal(err)
	}
	return base, dense
}
