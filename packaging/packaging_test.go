package packaging

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"edged/internal/metrics"
)

// told is what /metrics tells of a camera that has everything.
func told(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	well := func() metrics.Health { return metrics.Health{OK: true} }
	metrics.Register(mux, func() metrics.Snapshot {
		return metrics.Snapshot{
			Cameras:  []metrics.Camera{{Name: "a", RefusedBy: map[string]uint64{"x": 1}, Noticed: map[string]uint64{"x": 1}}},
			Messages: []metrics.Messages{{Kind: "result", Dropped: map[string]uint64{"superseded": 1}}},
		}
	}, well, well)
	s := httptest.NewServer(mux)
	defer s.Close()
	resp, err := http.Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Every series that a panel or an alert asks for is told, with the labels and the
// values that it asks for.
func TestSeriesAreTold(t *testing.T) {
	all := told(t)
	series := regexp.MustCompile(`\b(edged_[a-z_]+)(\{[^}]*\})?`)
	label := regexp.MustCompile(`([a-z]+)(=~|!=|=)\\?"([^"\\]*)`)
	for _, name := range []string{"grafana-dashboard.json", "prometheus-alerts.yml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		asked := series.FindAllStringSubmatch(string(data), -1)
		if len(asked) < 7 {
			t.Fatalf("%s asks for %d series: this looks at nothing", name, len(asked))
		}
		for _, m := range asked {
			if !strings.Contains(all, "\n"+m[1]+"{") && !strings.Contains(all, "\n"+m[1]+" ") {
				t.Errorf("%s asks for %s, which is not told", name, m[1])
			}
			for _, l := range label.FindAllStringSubmatch(m[2], -1) {
				if l[1] == "instance" { // Prometheus gives it
					continue
				}
				if told := regexp.MustCompile(m[1]+`\{[^}]*`+l[1]+`="([^"]*)"`).FindAllStringSubmatch(all, -1); len(told) == 0 {
					t.Errorf("%s: %s has no label %s", name, m[1], l[1])
				} else if l[2] != "=~" && !slices.ContainsFunc(told, func(v []string) bool { return v[1] == l[3] }) {
					t.Errorf("%s: %s never has %s=%q", name, m[1], l[1], l[3])
				}
			}
		}
	}
}

// The flow's function turns events into the PLC's lines, each once.
func TestFlow(t *testing.T) {
	data, err := os.ReadFile("node-red-flow.json")
	if err != nil {
		t.Fatal(err)
	}
	var flow []struct {
		ID, Type, Func, Topic, Broker string
		Wires                         [][]string
	}
	if err := json.Unmarshal(data, &flow); err != nil {
		t.Fatal(err)
	}
	ids, function := map[string]bool{}, ""
	for _, n := range flow {
		ids[n.ID] = true
		if n.Type == "function" {
			function = n.Func
		}
		if n.Type == "mqtt in" && n.Topic != "edged/+/+/event" {
			t.Errorf("it listens to %s", n.Topic)
		}
	}
	for _, n := range flow {
		for _, to := range slices.Concat(n.Wires...) {
			if !ids[to] {
				t.Errorf("%s is wired to %s, which is not there", n.ID, to)
			}
		}
	}
	quoted, err := json.Marshal(function)
	if err != nil {
		t.Fatal(err)
	}
	script := `
const f = new Function("msg", "context", ` + string(quoted) + `), kept = new Map();
const context = { get: (k) => kept.get(k), set: (k, v) => kept.set(k, v) };
const send = (topic, payload) => f({ topic, payload }, context)?.payload ?? "-\n";
const e = (seq, verdict, more) => ({ kind: "verdict", run: "r", seq, verdict, ...more });
let out = "";
out += send("edged/line1/press/event", e(1, "NG", { part_id: "A 1" }));
out += send("edged/line1/press/event", e(1, "NG"));
out += send("edged/line1/press/event", { kind: "fault", run: "r", seq: 2 });
out += send("plant/a/edged/line1/press/event", e(3, "OK"));
out += send("edged/line1/press/event", e(1, "scrap", { run: "s" }));
process.stdout.write(out);`
	out, err := exec.CommandContext(t.Context(), "node", "-e", script).CombinedOutput()
	if want := "0 line1 press NG A 1\n-\n-\n1 line1 press OK -\n0 line1 press scrap -\n"; err != nil || string(out) != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, out, want)
	}
}
