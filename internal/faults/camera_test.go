//go:build faults

package faults

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/capture/cameratest"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// goesOffline waits until the status topic says that camera c0 is away.
func (r *Rig) goesOffline(limit time.Duration) {
	r.T.Helper()
	begin := time.Now()
	mqtttest.Until(r.T, limit, "offline on the camera's status topic", func() bool { return r.Rec.Last("edged/n/c0/status") == mqtt.Offline })
	r.T.Logf("offline after %v", time.Since(begin).Round(time.Millisecond))
}

// cameraBack waits for a result after the camera is back.
func (r *Rig) cameraBack() {
	r.T.Helper()
	took := r.Rec.Resumes(r.T, "c0", time.Now(), afterCamera)
	r.T.Logf("recovery %v, deadline %v", took.Round(time.Millisecond), afterCamera)
	mqtttest.Until(r.T, 10*time.Second, "online on the camera's status topic", func() bool { return r.Rec.Last("edged/n/c0/status") == mqtt.Online })
}

func TestWorkerSignals(t *testing.T) {
	camera := cameratest.StartMJPEG(t, "", 96, 80, 25)
	r := NewRig(t, Setup{Sources: []string{camera.URL(), Belt}})
	r.Settle()
	for range Rounds() {
		for _, sig := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGSTOP} {
			workers := r.Daemon.Workers()
			if len(workers) != 1 {
				t.Fatalf("workers %v, want one", workers)
			}
			hit, other := time.Now(), r.Rec.Latest("c1").Seq
			if err := syscall.Kill(workers[0], sig); err != nil {
				t.Fatal(err)
			}
			mqtttest.Until(t, 20*time.Second, sig.String()+" to be noticed", func() bool {
				now := r.Daemon.Workers()
				return len(now) == 1 && now[0] != workers[0]
			})
			t.Logf("%v: a new worker after %v", sig, time.Since(hit).Round(time.Millisecond))
			r.cameraBack()
			r.notSlowed("c1", other, time.Since(hit))
		}
	}
	r.Returned()
	r.Close()
}

// notSlowed checks that a camera of 25 frames a second went on meanwhile. Half
// of its frames are enough: this machine may be busy with other things.
func (r *Rig) notSlowed(cam string, from uint64, during time.Duration) {
	r.T.Helper()
	if n := r.Rec.Latest(cam).Seq - from; float64(n) < 12*during.Seconds() {
		r.T.Errorf("camera %s gave %d results in %v while another was in trouble", cam, n, during)
	}
}

// rtsp is a rig on an RTSP server with a publisher.
func rtsp(t *testing.T) (r *Rig, server *cameratest.Process, publish func(size string) *cameratest.Process) {
	t.Helper()
	address := cameratest.FreeAddress(t)
	url := "rtsp://" + address + "/cam"
	server = cameratest.StartRTSP(t, address)
	publish = func(size string) *cameratest.Process { return cameratest.Publish(t, url, size) }
	r = NewRig(t, Setup{Sources: []string{url}, Later: true})
	return r, server, publish
}

func (r *Rig) begin() {
	r.T.Helper()
	r.Record()
	r.Daemon.Start()
	r.Await()
}

func TestRTSPPublisherKilled(t *testing.T) {
	r, _, publish := rtsp(t)
	publisher := publish("320x240")
	r.begin()
	r.Settle()
	for i := range Rounds() {
		publisher.Kill()
		r.goesOffline(15 * time.Second)
		publisher = publish([]string{"400x304", "176x144", "320x240"}[i]) // a camera that was replaced
		r.cameraBack()
	}
	r.Returned()
	r.Close()
}

func TestRTSPServerStopped(t *testing.T) {
	r, server, publish := rtsp(t)
	publish("320x240")
	r.begin()
	r.Settle()
	for range Rounds() {
		server.Signal(syscall.SIGSTOP)
		r.goesOffline(5 * time.Second) // the deadline of a read, although the decoder still has frames to give
		server.Signal(syscall.SIGCONT)
		r.cameraBack()
	}
	r.Returned()
	r.Close()
}

// An address that takes connections and never answers, and then is a camera.
func TestBlackHole(t *testing.T) {
	for range Rounds() {
		address := cameratest.FreeAddress(t)
		stop := cameratest.StartBlackHole(t, address)
		r := NewRig(t, Setup{Sources: []string{"rtsp://" + address + "/cam"}, Later: true})
		r.Record()
		r.Daemon.Start()
		begin := time.Now()
		mqtttest.Until(t, 30*time.Second, "the silence to be noticed", func() bool { return strings.Contains(r.Daemon.Log(), "camera offline") })
		t.Logf("noticed after %v", time.Since(begin).Round(time.Millisecond))
		stop()
		cameratest.StartRTSP(t, address)
		cameratest.Publish(t, "rtsp://"+address+"/cam", "320x240")
		r.cameraBack()
		r.Close()
	}
}

// refused is how many frames of camera c0 were refused.
func (r *Rig) refused() float64 {
	r.T.Helper()
	return r.metric(`edged_frames_total{camera="c0",fate="refused"}`)
}

func (r *Rig) metric(name string) float64 {
	r.T.Helper()
	m, err := r.Daemon.Metrics()
	if err != nil {
		r.T.Fatal(err)
	}
	return m[name]
}

// Pictures of another size in the middle of a stream, larger and smaller, and
// too small for the model: that is an error, never a silent resize.
func TestSizeChange(t *testing.T) {
	camera := cameratest.StartMJPEG(t, "", 96, 80, 25)
	r := NewRig(t, Setup{Sources: []string{camera.URL()}})
	r.Settle()
	for range Rounds() {
		for _, size := range [][2]int64{{640, 360}, {64, 64}, {32, 24}, {96, 80}} {
			refused := r.refused()
			camera.Width.Store(size[0])
			camera.Height.Store(size[1])
			changed := time.Now()
			if size[0] < 56 {
				mqtttest.Until(t, 20*time.Second, "frames too small to be refused", func() bool { return r.refused() > refused+5 })
				continue
			}
			want := fmt.Sprintf(`"frame":{"w":%d,"h":%d}`, size[0], size[1])
			mqtttest.Until(t, afterCamera, "a result with "+want, func() bool { return strings.Contains(r.Rec.Last("edged/n/c0/result"), want) })
			t.Logf("%dx%d: recovery %v", size[0], size[1], time.Since(changed).Round(time.Millisecond))
		}
	}
	if r.metric(`edged_camera_noticed_total{camera="c0",what="size_changes"}`) == 0 {
		t.Error("no change of size was counted")
	}
	r.Returned()
	r.Close()
}

// The same picture, byte for byte, for longer than any still scene gives it.
func TestFrozenPicture(t *testing.T) {
	camera := cameratest.StartMJPEG(t, "", 96, 80, 25)
	r := NewRig(t, Setup{Sources: []string{camera.URL()}})
	r.Settle()
	for range Rounds() {
		camera.Still.Store(true)
		r.goesOffline(60 * time.Second)
		camera.Still.Store(false)
		r.cameraBack()
	}
	if r.metric(`edged_frames_refused_total{camera="c0",reason="frozen"}`) == 0 {
		t.Error("no frozen frame was refused")
	}
	r.Returned()
	r.Close()
}

// The connection stands, nothing comes.
func TestStreamStalls(t *testing.T) {
	camera := cameratest.StartMJPEG(t, "", 96, 80, 25)
	r := NewRig(t, Setup{Sources: []string{camera.URL()}})
	r.Settle()
	for range Rounds() {
		camera.Silent.Store(true)
		r.goesOffline(20 * time.Second)
		camera.Silent.Store(false)
		r.cameraBack()
	}
	r.Returned()
	r.Close()
}
