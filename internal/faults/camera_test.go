//go:build faults

package faults

import (
	"syscall"
	"testing"
	"time"

	"edged/capture/cameratest"
	"edged/mqtt/mqtttest"
)

func TestWorkerSignals(t *testing.T) {
	camera := cameratest.StartMJPEG(t, "", 96, 80, 25)
	r := NewRig(t, Setup{Sources: []string{camera.URL()}})
	r.Settle()
	for range Rounds() {
		for _, sig := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGSTOP} {
			workers := r.Daemon.Workers()
			if len(workers) != 1 {
				t.Fatalf("workers %v, want one", workers)
			}
			hit := time.Now()
			if err := syscall.Kill(workers[0], sig); err != nil {
				t.Fatal(err)
			}
			mqtttest.Until(t, 20*time.Second, sig.String()+" to be noticed", func() bool {
				now := r.Daemon.Workers()
				return len(now) == 1 && now[0] != workers[0]
			})
			noticed := time.Now()
			took := r.Rec.Resumes(t, "c0", noticed, afterCamera)
			t.Logf("%v: a new worker after %v, a result %v later", sig, noticed.Sub(hit).Round(time.Millisecond), took.Round(time.Millisecond))
		}
	}
	r.Returned()
	r.Close()
}
