//go:build tools

package mqtt_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// What Home Assistant's schemas of discovery take, beside what every entity has.
var (
	everyEntity = []string{"platform", "unique_id", "name", "availability", "availability_mode", "icon", "entity_category", "device_class"}
	entityKeys  = map[string][]string{
		"sensor":        {"state_topic", "value_template", "state_class"},
		"binary_sensor": {"state_topic", "value_template"},
		"switch":        {"state_topic", "command_topic"},
		"image":         {"image_topic", "content_type"},
	}
	required    = map[string]string{"sensor": "state_topic", "binary_sensor": "state_topic", "switch": "command_topic", "image": "image_topic"}
	deviceKeys  = []string{"identifiers", "name", "manufacturer", "model", "sw_version", "configuration_url"}
	deviceClass = map[string][]string{"binary_sensor": {"problem", "connectivity"}}
)

type announcement struct {
	Device     map[string]any            `json:"device"`
	Origin     map[string]string         `json:"origin"`
	Components map[string]map[string]any `json:"components"`
	QoS        int                       `json:"qos"`
}

// home is Home Assistant's side: it keeps what is said on a topic.
type home struct {
	paho.Client
	mu   sync.Mutex
	said []string
}

func newHome(t *testing.T, url, topic string) *home {
	t.Helper()
	h := &home{Client: paho.NewClient(paho.NewClientOptions().AddBroker(url).SetClientID(fmt.Sprint("home", time.Now().UnixNano())))}
	if token := h.Connect(); !token.WaitTimeout(time.Minute) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { h.Disconnect(10) })
	token := h.Subscribe(topic, 1, func(_ paho.Client, m paho.Message) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.said = append(h.said, string(m.Payload()))
	})
	if !token.WaitTimeout(time.Minute) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	return h
}

func (h *home) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.said)
}

// A node is announced, retained, as Home Assistant's schema has it; again at its
// birth; entities that are no more are taken away, and so is the node.
func TestAnnouncement(t *testing.T) {
	b := mqtttest.StartBroker(t)
	cfg := mqtt.Default()
	cfg.Broker, cfg.Node, cfg.HomeAssistant, cfg.Log = b.URL(), "line1", true, slog.New(slog.DiscardHandler)
	c, err := mqtt.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	there, err := c.Announce(mqtt.Discovery{
		Version: "1.2", Page: "http://10.0.0.7:8077/", Cameras: []string{"press_2", "out"}, Pictures: true,
		Gone: map[string]string{"old_verdict": "sensor", "out_verdict": "sensor"},
	})
	if err != nil || len(there) != 12 || there["press_2_picture"] != "image" {
		t.Fatalf("%v: %v", err, there)
	}
	c.Start()
	topic := mqtt.Topics{Node: "line1"}.DiscoveryTopic()
	if topic != "homeassistant/device/edged_line1/config" {
		t.Error(topic)
	}
	probe := newHome(t, b.URL(), topic)
	mqtttest.Until(t, time.Minute, "the announcement", func() bool { return len(probe.heard()) == 1 })
	probe.Disconnect(10)
	ha := newHome(t, b.URL(), topic) // later: it is retained
	mqtttest.Until(t, time.Minute, "the announcement, retained", func() bool { return len(ha.heard()) == 1 })
	checkAnnouncement(t, ha.heard()[0])

	ha.Publish("homeassistant/status", 1, false, "offline").WaitTimeout(time.Minute)
	ha.Publish("homeassistant/status", 1, false, "online").WaitTimeout(time.Minute)
	mqtttest.Until(t, time.Minute, "the announcement at a birth", func() bool { return len(ha.heard()) == 2 })
	if s := ha.heard(); s[0] != s[1] {
		t.Errorf("another one: %s", s[1])
	}
	c.Withdraw(topic)
	mqtttest.Until(t, time.Minute, "the node to be taken away", func() bool { s := ha.heard(); return s[len(s)-1] == "" })
	if l, _ := c.Link(); l.Arrives == mqtt.ArrivesNo {
		t.Error("what is said to Home Assistant alone counts as lost")
	}
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := c.Close(end); err != nil {
		t.Error(err)
	}
	late := newHome(t, b.URL(), "homeassistant/#")
	late.Publish("homeassistant/end", 1, false, "end").WaitTimeout(time.Minute)
	mqtttest.Until(t, time.Minute, "the end", func() bool { return slices.Contains(late.heard(), "end") })
	if s := late.heard(); len(s) != 1 {
		t.Errorf("left behind: %q", s)
	}
}

func checkAnnouncement(t *testing.T, body string) {
	t.Helper()
	var a announcement
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		t.Fatal(err)
	}
	for key := range a.Device {
		if !slices.Contains(deviceKeys, key) {
			t.Errorf("device has %q", key)
		}
	}
	if a.Origin["name"] != "edged" || a.Device["sw_version"] != "1.2" || len(a.Components) != 13 || a.QoS != 1 {
		t.Errorf("%+v", a)
	}
	names, ids := map[any]bool{}, map[any]bool{}
	for id, e := range a.Components {
		platform, _ := e["platform"].(string)
		if id == "old_verdict" {
			if len(e) != 1 || platform != "sensor" {
				t.Errorf("%s is taken away by its platform alone: %v", id, e)
			}
			continue
		}
		for key := range e {
			if !slices.Contains(everyEntity, key) && !slices.Contains(entityKeys[platform], key) {
				t.Errorf("%s, a %s, has %q", id, platform, key)
			}
		}
		if class, ok := e["device_class"].(string); ok && !slices.Contains(deviceClass[platform], class) {
			t.Errorf("%s: class %q", id, class)
		}
		if e[required[platform]] == nil || e["unique_id"] == nil || names[e["name"]] || ids[e["unique_id"]] || e["availability"] == nil {
			t.Errorf("%s: %v", id, e)
		}
		names[e["name"]], ids[e["unique_id"]] = true, true
	}
	if got := a.Components["press_2_enabled"]; got["name"] != "Press 2 inspection" || got["command_topic"] != "edged/line1/press_2/enabled/set" || got["unique_id"] != "edged_line1_press_2_enabled" {
		t.Errorf("%v", got)
	}
}
