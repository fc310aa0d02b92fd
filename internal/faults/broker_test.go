//go:build faults

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// outage is how long a fault lasts in the whole run and in the short selection.
func outage(long, short time.Duration) time.Duration {
	if Full() {
		return long
	}
	return short
}

// brokerBack waits for a result after the broker is back and says when it came.
func (r *Rig) brokerBack(down time.Time) {
	r.T.Helper()
	back := time.Now()
	limit := afterBroker(back.Sub(down))
	took := r.Rec.Resumes(r.T, "c0", back, limit)
	r.T.Logf("recovery %v after an outage of %v, deadline %v", took.Round(time.Millisecond), back.Sub(down).Round(time.Millisecond), limit.Round(time.Millisecond))
}

// rest lets the link live for the 5 s after which its loss is no failure. Links
// that break sooner make the client's pauses longer and longer, as they should,
// and the deadline of a single outage does not hold for a series of them.
func (r *Rig) rest() { time.Sleep(outage(6*time.Second, 0)) }

// A broker that has forgotten everything is told everything again.
func (r *Rig) toldAgain() {
	r.T.Helper()
	fresh := mqtttest.NewAuditor(r.T, r.Broker.Addr(), nil)
	mqtttest.Until(r.T, 5*time.Second, "everything retained", func() bool {
		return fresh.Last("edged/n/status") == mqtt.Online && fresh.Last("edged/n/c0/status") == mqtt.Online &&
			fresh.Last("edged/n/c0/enabled/state") == "ON" && fresh.Last("edged/n/info") != ""
	})
}

func TestBrokerKilled(t *testing.T) {
	r := NewRig(t, Setup{})
	r.Settle()
	for range Rounds() {
		r.rest()
		down := time.Now()
		r.Broker.Kill()
		r.Rec.BrokerDied()
		time.Sleep(400 * time.Millisecond)
		r.Broker.Start()
		r.brokerBack(down)
	}
	r.Returned()
	r.Close()
}

func TestBrokerRestartedWithoutPersistence(t *testing.T) {
	r := NewRig(t, Setup{})
	r.Settle()
	for range Rounds() {
		r.rest()
		down := time.Now()
		r.Broker.Stop()
		r.Rec.BrokerDied()
		time.Sleep(outage(5*time.Second, time.Second))
		r.Broker.Start()
		r.brokerBack(down)
		r.toldAgain()
	}
	r.Returned()
	r.Close()
}

func TestBrokerFrozen(t *testing.T) {
	r := NewRig(t, Setup{})
	r.Settle()
	for range Rounds() {
		r.rest()
		down := time.Now()
		r.Broker.Freeze()
		time.Sleep(outage(20*time.Second, 3*time.Second))
		r.Broker.Thaw()
		r.brokerBack(down)
	}
	r.Returned()
	r.Close()
}

func TestBrokerAbsentAtStart(t *testing.T) {
	for range Rounds() {
		gate := NewGate(t)
		r := NewRig(t, Setup{URL: gate.URL(), Later: true})
		r.Record()
		down := time.Now()
		r.Daemon.Start()
		mqtttest.Until(t, time.Minute, "the missing broker to be said", func() bool { return strings.Contains(r.Daemon.Log(), "no broker answers") })
		time.Sleep(outage(10*time.Second, time.Second))
		if v := r.Rec.Last("edged/n/info"); v != "" {
			t.Fatal("the broker was there all along")
		}
		gate.Open(r.Broker.Addr())
		r.brokerBack(down)
		if n := strings.Count(r.Daemon.Log(), "no broker answers"); n != 1 {
			t.Errorf("the missing broker was said %d times", n)
		}
		r.Close()
	}
}

func TestHalfOpenConnection(t *testing.T) {
	b := mqtttest.StartBroker(t, "max_queued_messages 0")
	p := mqtttest.NewProxy(t, b.Addr())
	r := NewRig(t, Setup{On: b, URL: p.URL()})
	r.Settle()
	for range Rounds() {
		r.rest()
		down := time.Now()
		p.Hole()
		// Until the daemon has noticed, whatever that takes: its page tells.
		mqtttest.Until(t, 20*time.Second, "the dead link to be noticed", func() bool {
			m, err := r.Daemon.Metrics()
			return err == nil && m["edged_mqtt_connected"] == 0
		})
		t.Logf("noticed after %v", time.Since(down).Round(time.Millisecond))
		p.Heal()
		r.brokerBack(down)
	}
	r.Returned()
	r.Close()
}

func TestBrokerTakesSmallPacketsOnly(t *testing.T) {
	for range Rounds() {
		r := NewRig(t, Setup{Broker: []string{"max_packet_size 3000"}, Sources: []string{"test:belt?fps=10"}, H: 480, W: 640, Later: true})
		r.Record()
		r.Daemon.Start()
		begin := time.Now()
		mqtttest.Until(t, 90*time.Second, "the limit to be learned", func() bool {
			s, ok := r.Rec.Stats()
			return ok && s.Link.PayloadLimit < 3000 && s.Link.Degraded["coarser"]+s.Link.Degraded["zstd"] > 0
		})
		t.Logf("learned after %v", time.Since(begin).Round(time.Millisecond))
		before, _ := r.Rec.Stats()
		r.Rec.Resumes(t, "c0", time.Now(), 10*time.Second)
		time.Sleep(outage(15*time.Second, 11*time.Second)) // over the next stats
		after, _ := r.Rec.Stats()
		if after.Link.Connections != before.Link.Connections || after.TS == before.TS {
			t.Errorf("the connection broke again: %d, then %d connections", before.Link.Connections, after.Link.Connections)
		}
		r.Close()
	}
}

// secret is a password that must not be seen anywhere.
const secret = "pass-0f1e2d3c"

// users writes mosquitto's password file.
func users(t *testing.T, file string, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		args := []string{"-b", file, pairs[i], pairs[i+1]}
		if i == 0 {
			args = append([]string{"-c"}, args...)
		}
		if out, err := exec.Command("mosquitto_passwd", args...).CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_passwd: %v: %s", err, out)
		}
	}
}

func TestWrongPassword(t *testing.T) {
	for range Rounds() {
		dir := t.TempDir()
		file, pw := filepath.Join(dir, "users"), filepath.Join(dir, "pw")
		users(t, file, "line1", secret, "rec", "rec")
		write(t, pw, "not-the-password\n")
		r := NewRig(t, Setup{Broker: []string{"allow_anonymous false", "password_file " + file},
			MQTT: "username = \"line1\"\npassword_file = \"" + pw + "\"", Later: true})
		r.Rec = NewRecorder(t, r.Broker.Addr(), func(o *paho.ClientOptions) { o.SetUsername("rec").SetPassword("rec") })
		down := time.Now()
		r.Daemon.Start()
		mqtttest.Until(t, time.Minute, "the refusal to be said", func() bool { return strings.Contains(r.Daemon.Log(), "refuses user or password") })
		time.Sleep(outage(6*time.Second, time.Second))
		write(t, pw, secret+"\n")
		r.brokerBack(down)
		if n := strings.Count(r.Daemon.Log(), "refuses user or password"); n != 1 {
			t.Errorf("the refusal was said %d times", n)
		}
		r.Close()
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The daemon comes to a listener whose certificate has expired, and later, at
// the same address, to one with a good one. The subscriber is on a third.
func TestExpiredCertificate(t *testing.T) {
	for range Rounds() {
		ca := mqtttest.NewAuthority(t, t.TempDir())
		listener := func(name string, until time.Duration) (addr, lines string) {
			cert, key := ca.Sign(name, time.Now().Add(until))
			port := mqtttest.FreePort(t)
			return fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("listener %d 127.0.0.1\ncertfile %s\nkeyfile %s", port, cert, key)
		}
		expired, lines1 := listener("old", -time.Hour)
		good, lines2 := listener("new", time.Hour)
		gate := NewGate(t)
		gate.Open(expired)
		r := NewRig(t, Setup{Broker: []string{lines1, lines2}, URL: "ssl://" + gate.Addr(), MQTT: fmt.Sprintf("ca = %q", ca.File), Later: true})
		r.Record()
		down := time.Now()
		r.Daemon.Start()
		mqtttest.Until(t, time.Minute, "the certificate to be refused", func() bool {
			return strings.Contains(r.Daemon.Log(), "certificate is not valid at this time")
		})
		time.Sleep(outage(6*time.Second, time.Second))
		gate.Turn(good)
		r.brokerBack(down)
		r.Close()
	}
}
