//go:build tools

package mqtt_test

import (
	"testing"
	"time"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// scenario runs a fault against a client under load, several times, and audits
// what the subscriber has got. The broker keeps the auditor's session: it is
// started with room for everything.
func scenario(t *testing.T, b *mqtttest.Broker, url string, fault func(r *rig, a *mqtttest.Auditor)) (*rig, *mqtttest.Auditor, mqtt.Ledger) {
	t.Helper()
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	log := &bytesLog{}
	r := newRig(t, quick(url, log), log)
	r.c.Start()
	r.load(5 * time.Millisecond)
	r.resumes(a)
	for range rounds() {
		fault(r, a)
		r.resumes(a)
	}
	l := r.close()
	mqtttest.Until(t, patience, "offline", func() bool { return a.Last("edged/n1/status") == mqtt.Offline })
	return r, a, l
}

// steadyBroker is a broker whose auditor can fall behind without loss.
func steadyBroker(t *testing.T, extra ...string) *mqtttest.Broker {
	return mqtttest.StartBroker(t, append(extra, "max_queued_messages 0")...)
}

func TestBrokerKilledAndRestartedWithoutPersistence(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := steadyBroker(t)
	// What such a broker had acknowledged and not delivered yet is gone: the
	// subscriber's side is audited where the broker survives, below.
	r, _, l := scenario(t, b, b.URL(), func(r *rig, a *mqtttest.Auditor) {
		r.c.CameraStatus("cam", mqtt.Online)
		mqtttest.Until(t, patience, "camera online", func() bool { return a.Last("edged/n1/cam/status") == mqtt.Online })
		b.Kill()
		time.Sleep(300 * time.Millisecond)
		b.Start()
		// A broker that has forgotten everything is told everything again.
		fresh := mqtttest.NewAuditor(t, b.Addr(), nil)
		mqtttest.Until(t, patience, "the retained states", func() bool {
			return fresh.Last("edged/n1/status") == mqtt.Online && fresh.Last("edged/n1/cam/status") == mqtt.Online
		})
	})
	if e := l[mqtt.KindEvent]; e.Acknowledged != e.Produced {
		t.Errorf("not every event was acknowledged in the end: %+v", e)
	}
	if n := r.log.count("connection to the broker lost"); n != rounds() {
		t.Errorf("the loss was said %d times for %d losses:\n%s", n, rounds(), r.log)
	}
}

func TestConnectionCut(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := steadyBroker(t)
	p := mqtttest.NewProxy(t, b.Addr())
	r, a, l := scenario(t, b, p.URL(), func(r *rig, a *mqtttest.Auditor) {
		for range 3 {
			p.Cut()
			time.Sleep(200 * time.Millisecond)
		}
	})
	r.audit(a, l)
}

func TestHalfOpenConnection(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := steadyBroker(t)
	p := mqtttest.NewProxy(t, b.Addr())
	r, a, l := scenario(t, b, p.URL(), func(r *rig, a *mqtttest.Auditor) {
		p.Hole()
		mqtttest.Until(t, patience, "the client to notice", func() bool { s, _ := r.c.Link(); return !s.Connected })
		p.Heal()
	})
	r.audit(a, l)
	if l[mqtt.KindMask].Unknown == 0 {
		t.Error("a half-open connection swallowed nothing: the scenario shows nothing")
	}
}

func TestBrokerFrozen(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := steadyBroker(t)
	frozen := 4 * time.Second // longer than AckTimeout
	if longRun() {
		frozen = 20 * time.Second
	}
	r, a, l := scenario(t, b, b.URL(), func(r *rig, a *mqtttest.Auditor) {
		b.Freeze()
		time.Sleep(frozen)
		b.Thaw()
	})
	r.audit(a, l)
}

func TestBrokerAbsentAtStart(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.NewBroker(t, "max_queued_messages 0")
	log := &bytesLog{}
	r := newRig(t, quick(b.URL(), log), log)
	r.c.Start()
	r.load(5 * time.Millisecond)
	mqtttest.Until(t, patience, "several attempts", func() bool { s, _ := r.c.Link(); return s.FailedAttempts >= 4 })
	if n := log.count("no broker answers"); n != 1 {
		t.Errorf("the missing broker was said %d times:\n%s", n, log)
	}
	b.Start()
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	r.resumes(a)
	l := r.close()
	if l[mqtt.KindEvent].InFlight != 0 || l[mqtt.KindEvent].Acknowledged != l[mqtt.KindEvent].Produced {
		t.Errorf("events: %+v", l[mqtt.KindEvent])
	}
}

func TestQueueDropsTheOldestAndSaysSo(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := steadyBroker(t)
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	p := mqtttest.NewProxy(t, b.Addr())
	p.Hole()
	log := &bytesLog{}
	cfg := quick(p.URL(), log)
	cfg.MaxPayload, cfg.QueueBytes = 8<<10, 64<<10
	r := newRig(t, cfg, log)
	r.c.Start()
	for range 300 {
		r.publish()
	}
	if d := r.c.Ledger()[mqtt.KindMask].Dropped[mqtt.ReasonQueueFull]; d == 0 {
		t.Fatal("nothing was dropped")
	}
	p.Heal()
	r.resumes(a)
	l := r.close()
	r.audit(a, l)
	for _, k := range []mqtt.Kind{mqtt.KindMask, mqtt.KindResult} {
		if got, want := a.Reported("cam", k)[mqtt.ReasonQueueFull], l[k].Dropped[mqtt.ReasonQueueFull]; got != want {
			t.Errorf("%s: %d reported as dropped, %d were", k, got, want)
		}
	}
}

func TestBrokerThatTakesSmallPacketsOnly(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := steadyBroker(t, "max_packet_size 4096")
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	log := &bytesLog{}
	r := newRig(t, quick(b.URL(), log), log)
	r.mask = noisy(320, 240) // about 20 kB
	r.c.Start()
	r.load(20 * time.Millisecond)
	mqtttest.Until(t, patience, "the limit to be learned\n"+b.Log(), func() bool { s, _ := r.c.Link(); return s.PayloadLimit < 4096 && s.Connected })
	before, _ := r.c.Link()
	r.resumes(a)
	time.Sleep(time.Second)
	if after, _ := r.c.Link(); after.Connections != before.Connections {
		t.Errorf("the connection broke again after the limit was learned: %d, then %d", before.Connections, after.Connections)
	}
	l := r.close()
	r.audit(a, l)
	for _, k := range []mqtt.Kind{mqtt.KindMask, mqtt.KindResult} {
		got, want := a.Reported("cam", k), l[k].Unknown+l[k].Dropped[mqtt.ReasonBrokerLimit]
		if n := got[mqtt.ReasonUnknown] + got[mqtt.ReasonBrokerLimit]; n != want {
			t.Errorf("%s: %v reported, %d were lost", k, got, want)
		}
	}
	if s, _ := r.c.Link(); s.Degraded["coarser"] == 0 {
		t.Errorf("no mask was made coarser: %v", s.Degraded)
	}
	if n := log.count("closes the connection when a large message arrives"); n == 0 || n > 4 {
		t.Errorf("the limit was said %d times", n)
	}
}
