//go:build faults

package faults

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"edged/capture/cameratest"
)

// mostOfAWorker is what a hostile camera may cost: its own worker, and no more of it.
const mostOfAWorker = 400 << 20

// peakOf is the largest resident set that a process has had, 0 where it is gone.
func peakOf(pid int) (peak int64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(b)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			peak = kb << 10
		}
	}
	return peak
}

// hostileModes are those of the short selection, or all.
func hostileModes() ([]string, time.Duration) {
	if Full() {
		return cameratest.HostileModes(), 4 * time.Second
	}
	return []string{"2 GB of a picture", "one endless header", "65500x65500 at once", "8000x8000 at once", "mutated"}, time.Second
}

// A camera that misbehaves in every manner costs its own worker, within bounds: the
// daemon, the camera beside it and the ledger are unmoved, and it is back as soon as
// it behaves.
func TestHostileCamera(t *testing.T) {
	camera := cameratest.StartHostile(t, 96, 80)
	r := NewRig(t, Setup{Sources: []string{camera.URL(), Belt}})
	r.Settle()
	modes, during := hostileModes()
	for range Rounds() {
		for _, mode := range modes {
			begin, other := time.Now(), r.Rec.Latest("c1").Seq
			camera.Become(mode)
			peak := int64(0)
			for time.Since(begin) < during {
				for _, pid := range r.Daemon.Workers() {
					peak = max(peak, peakOf(pid))
				}
				time.Sleep(20 * time.Millisecond)
			}
			if !r.Daemon.Running() {
				t.Fatalf("%s: the daemon has ended", mode)
			}
			if peak > mostOfAWorker {
				t.Errorf("%s: the worker took %d MB", mode, peak>>20)
			}
			r.notSlowed("c1", other, time.Since(begin))
			t.Logf("%s: worker %d MB", mode, peak>>20)
		}
		camera.Become("")
		r.Await()
	}
	if strings.Contains(r.Daemon.Log(), "root:") {
		t.Error("what a camera pointed at was read")
	}
	r.Returned()
	r.Close()
}
