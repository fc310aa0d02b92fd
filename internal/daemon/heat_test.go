package daemon

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
)

// The first look at a processor that is held down says so with the cure, later ones
// do not; each time that it begins counts.
func TestHeldDownIsSaidOnce(t *testing.T) {
	var log bytes.Buffer
	state := &fstest.MapFile{Data: []byte("0\n")}
	h := heat{log: slog.New(slog.NewTextHandler(&log, nil)), root: fstest.MapFS{
		"sys/class/thermal/thermal_zone0/temp":         {Data: []byte("84000\n")},
		"sys/class/thermal/thermal_zone0/type":         {Data: []byte("cpu-thermal\n")},
		"sys/class/thermal/cooling_device0/type":       {Data: []byte("cpufreq-cpu0\n")},
		"sys/class/thermal/cooling_device0/cur_state":  state,
		"sys/class/hwmon/hwmon0/in0_lcrit_alarm":       {Data: []byte("0\n")},
		"sys/devices/system/cpu/cpufreq/policy0/other": {Data: []byte("0\n")},
	}}
	for i, step := range []struct {
		level string
		times uint64
		lines int
	}{{"0", 0, 0}, {"2", 1, 1}, {"1", 1, 1}, {"0", 1, 2}, {"3", 2, 3}} {
		state.Data = []byte(step.level)
		got, times := h.look()
		if lines := strings.Count(log.String(), "\n"); times != step.times || lines != step.lines || got.Celsius != 84 || (len(got.Causes) > 0) != (step.level != "0") {
			t.Errorf("step %d: %+v, %d times, log\n%s", i, got, times, log.String())
		}
	}
	if s := log.String(); !strings.Contains(s, "heat sink") || !strings.Contains(s, "free again") {
		t.Errorf("log:\n%s", s)
	}
}

func TestWrittenBytes(t *testing.T) {
	for text, want := range map[string]float64{"rchar: 5\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n": 8192, "write_bytes: x\n": -1, "": -1} {
		n, ok := writtenBytes(fstest.MapFS{"proc/self/io": {Data: []byte(text)}})
		if ok != (want >= 0) || ok && n != want {
			t.Errorf("%q: %v, %v", text, n, ok)
		}
	}
	if _, ok := writtenBytes(fstest.MapFS{}); ok {
		t.Error("a number of nothing")
	}
}
