package metrics

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func testServer(t *testing.T, h *Health) string {
	t.Helper()
	mux := http.NewServeMux()
	snapshot := func() Snapshot {
		return Snapshot{
			Started: time.Unix(100, 0), Version: "1.2", Connected: true,
			Cameras: []Camera{{Name: "a", Online: true, Read: 21, Published: 1, PassedOver: 2, Refused: 3, Failed: 4, InWork: 11,
				Missed: 5, Restarts: 6, InferSeconds: 0.25,
				RefusedBy: map[string]uint64{"frozen": 2, "too_small": 1, "engine": 4}, Noticed: map[string]uint64{"black": 9},
				Audit:  Audit{On: true, Frames: 31, Differing: 32, Positions: map[string]uint64{"go/tflite": 33}, Largest: 0.125},
				Shadow: Shadow{On: true, Frames: 41, VerdictsDiffering: 42, Failed: 43, Positions: map[[2]string]uint64{{"scratch", "live_only"}: 44}},
				Rows:   &Rows{Read: 51, Missing: 52, Holes: 53, ByFate: map[string]uint64{"published": 54, "border": 55}}}},
			Messages: []Messages{{Kind: "result", Produced: 15, Acknowledged: 1, HandedOver: 2, Unknown: 3, InFlight: 4,
				Dropped: map[string]uint64{"queue": 5}}},
		}
	}
	check := func() Health { return *h }
	Register(mux, snapshot, check, check)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestMetricsShowTheWholeAccount(t *testing.T) {
	code, body := get(t, testServer(t, &Health{})+"/metrics")
	if code != http.StatusOK {
		t.Fatalf("status %d: %s", code, body)
	}
	for _, line := range []string{
		`edged_info{version="1.2"} 1`,
		`edged_started_seconds 100`,
		`edged_mqtt_connected 1`,
		`edged_frames_read_total{camera="a"} 21`,
		`edged_frames_total{camera="a",fate="published"} 1`,
		`edged_frames_total{camera="a",fate="passed_over"} 2`,
		`edged_frames_total{camera="a",fate="refused"} 3`,
		`edged_frames_total{camera="a",fate="failed"} 4`,
		`edged_frames_refused_total{camera="a",reason="frozen"} 2`,
		`edged_frames_refused_total{camera="a",reason="engine"} 4`,
		`edged_camera_noticed_total{camera="a",what="black"} 9`,
		`edged_frames_in_work{camera="a"} 11`,
		`edged_triggers_missed_total{camera="a"} 5`,
		`edged_worker_restarts_total{camera="a"} 6`,
		`edged_camera_online{camera="a"} 1`,
		`edged_infer_seconds{camera="a"} 0.25`,
		`edged_shadow_frames_total{camera="a"} 41`,
		`edged_shadow_verdicts_differing_total{camera="a"} 42`,
		`edged_shadow_failed_total{camera="a"} 43`,
		`edged_shadow_positions_total{by="live_only",camera="a",class="scratch"} 44`,
		`edged_rows_read_total{camera="a"} 51`,
		`edged_rows_missing_total{camera="a"} 52`,
		`edged_line_holes_total{camera="a"} 53`,
		`edged_rows_total{camera="a",fate="published"} 54`,
		`edged_rows_total{camera="a",fate="border"} 55`,
		`edged_audit_on{camera="a"} 1`,
		`edged_audit_frames_total{camera="a"} 31`,
		`edged_audit_positions_total{camera="a",engines="go/tflite"} 33`,
		`edged_audit_differing_total{camera="a"} 32`,
		`edged_audit_largest_difference{camera="a"} 0.125`,
		`edged_messages_produced_total{kind="result"} 15`,
		`edged_messages_total{fate="acknowledged",kind="result",reason=""} 1`,
		`edged_messages_total{fate="handed_over",kind="result",reason=""} 2`,
		`edged_messages_total{fate="unknown",kind="result",reason=""} 3`,
		`edged_messages_total{fate="dropped",kind="result",reason="queue"} 5`,
		`edged_messages_in_flight{kind="result"} 4`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

func TestHealth(t *testing.T) {
	h := &Health{OK: true, Checks: map[string]string{"camera a": "ok"}}
	url := testServer(t, h)
	for _, path := range []string{"/healthz", "/readyz"} {
		h.OK = true
		code, body := get(t, url+path)
		var got Health
		if err := json.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK || !got.OK || got.Checks["camera a"] != "ok" {
			t.Errorf("%s: %d %s, %v", path, code, body, err)
		}
		h.OK = false
		if code, _ := get(t, url+path); code != http.StatusServiceUnavailable {
			t.Errorf("%s unwell: %d", path, code)
		}
	}
}
