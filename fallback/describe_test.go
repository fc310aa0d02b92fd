package fallback

import (
	"bytes"
	"testing"
	"time"

	"edged"
)

func TestDescribe(t *testing.T) {
	data := smallNet(t, 64)
	info, err := Describe(data, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	e := open(t, data, edged.Options{Threads: 1}).(*Engine)
	if info.Engine != e.Name() || info.ArenaBytes != e.ArenaBytes() || info.ArenaBytes == 0 || info.FixedBytes == 0 {
		t.Errorf("described %+v, the engine is %s with %d", info, e.Name(), e.ArenaBytes())
	}
	seen := map[int]bool{}
	for _, s := range info.Steps {
		if s.Name == "" || s.Kernel == "" || s.Units < 1 {
			t.Errorf("step %+v", s)
		}
		seen[s.Operator] = true
	}
	const want = 6 // a convolution takes the ADD
	if len(seen) != want {
		t.Errorf("steps of %d operators, want %d: %+v", len(seen), want, info.Steps)
	}
	if _, err := Describe(data[:100], edged.Options{}); err == nil {
		t.Error("a file cut short was described")
	}
}

func TestRunTimedComputesWhatRunDoes(t *testing.T) {
	data := smallNet(t, 64)
	plain, timed := open(t, data, edged.Options{Threads: 1}), open(t, data, edged.Options{Threads: 1}).(*Engine)
	if err := plain.Run(); err != nil {
		t.Fatal(err)
	}
	steps := timed.Steps()
	took := make([]time.Duration, len(steps))
	if err := timed.RunTimed(took); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(plain.Output(0), timed.Output(0)) {
		t.Error("another result with the clock")
	}
	for i, s := range steps {
		if took[i] <= 0 || s.Bytes == 0 {
			t.Errorf("step %+v took %v", s, took[i])
		}
		if want := int64(32 * 32 * 16 * 27); s.Operator == 0 && s.MACs != 0 && s.MACs != want {
			t.Errorf("%d MACs, want %d", s.MACs, want)
		}
	}
}
