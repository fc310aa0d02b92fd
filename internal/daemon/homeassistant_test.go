package daemon

import (
	"log/slog"
	"testing"

	"edged/internal/config"
	"edged/mqtt"
)

// What was announced once is taken away when it is no more: a camera by its
// entities, the node when it is not asked for, or has another name.
func TestAnnouncedIsTakenAway(t *testing.T) {
	dir := t.TempDir()
	run := func(node string, on bool, cameras ...string) (*announced, *mqtt.Client) {
		t.Helper()
		c := config.Default()
		c.Node.Name, c.MQTT.HomeAssistant = node, on
		for _, name := range cameras {
			c.Cameras = append(c.Cameras, config.Camera{Name: name})
		}
		mc := mqtt.Default()
		mc.Node, mc.Broker = node, "tcp://127.0.0.1:1"
		client, err := mqtt.New(mc)
		if err != nil {
			t.Fatal(err)
		}
		m, err := openMemory(dir)
		if err != nil {
			t.Fatal(err)
		}
		d := &Daemon{cfg: &c, client: client, memory: m, log: slog.New(slog.DiscardHandler)}
		d.announce()
		return m.file.Announced, client
	}
	produced := func(c *mqtt.Client) uint64 { return c.Ledger()[mqtt.KindState].Produced }
	if a, c := run("n", false, "a"); a != nil || produced(c) != 1 { // its status alone
		t.Errorf("%+v, %d", a, produced(c))
	}
	if a, c := run("n", true, "a", "b"); len(a.Entities) != 12 || produced(c) != 2 {
		t.Errorf("%+v, %d", a, produced(c))
	}
	if a, _ := run("n", true, "a"); len(a.Entities) != 12 || a.Entities["b_enabled"] != "switch" {
		t.Errorf("entities of the camera that is gone are not remembered: %+v", a)
	}
	if a, c := run("m", true, "a"); len(a.Entities) != 6 || a.Topic != "homeassistant/device/edged_m/config" || produced(c) != 3 {
		t.Errorf("%+v, %d", a, produced(c))
	}
	for range 2 { // at each start: the broker may not have been there
		if a, c := run("m", false, "a"); a == nil || produced(c) != 2 {
			t.Errorf("%+v, %d", a, produced(c))
		}
	}
}
