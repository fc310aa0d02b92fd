package daemon

import (
	"fmt"
	"strings"
	"testing"

	"edged/internal/config"
)

// What cannot fit is told at load, by the numbers that the config and the model
// give.
func TestOversize(t *testing.T) {
	c := config.Default()
	c.MQTT.Broker = "tcp://127.0.0.1"
	cam := &config.Camera{Rules: make([]config.Rule, 4)}
	labels := make([]string, 300)
	for i := range labels {
		labels[i] = fmt.Sprint("class ", i)
	}
	if text := Oversize(&c, cam, "m", "go", labels); text != "" {
		t.Errorf("%d classes fit into %d bytes: %s", len(labels), c.MQTT.MaxPayload, text)
	}
	c.MQTT.MaxPayload = 16 << 10
	if text := Oversize(&c, cam, "m", "go", labels); !strings.Contains(text, "max_payload is 16384") {
		t.Errorf("%q", text)
	}
	c.MQTT.Broker = ""
	if text := Oversize(&c, cam, "m", "go", labels); text != "" {
		t.Errorf("without a broker: %s", text)
	}
}
