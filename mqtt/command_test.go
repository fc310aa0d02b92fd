//go:build tools

package mqtt_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// sender is a plain client that sends what others would.
func sender(t *testing.T, b *mqtttest.Broker) paho.Client {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(b.URL()).SetClientID("sender-" + rand.Text()).SetProtocolVersion(4))
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal("sender:", tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(100) })
	return c
}

func send(t *testing.T, c paho.Client, topic string, qos byte, retain bool, payload any) {
	t.Helper()
	if tok := c.Publish(topic, qos, retain, payload); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatalf("send to %s: %v", topic, tok.Error())
	}
}

func TestRequests(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t)
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	log := &bytesLog{}
	r := newRig(t, quick(b.URL(), log), log)
	var fired atomic.Int64
	r.c.Handle("trigger", func(_ context.Context, q mqtt.Request) (any, error) {
		fired.Add(1)
		var body struct {
			PartID string `json:"part_id"`
		}
		if len(q.Body) > 0 {
			if err := json.Unmarshal(q.Body, &body); err != nil {
				return nil, err
			}
		}
		return map[string]string{"part_id": body.PartID}, nil
	})
	r.c.Handle("reload", func(context.Context, mqtt.Request) (any, error) { return nil, errors.New("model: truncated") })
	s := sender(t, b)
	send(t, s, "edged/n1/request/trigger", 1, true, `{"transaction":"stale"}`) // retained: must not fire
	r.c.Start()
	connects(t, r.c, log)
	for _, x := range []struct{ cmd, send, want string }{
		{"trigger", `{"transaction":"t-1","part_id":"A 7"}`, `{"transaction":"t-1","status":"ok","data":{"part_id":"A 7"},"error":""}`},
		{"trigger", ``, `{"transaction":"","status":"ok","data":{"part_id":""},"error":""}`},
		{"reload", `{"transaction":"t-2"}`, `{"transaction":"t-2","status":"error","data":null,"error":"model: truncated"}`},
		{"dance", `{"transaction":"t-3"}`, `{"transaction":"t-3","status":"error","data":null,"error":"unknown command \"dance\""}`},
		{"trigger", `[1]`, "is no JSON object"},
		{"trigger", "\xff\xfe", "is no JSON object"},
	} {
		send(t, s, "edged/n1/request/"+x.cmd, 1, false, x.send)
		mqtttest.Until(t, patience, "the answer "+x.want, func() bool { return strings.Contains(a.Last("edged/n1/response/"+x.cmd), x.want) })
	}
	if n := fired.Load(); n != 2 {
		t.Errorf("the trigger fired %d times, want 2: a retained request must not fire", n)
	}
	r.close()
}

func TestEnabled(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t)
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	log := &bytesLog{}
	r := newRig(t, quick(b.URL(), log), log)
	var retained atomic.Int64
	r.c.HandleEnabled(func(_ context.Context, cam string, on, was bool) error {
		if cam != "cam" {
			return fmt.Errorf("no camera %q", cam)
		}
		if was {
			retained.Add(1)
		}
		return nil
	})
	r.c.Enabled("cam", true)
	send(t, sender(t, b), "edged/n1/cam/enabled/set", 1, true, "ON") // before the node is there
	r.c.Start()
	connects(t, r.c, log)
	s := sender(t, b)
	state := func() string { return a.Last("edged/n1/cam/enabled/state") }
	mqtttest.Until(t, patience, "ON", func() bool { return state() == "ON" && retained.Load() == 1 })
	send(t, s, "edged/n1/cam/enabled/set", 1, false, "OFF")
	mqtttest.Until(t, patience, "OFF", func() bool { return state() == "OFF" })
	send(t, s, "edged/n1/cam/enabled/set", 1, false, "perhaps")
	send(t, s, "edged/n1/other/enabled/set", 1, false, "ON")
	mqtttest.Until(t, patience, "the refusals", func() bool {
		l, _ := r.c.Link()
		return l.CommandsDropped == 1 && log.count("no camera") == 1
	})
	if state() != "OFF" || a.Last("edged/n1/other/enabled/state") != "" {
		t.Errorf("state %q; other %q", state(), a.Last("edged/n1/other/enabled/state"))
	}
	if n := retained.Load(); n != 1 {
		t.Errorf("%d messages passed for retained ones", n)
	}
	r.close()
}

// A flood on the command topics costs neither memory nor results.
func TestFloodOfCommands(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t, "max_queued_messages 0")
	a := mqtttest.NewAuditor(t, b.Addr(), nil)
	log := &bytesLog{}
	cfg := quick(b.URL(), log)
	cfg.KeepAlive, cfg.AckTimeout = 30*time.Second, 30*time.Second // five megabytes of junk pass before an acknowledgement
	r := newRig(t, cfg, log)
	r.c.Handle("trigger", func(context.Context, mqtt.Request) (any, error) { time.Sleep(time.Millisecond); return nil, nil })
	r.c.Start()
	r.load(10 * time.Millisecond)
	r.resumes(a)
	s := sender(t, b)
	junk, large := make([]byte, 1000), make([]byte, 1<<20)
	for i := range 20000 {
		s.Publish("edged/n1/request/trigger", byte(i%50/49), false, junk)
	}
	for range 5 {
		send(t, s, "edged/n1/request/trigger", 1, false, large)
	}
	r.resumes(a)
	mqtttest.Until(t, patience, "the flood to be counted\n"+log.String(), func() bool { l, _ := r.c.Link(); return l.CommandsDropped > 2000 })
	if n := log.count("commands arrive faster or larger"); n != 1 {
		t.Errorf("the flood was said %d times:\n%s", n, log)
	}
	l, _ := r.c.Link()
	if l.Connections != 1 {
		t.Errorf("the flood broke the connection: %d connections", l.Connections)
	}
	// After the flood commands are carried out again.
	mqtttest.Until(t, patience, "an answer after the flood", func() bool {
		send(t, s, "edged/n1/request/trigger", 1, false, `{"transaction":"after"}`)
		time.Sleep(100 * time.Millisecond)
		return strings.Contains(a.Last("edged/n1/response/trigger"), `"after","status":"ok"`)
	})
	r.close()
}

// A node that is declared offline while it runs declares itself online again.
func TestFalseWill(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t)
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	log := &bytesLog{}
	r := newRig(t, quick(b.URL(), log), log)
	r.c.Start()
	connects(t, r.c, log)
	online := func() bool { return a.Last("edged/n1/status") == mqtt.Online }
	mqtttest.Until(t, patience, "online", online)
	before := r.c.Ledger()[mqtt.KindState].Produced
	send(t, sender(t, b), "edged/n1/status", 1, true, mqtt.Offline)
	mqtttest.Until(t, patience, "online again", func() bool { return r.c.Ledger()[mqtt.KindState].Produced > before && online() })
	r.close()
}
