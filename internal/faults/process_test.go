//go:build faults

package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/sys/unix"

	"edged/capture/cameratest"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// A daemon that is killed at any moment leaves no gap that the subscriber
// cannot account for, and the next run says that the stop was not clean.
func TestKilledAtRandomPoints(t *testing.T) {
	r := NewRig(t, Setup{})
	for i := range 2 + 3*Rounds() {
		time.Sleep(time.Duration(rand.Int64N(int64(2 * time.Second))))
		r.Daemon.Kill()
		mqtttest.Until(t, 10*time.Second, "the last will", func() bool { return r.Rec.Last("edged/n/status") != mqtt.Online })
		begin := time.Now()
		r.Daemon.Start()
		if i%2 == 0 { // else it is killed on its way up
			took := r.Rec.Resumes(t, "c0", begin, 10*time.Second)
			t.Logf("results %v after the start", took.Round(time.Millisecond))
			if info := r.Rec.Last("edged/n/info"); !strings.Contains(info, `"clean":false`) {
				t.Errorf("info does not tell of the kill: %s", info)
			}
		}
	}
	r.Await()
	r.Close()
}

func TestTerminatedUnderLoad(t *testing.T) {
	r := NewRig(t, Setup{Sources: []string{"test:belt?size=96x80&fps=0", "test:belt?size=96x80&fps=0&seed=9"}})
	for i := range Rounds() {
		if i > 0 {
			r.Daemon.Start()
			r.Await()
		}
		time.Sleep(500 * time.Millisecond)
		r.Close()
	}
}

// SIGTERM while the broker is away: events are spooled, and the next run
// delivers them.
func TestTerminatedWithoutBroker(t *testing.T) {
	b := mqtttest.StartBroker(t, "max_queued_messages 0")
	p := mqtttest.NewProxy(t, b.Addr())
	r := NewRig(t, Setup{On: b, URL: p.URL()})
	for range Rounds() {
		p.Hole()
		time.Sleep(3 * time.Second) // verdict events gather
		t.Logf("stopped in %v", r.Daemon.Stop().Round(time.Millisecond))
		p.Heal()
		r.Daemon.Start()
		r.Await()
	}
	r.Close()
	for _, b := range r.Rec.Audit(t) {
		if b.Kind == mqtt.KindEvent && b.Seen == 0 {
			t.Errorf("no event of run %s came", b.Run)
		}
	}
}

// The spool's disk is full: events are kept in memory, the trouble is said, and
// nothing else suffers.
func TestFullDisk(t *testing.T) {
	for range Rounds() {
		gate := NewGate(t)
		r := NewRig(t, Setup{URL: gate.URL(), Later: true})
		if err := os.MkdirAll(r.State, 0o700); err != nil {
			t.Fatal(err)
		}
		// One page of disk, in a mount of the daemon's own, and that one taken.
		r.Daemon.Wrap = []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=4k tmpfs "$0" && head -c 4096 /dev/zero >"$0/filler" && exec "$@"`, r.State}
		if os.Geteuid() != 0 {
			r.Daemon.Wrap = append([]string{"unshare", "-Ur"}, r.Daemon.Wrap[1:]...)
		}
		r.Record()
		down := time.Now()
		r.Daemon.Start()
		mqtttest.Until(t, time.Minute, "the full disk to be said", func() bool { return strings.Contains(r.Daemon.Log(), "cannot be written to the spool") })
		gate.Open(r.Broker.Addr())
		r.brokerBack(down)
		mqtttest.Until(t, 20*time.Second, "a spool error in stats", func() bool { s, ok := r.Rec.Stats(); return ok && s.Link.SpoolErrors > 0 })
		r.Close()
	}
}

// No descriptor is left when the connection breaks: the daemon cannot connect,
// says so, and does when there are some again.
func TestDescriptorsExhausted(t *testing.T) {
	b := mqtttest.StartBroker(t, "max_queued_messages 0")
	p := mqtttest.NewProxy(t, b.Addr())
	r := NewRig(t, Setup{On: b, URL: p.URL()})
	r.Settle()
	for range Rounds() {
		r.rest()
		down := time.Now()
		limitFiles(t, r.Daemon.PID(), 3)
		p.Cut()
		// Said the first time; the log folds what it repeats soon after.
		mqtttest.Until(t, 10*time.Second, "the lack to be said", func() bool {
			return strings.Contains(r.Daemon.Log(), "too many open files")
		})
		time.Sleep(2 * time.Second) // over the next attempt, 1.5 s at most after the cut
		limitFiles(t, r.Daemon.PID(), 1024)
		r.brokerBack(down)
	}
	mqtttest.Until(t, 15*time.Second, "each round's failed attempts in stats", func() bool {
		s, ok := r.Rec.Stats()
		return ok && s.Link.FailedAttempts >= uint64(Rounds())
	})
	r.Returned()
	r.Close()
}

func limitFiles(t *testing.T, pid int, files uint64) {
	t.Helper()
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: 1024}, nil); err != nil {
		t.Fatal(err)
	}
}

// Junk at 200 MB/s, or what this machine can do, on the command topics.
func TestJunkOnCommandTopics(t *testing.T) {
	r := NewRig(t, Setup{})
	r.Settle()
	for range Rounds() {
		before := r.Rec.Latest("c0")
		begin := time.Now()
		n := flood(t, r.Broker, outage(10*time.Second, 3*time.Second))
		took := time.Since(begin)
		during := r.Rec.Latest("c0").Seq - before.Seq
		t.Logf("%.0f MB/s of junk into the broker for %v, %d results meanwhile", float64(n)/1e6/took.Seconds(), took.Round(time.Millisecond), during)
		if during == 0 {
			t.Error("no result came during the flood")
		}
		r.brokerBack(begin)
	}
	mqtttest.Until(t, 20*time.Second, "dropped commands in stats", func() bool { s, ok := r.Rec.Stats(); return ok && s.Link.CommandsDropped > 0 })
	if n := strings.Count(r.Daemon.Log(), "commands arrive faster or larger"); n != 1 {
		t.Errorf("the flood was said %d times", n)
	}
	r.Returned()
	r.Close()
}

// flood sends junk from four clients and tells how many bytes went out.
func flood(t *testing.T, b *mqtttest.Broker, long time.Duration) int64 {
	t.Helper()
	var sent atomic.Int64
	var wg sync.WaitGroup
	junk := make([]byte, 100<<10)
	end := time.Now().Add(long)
	for i, topic := range []string{"edged/n/request/trigger", "edged/n/c0/enabled/set", "edged/n/request/junk", "edged/n/request/reload"} {
		c := paho.NewClient(paho.NewClientOptions().AddBroker(b.URL()).SetClientID(fmt.Sprint("flood", i)).SetProtocolVersion(4).SetAutoReconnect(false))
		if tok := c.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
			t.Fatal("flood:", tok.Error())
		}
		wg.Go(func() {
			defer c.Disconnect(100)
			for time.Now().Before(end) && c.IsConnectionOpen() {
				if c.Publish(topic, 0, false, junk).WaitTimeout(time.Second) {
					sent.Add(int64(len(junk)))
				}
			}
		})
	}
	wg.Wait()
	return sent.Load()
}

// SIGHUP again and again under load changes nothing when nothing has changed.
func TestHangUps(t *testing.T) {
	r := NewRig(t, Setup{})
	r.Settle()
	for range Rounds() {
		for range 20 {
			r.Daemon.Signal(syscall.SIGHUP)
			time.Sleep(20 * time.Millisecond)
		}
		r.Rec.Resumes(t, "c0", time.Now(), 2*time.Second)
	}
	r.Returned()
	r.Close()
}

// The wall clock jumps, forwards and back, also just behind a camera that was
// switched on: results go on, nothing is taken for stale or stuck, and the time in
// the results is the clock's.
func TestClockJump(t *testing.T) {
	camera := cameratest.StartMJPEG(t, "", 96, 80, 25)
	r := NewRig(t, Setup{Sources: []string{camera.URL()}, Later: true})
	r.Record()
	clock := r.Daemon.StartWithClock()
	mqtttest.Until(t, time.Minute, "results", func() bool { return r.Rec.Latest("c0").Seq > 5 })
	r.Settle()
	refused := r.refused()
	for range Rounds() {
		for _, jump := range []time.Duration{time.Hour, -2 * time.Hour, time.Hour} {
			for _, word := range []string{"OFF", "ON"} {
				r.Rec.Send("edged/n/c0/enabled/set", word)
				mqtttest.Until(t, time.Minute, word, func() bool { return r.Rec.Last("edged/n/c0/enabled/state") == word })
			}
			before := r.Rec.Latest("c0")
			clock.Jump(jump)
			jumped := time.Now()
			mqtttest.Until(t, 2*time.Second, "results in the new time", func() bool {
				now := r.Rec.Latest("c0")
				return now.Seq > before.Seq && (now.TS.Sub(before.TS)-jump).Abs() < time.Minute
			})
			t.Logf("jump of %v: recovery %v", jump, time.Since(jumped).Round(time.Millisecond))
			seq := r.Rec.Latest("c0").Seq
			time.Sleep(2 * time.Second)
			if n := r.Rec.Latest("c0").Seq - seq; n < 20 {
				t.Errorf("%d results in 2 s after a jump of %v", n, jump)
			}
		}
	}
	if clock.Asked() == 0 {
		t.Error("nobody has read the clock: the scenario shows nothing")
	}
	if n := r.refused() - refused; n > 3*float64(Rounds()) {
		t.Errorf("%v frames were refused for a clock that jumped", n)
	}
	if m, err := r.Daemon.Metrics(); err != nil || m["edged_mqtt_connected"] != 1 {
		t.Errorf("the broker's link: %v, %v", m["edged_mqtt_connected"], err)
	}
	r.Returned()
	r.Close()
}
