//go:build tools

package mqtt_test

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// as connects as a user; the broker takes any name, its access list decides.
func as(t *testing.T, b *mqtttest.Broker, user string) paho.Client {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(b.URL()).SetClientID(user + rand.Text()).SetUsername(user).SetProtocolVersion(4))
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(user, tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(100) })
	return c
}

// The access list that the handbook shows lets each do its work, and none but
// operators switch a camera off.
func TestAccessListOfTheHandbook(t *testing.T) {
	mqtttest.NoLeaks(t)
	page, err := os.ReadFile("../docs/6-security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```acl\n")
	list, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatal("docs/6-security.md shows no access list")
	}
	acl := write(t, filepath.Join(t.TempDir(), "acl"), list)
	b := mqtttest.StartBroker(t, "acl_file "+acl)
	log := &bytesLog{}
	cfg := quick(b.URL(), log)
	cfg.Node, cfg.Username = "line1", "line1"
	r := newRig(t, cfg, log)
	var switched, triggered atomic.Int64
	r.c.HandleEnabled(func(context.Context, string, bool, bool) error { switched.Add(1); return nil })
	r.c.Handle("trigger", func(context.Context, mqtt.Request) (any, error) { triggered.Add(1); return nil, nil })
	var states, answers atomic.Int64
	dashboard, plc := as(t, b, "dashboard"), as(t, b, "plc1")
	for _, s := range []struct {
		c     paho.Client
		topic string
		n     *atomic.Int64
	}{{dashboard, "edged/line1/cam/enabled/state", &states}, {plc, "edged/line1/response/trigger", &answers}} {
		if tok := s.c.Subscribe(s.topic, 1, func(paho.Client, paho.Message) { s.n.Add(1) }); !tok.WaitTimeout(patience) || tok.Error() != nil {
			t.Fatal(s.topic, tok.Error())
		}
	}
	r.c.Start()
	connects(t, r.c, log)
	for _, stranger := range []paho.Client{dashboard, plc, as(t, b, "line2")} {
		send(t, stranger, "edged/line1/cam/enabled/set", 1, false, "OFF") // acknowledged, and discarded
	}
	send(t, dashboard, "edged/line1/request/trigger", 1, false, "")
	send(t, plc, "edged/line1/request/trigger", 1, false, "")
	mqtttest.Until(t, patience, "the controller's trigger and its answer", func() bool { return triggered.Load() == 1 && answers.Load() == 1 })
	if n := switched.Load(); n != 0 {
		t.Errorf("%d who may not have switched the camera", n)
	}
	send(t, as(t, b, "operator"), "edged/line1/cam/enabled/set", 1, false, "OFF")
	mqtttest.Until(t, patience, "the operator's switch, seen by the dashboard", func() bool { return switched.Load() == 1 && states.Load() > 0 })
	time.Sleep(10 * time.Millisecond)
	if switched.Load() != 1 || triggered.Load() != 1 || strings.Contains(log.String(), "does not deliver") {
		t.Errorf("switched %d, triggered %d; %s", switched.Load(), triggered.Load(), log)
	}
	r.close()
}
