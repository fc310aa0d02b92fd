//go:build faults

package faults

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"edged/capture/cameratest"
	"edged/mqtt"
)

// gigeSource is aravis' fake camera, but for its height.
const gigeSource = "gige:EDGED1?PixelFormat=Mono8&Width=128"

// withoutRawSockets starts a daemon that has no packet sockets, which see nothing on
// the loopback interface and which aravis prefers.
var withoutRawSockets = []string{"setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"}

// A GigE Vision camera that loses its power and comes back, and the ledger.
func TestGigEGone(t *testing.T) {
	camera := cameratest.StartGigE(t, "EDGED1")
	r := NewRig(t, Setup{Sources: []string{gigeSource + "&Height=96", Belt}, Wrap: withoutRawSockets})
	r.Settle()
	for range Rounds() {
		other := r.Rec.Latest("c1").Seq
		r.comes("online on the camera's status topic", func() bool { return r.Rec.Last("edged/n/c0/status") == mqtt.Online })
		camera.Kill()
		r.goesOffline(60e9)
		camera = cameratest.StartGigE(t, "EDGED1")
		r.Await()
		if r.Rec.Latest("c1").Seq == other {
			t.Error("the other camera stood still")
		}
	}
	r.Returned()
	r.Close()
}

// A camera that takes a picture when edged sends the command: each trigger over MQTT
// has its picture, whatever the pauses between, and none is taken for anybody else.
func TestGigECommand(t *testing.T) {
	cameratest.StartGigE(t, "EDGED1")
	pauses := []time.Duration{200 * time.Millisecond, 2500 * time.Millisecond, 0}
	if Full() {
		pauses = append(pauses, 6*time.Second, 30*time.Second, 200*time.Millisecond, 12*time.Second, 0)
	}
	r := NewRig(t, Setup{
		Sources: []string{gigeSource + "&Height=96&TriggerMode=On&TriggerSource=Software"},
		Camera:  `trigger = "mqtt"`, Wrap: withoutRawSockets, Later: true,
	})
	r.Record()
	parts := r.Rec.Parts()
	r.Daemon.Start()
	r.comes("the camera", func() bool { return r.Rec.Last("edged/n/c0/status") == mqtt.Online })
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	go view(ctx, r.Daemon.HTTP) // the camera takes no picture for who looks at the page
	time.Sleep(1500 * time.Millisecond)
	n := uint64(0)
	for range Rounds() {
		for _, pause := range pauses {
			asked := time.Now()
			n++
			r.Rec.Send("edged/n/request/trigger", fmt.Sprintf(`{"transaction":"t%d","camera":"c0","part_id":"p%[1]d"}`, n))
			r.comes("its result", func() bool { return r.Rec.Latest("c0").Seq >= n })
			if taken := r.Rec.Latest("c0").TS; taken.Before(asked.Truncate(time.Millisecond)) {
				t.Errorf("part %d: a picture of %v before its trigger", n, asked.Sub(taken))
			}
			time.Sleep(pause)
		}
	}
	parts.EachOnce(t, "c0", int(n), false)
	if others := r.metric(`edged_frames_total{camera="c0",fate="passed_over"}`) + r.refused(); others > 1 { // the opening's
		t.Errorf("%v pictures were taken for nobody", others)
	}
	if !strings.Contains(r.Rec.Last("edged/n/c0/result"), `"frame_number":`) {
		t.Error("the result lacks the camera's number of the frame")
	}
	if strings.Contains(r.Daemon.Log(), "camera offline") {
		t.Error("the camera was called offline")
	}
	r.Close()
}
