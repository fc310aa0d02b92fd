package main

import (
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/train/nets"
)

// A report tells what the machine is and has a row for each engine and number of threads.
func TestBenchReport(t *testing.T) {
	path := daemontest.DenseFile(t, t.TempDir(), nets.ValidInt8, 48, 56)
	root := machine(map[string]string{
		"proc/device-tree/model": "Raspberry Pi 5\x00", "proc/cpuinfo": "CPU implementer : 0x41\nCPU part : 0xd0b\n",
		"sys/class/thermal/thermal_zone0/temp": "61000", "sys/class/thermal/cooling_device0/type": "cpufreq-cpu0", "sys/class/thermal/cooling_device0/cur_state": "1",
	})
	var out strings.Builder
	if err := runReport(&out, []string{path}, root, &benchOptions{runs: 2}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"- board: Raspberry Pi 5\n", "- processor: Cortex-A76, ", "- before: 61 °C, held down by heat\n", "- after: 61 °C", " | 1 | go "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestBenchReportOfNothing(t *testing.T) {
	code, _, errs := runEdged("bench", "--report", t.TempDir()+"/none.tflite")
	if code != exitFailed || !strings.Contains(errs, "none.tflite") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, errs := runEdged("bench", "--report", "--steps", "--engine", "go", "x.tflite"); code != exitUsage || !strings.Contains(errs, "--report") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
