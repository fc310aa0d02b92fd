//go:build faults

package faults

import (
	"fmt"
	"strings"
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
