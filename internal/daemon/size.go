package daemon

import (
	"fmt"
	"math"
	"strings"

	"edged/internal/config"
	"edged/mqtt"
)

// reasonText is the longest text that a rule gives with its reason, about.
const reasonText = 200

// Oversize says that a camera's largest result does not fit into a message, and
// what happens then. It is empty when all do, and without a broker.
func Oversize(c *config.Config, cam *config.Camera, model, engine string, labels []string) string {
	if c.MQTT.Broker == "" {
		return ""
	}
	var reasons []mqtt.Why
	for i, r := range cam.Rules {
		for range max(1, len(r.Zones)) {
			reasons = append(reasons, mqtt.Why{Rule: i + 1, Class: r.Class, Zone: strings.Repeat("x", 64), Kind: strings.Repeat("x", 16),
				Count: math.MaxInt32, Px: math.MaxInt32, Limit: 0.123456789, Text: strings.Repeat("x", reasonText)})
		}
	}
	n := mqtt.LargestResult(model, engine, labels, reasons)
	if n <= int(c.MQTT.MaxPayload) {
		return ""
	}
	return fmt.Sprintf("the largest result has about %d bytes, max_payload is %d: blobs, classes without a position and reasons are left out of such a one, and left_out says so", n, int(c.MQTT.MaxPayload))
}
