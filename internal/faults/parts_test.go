//go:build faults

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/capture/cameratest"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// pausesOfALine are those between parts: in the whole fault run up to half a
// minute, else those of the case http_camera.py /trig.
func pausesOfALine() []time.Duration {
	pauses := []time.Duration{300, 300, 300, 300, 2000, 300, 300, 300, 2500, 300, 2000, 300}
	if Full() {
		pauses = []time.Duration{200, 200, 1000, 200, 6000, 200, 200, 30000, 200, 500, 12000, 300}
	}
	for i := range pauses {
		pauses[i] *= time.Millisecond
	}
	return pauses
}

// A camera behind a light barrier: no part is lost for coming after a pause, the
// first included, and the line's standing still is no fault of the camera's.
func TestTriggeredCamera(t *testing.T) {
	camera := cameratest.StartTriggered(t, "", 96, 80, pausesOfALine()...)
	r := NewRig(t, Setup{Sources: []string{camera.URL()}, Camera: `trigger = "camera"`})
	parts := int64(20 * Rounds())
	mqtttest.Until(t, 10*time.Minute, fmt.Sprintf("%d parts", parts), func() bool { return camera.Sent.Load() >= parts })
	mqtttest.Until(t, 20*time.Second, "their results", func() bool { return r.Rec.Latest("c0").Seq >= uint64(parts) })
	if n := strings.Count(r.Daemon.Log(), "camera offline"); n > 0 {
		t.Errorf("the camera was called offline %d times", n)
	}
	for _, e := range r.Rec.Events() {
		if e.Kind == mqtt.EventMissedTrigger {
			t.Errorf("event %q", e.Message)
		}
	}
	for _, fate := range []string{"refused", "passed_over"} {
		if n := r.metric(`edged_frames_total{camera="c0",fate="` + fate + `"}`); n != 0 {
			t.Errorf("%v parts %s", n, fate)
		}
	}
	r.Close()
}

// folderLoad is how many pictures a minute come into each folder, and for how long.
func folderLoad() (aMinute int, during time.Duration) {
	if Full() {
		return 1000, 5 * time.Minute
	}
	return 1000, 9 * time.Second
}

// fill puts n pictures into dir at a pace: some at once under another name and then
// renamed, some in two halves.
func fill(dir string, n int, pause time.Duration) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for i := range n {
		<-tick.C
		b := cameratest.Picture(96, 80, i)
		name := filepath.Join(dir, fmt.Sprintf("p%d.jpg", i))
		if i%2 == 0 {
			if err := os.WriteFile(name+".part", b, 0o644); err != nil {
				return err
			}
			if err := os.Rename(name+".part", name); err != nil {
				return err
			}
			continue
		}
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		f.Write(b[:len(b)/2])
		time.Sleep(pause / 4)
		f.Write(b[len(b)/2:])
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Folders under load, with a restart of the daemon in the middle: each picture is
// served once, and the ledgers are exact. The rounds run side by side.
func TestFoldersUnderLoad(t *testing.T) {
	var dirs []string
	for range Rounds() {
		dirs = append(dirs, t.TempDir())
	}
	r := NewRig(t, Setup{Sources: dirs, Later: true})
	r.Record()
	parts := r.Rec.Parts()
	r.Daemon.Start()
	aMinute, during := folderLoad()
	n := int(during.Minutes() * float64(aMinute))
	var wg sync.WaitGroup
	for _, dir := range dirs {
		wg.Go(func() {
			if err := fill(dir, n, time.Minute/time.Duration(aMinute)); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(during / 2)
	r.Daemon.Stop()
	r.Daemon.Start()
	wg.Wait()
	lossy := func() bool { return strings.Contains(r.Daemon.Log(), "connection to the broker lost") }
	defer func() {
		for i := range dirs {
			parts.EachOnce(t, fmt.Sprintf("c%d", i), n, lossy())
		}
	}()
	mqtttest.Until(t, 2*time.Minute, "a result of each picture", func() bool {
		for i := range dirs {
			if parts.Served(fmt.Sprintf("c%d", i)) < n {
				return false
			}
		}
		return true
	})
	time.Sleep(time.Second) // for one that would come twice
	r.Close()
}
