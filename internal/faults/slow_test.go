//go:build tools && tflite && faults

package faults

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/sys/unix"

	"edged/mqtt/mqtttest"
)

// The broker closes the connection at each mask: the daemon learns the limit,
// sends coarser masks, and stays connected.
func TestBrokerTakesSmallPacketsOnly(t *testing.T) {
	b := steady(t, "max_packet_size 3000")
	d := newDaemonWith(t, b.URL(), large)
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	d.start()
	mqtttest.Until(t, 60*time.Second, "the limit to be learned", func() bool {
		return strings.Contains(a.Last("edged/n1/stats"), `"coarser"`) && stats(t, a).Link.PayloadLimit < 3000
	})
	d.resumes(a, 30*time.Second)
	before := freshStats(t, a)
	time.Sleep(fault(0, 30*time.Second))
	after := freshStats(t, a)
	if after.Link.Connections != before.Link.Connections {
		t.Errorf("the connection broke again: %d, then %d connections", before.Link.Connections, after.Link.Connections)
	}
	if after.Link.Degraded["coarser"]+after.Link.Degraded["zstd"] == 0 {
		t.Errorf("no mask was made smaller: %v", after.Link.Degraded)
	}
	d.stop()
	complete(t, a)
}

// Junk at 200 MB/s, or what this machine can do, on the command topics.
func TestFloodOfJunk(t *testing.T) {
	b := mqtttest.StartBroker(t)
	d := newDaemon(t, b.URL())
	a := mqtttest.NewAuditor(t, b.Addr(), nil)
	d.start()
	d.resumes(a, 20*time.Second)
	before := freshStats(t, a)
	for range rounds() {
		bytes := flood(t, b, fault(3*time.Second, 10*time.Second))
		t.Logf("%d MB of junk", bytes>>20)
		d.resumes(a, back(10*time.Second))
	}
	after := freshStats(t, a)
	if after.Link.CommandsDropped == 0 {
		t.Error("no command was dropped")
	}
	if grown := after.Process["rss_bytes"] - before.Process["rss_bytes"]; grown > 64<<20 {
		t.Errorf("the daemon grew by %.0f MB", grown/(1<<20))
	}
	if n := strings.Count(d.text(), "commands arrive faster or larger"); n != 1 {
		t.Errorf("the flood was said %d times", n)
	}
	d.stop()
}

// flood sends junk from four clients and tells how many bytes went out.
func flood(t *testing.T, b *mqtttest.Broker, long time.Duration) int64 {
	t.Helper()
	var sent atomic.Int64
	var wg sync.WaitGroup
	junk := make([]byte, 100<<10)
	end := time.Now().Add(long)
	for i := range 4 {
		c := paho.NewClient(paho.NewClientOptions().AddBroker(b.URL()).SetClientID(fmt.Sprint("flood", i)).SetProtocolVersion(4).SetAutoReconnect(false))
		if tok := c.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
			t.Fatal("flood:", tok.Error())
		}
		topic := []string{"edged/n1/request/trigger", "edged/n1/cam/enabled/set", "edged/n1/request/junk", "edged/n1/request/reload"}[i]
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

// No descriptor is left when the connection breaks: the daemon cannot connect,
// says so, and does when there are some again. Nothing leaks over it.
func TestDescriptorsExhausted(t *testing.T) {
	b := steady(t)
	p := mqtttest.NewProxy(t, b.Addr())
	d := newDaemon(t, p.URL())
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	d.start()
	d.resumes(a, 20*time.Second)
	before := freshStats(t, a)
	for range rounds() {
		limit(t, d.cmd, 3)
		p.Cut()
		mqtttest.Until(t, 10*time.Second, "the lack to be said", func() bool { return strings.Contains(d.text(), "too many open files") })
		limit(t, d.cmd, 1024)
		d.resumes(a, back(10*time.Second))
	}
	time.Sleep(time.Second)
	after := freshStats(t, a)
	for figure, slack := range map[string]float64{"descriptors": 2, "goroutines": 4} {
		if grown := after.Process[figure] - before.Process[figure]; grown > slack {
			t.Errorf("%s: %.0f before, %.0f after", figure, before.Process[figure], after.Process[figure])
		}
	}
	d.stop()
	agrees(t, a)
}

func limit(t *testing.T, cmd *exec.Cmd, files uint64) {
	t.Helper()
	if err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: 1024}, nil); err != nil {
		t.Fatal(err)
	}
}
