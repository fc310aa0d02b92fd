package mqtt

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func largeInfo() Info {
	i := Info{Version: "v", StartedAt: Time{time.Now()}, Classes: map[string][]string{}, LastStop: &LastStop{Reason: strings.Repeat("r", 300)}}
	for n := range 8 {
		cam := fmt.Sprint("cam", n)
		i.Cameras = append(i.Cameras, cam)
		i.Classes[cam] = slices.Repeat([]string{"a class of a long name"}, 64)
		i.Models = append(i.Models, ModelInfo{Camera: cam, Name: "net", Engine: "go", Why: strings.Repeat("w", 200), SHA256: strings.Repeat("0", 64), Shadow: &ShadowInfo{Name: "s"}})
	}
	return i
}

func largeStats() Stats {
	st := Stats{Cameras: map[string]CameraStats{}, Process: map[string]float64{"rss_bytes": 1, "goroutines": 2}, Thermal: &Thermal{Sensor: strings.Repeat("s", 50)}, Evidence: &EvidenceStats{Fault: strings.Repeat("f", 60)}, Delivery: snapshot(newLedger())}
	for n := range 8 {
		st.Cameras[fmt.Sprint("cam", n)] = CameraStats{
			Why: strings.Repeat("y", 90), RefusedBy: map[string]uint64{strings.Repeat("by", 50): 1}, Noticed: map[string]uint64{strings.Repeat("n", 100): 2},
			Audit: &AuditStats{Off: strings.Repeat("o", 80)}, Shadow: &ShadowStats{Name: strings.Repeat("s", 80)},
		}
	}
	return st
}

// With every limit the payload fits, lacks what comes first in the documented
// order and no more than it has to, and names it.
func TestInfoAndStatsShrinkInOrder(t *testing.T) {
	info, stats := largeInfo(), largeStats()
	before, _ := json.Marshal([]any{info, stats})
	for name, c := range map[string]struct {
		fit   func(limit int) ([]byte, []string, error)
		order []string
	}{
		"info":  {info.fit, []string{"models.why", "models.shadow", "classes", "last_stop", "models", "cameras"}},
		"stats": {stats.fit, []string{"cameras.noticed", "cameras.refused_by", "cameras.why", "cameras.shadow", "cameras.audit", "process", "evidence", "thermal", "cameras"}},
	} {
		whole, none, err := c.fit(1 << 30)
		if err != nil || none != nil {
			t.Fatal(name, none, err)
		}
		smallest, all, _ := c.fit(0)
		if !slices.Equal(all, c.order) {
			t.Errorf("%s: %v is left out of the smallest", name, all)
		}
		if len(smallest) > minPayload {
			t.Errorf("%s: %d bytes do not fit the smallest limit, %d", name, len(smallest), minPayload)
		}
		last := len(whole)
		for limit := len(whole); limit >= len(smallest); limit-- {
			body, out, err := c.fit(limit)
			if err != nil || len(body) > limit || !json.Valid(body) || !slices.Equal(out, c.order[:len(out)]) || len(body) > last {
				t.Fatalf("%s at %d: %d bytes, without %v, %v", name, limit, len(body), out, err)
			}
			if len(body) == last {
				continue
			}
			last = len(body)
			var told struct {
				LeftOut []string `json:"left_out"`
			}
			if json.Unmarshal(body, &told) != nil || !slices.Equal(told.LeftOut, out) {
				t.Errorf("%s: %v is told of %v", name, told.LeftOut, out)
			}
		}
	}
	if after, _ := json.Marshal([]any{info, stats}); string(after) != string(before) {
		t.Error("what was given has changed")
	}
}

// Info follows the limit of the broker down and up again.
func TestInfoFollowsTheLimit(t *testing.T) {
	c := deaf(t, func(cfg *Config) { cfg.MaxPayload = 64 << 10 })
	if err := c.Info(largeInfo()); err != nil {
		t.Fatal(err)
	}
	stands := func() string { return string(c.states.of(c.topics.OfNode("info")).payload) }
	whole := stands()
	c.setLimit(minPayload)
	if got := stands(); len(got) > minPayload || !strings.Contains(got, `"left_out":["models.why"`) || c.link.Degraded[degradedInfo] != 1 {
		t.Errorf("%d bytes: %.200s", len(got), got)
	}
	c.setLimit(minPayload + 1) // nothing else fits: nothing is said again
	if c.link.Degraded[degradedInfo] != 1 {
		t.Error("info was published again though it is the same")
	}
	c.setLimit(64 << 10)
	if stands() != whole {
		t.Error("info is not whole again")
	}
}
