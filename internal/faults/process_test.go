//go:build tools && tflite

package faults

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// A daemon that is killed at any moment leaves no gap that the subscriber cannot
// account for, and its events reach the broker in the end.
func TestKilledAtRandomPoints(t *testing.T) {
	b := steady(t)
	d := newDaemon(t, b.URL())
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	for i := range 2 + 3*rounds() {
		d.start()
		if i == 0 {
			d.resumes(a, 20*time.Second)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(2 * time.Second))))
		d.kill()
		mqtttest.Until(t, 10*time.Second, "the last will", func() bool {
			s := a.Last("edged/n1/status")
			return s == mqtt.Offline || s == ""
		})
	}
	d.start()
	d.resumes(a, 20*time.Second)
	d.stop()
	complete(t, a)
	if !strings.Contains(a.Last("edged/n1/info"), `"clean":false`) {
		t.Errorf("info does not tell of the kill: %s", a.Last("edged/n1/info"))
	}
}

func TestTerminatedUnderLoad(t *testing.T) {
	for range rounds() {
		b := steady(t)
		d := newDaemon(t, b.URL())
		a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
		d.start()
		d.resumes(a, 20*time.Second)
		time.Sleep(500 * time.Millisecond)
		d.stop()
		agrees(t, a)
	}
}

// The spool's disk is full while the broker is away: events are kept in memory,
// the trouble is said once, and nothing else suffers.
func TestFullDisk(t *testing.T) {
	for range rounds() {
		b := mqtttest.NewBroker(t, "max_queued_messages 0")
		d := newDaemon(t, b.URL())
		spool := filepath.Join(d.dir, "spool")
		if err := os.MkdirAll(spool, 0o700); err != nil {
			t.Fatal(err)
		}
		// One page of disk, in a mount of the daemon's own, and that one taken.
		d.prefix = []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=4k tmpfs "$0" && head -c 4096 /dev/zero >"$0/filler" && exec "$@"`, spool}
		if os.Geteuid() != 0 {
			d.prefix = append([]string{"unshare", "-Ur"}, d.prefix[1:]...)
		}
		d.start()
		mqtttest.Until(t, 60*time.Second, "the full disk to be said\n"+d.text(), func() bool { return strings.Contains(d.text(), "cannot be written to the spool") })
		b.Start()
		a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
		d.resumes(a, back(30*time.Second))
		if s := freshStats(t, a); s.Link.SpoolErrors == 0 {
			t.Error("no spool error is counted")
		}
		d.stop()
		agrees(t, a)
	}
}
