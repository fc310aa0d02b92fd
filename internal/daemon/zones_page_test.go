package daemon

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/mqtt"
)

// Zones are set over HTTP as over MQTT; what another site, a form or somebody with
// an old picture of them asks for changes nothing.
func TestZonesOverHTTP(t *testing.T) {
	r := startRig(t, zoned)
	state := "edged/n/c0/zones/state"
	r.AwaitText(state, leftState)
	put := func(path, body string, header ...string) (int, string) {
		t.Helper()
		q, err := http.NewRequest(http.MethodPut, "http://"+r.d.Address()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			q.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(q)
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
	const other = `[{"name":"left","polygon":[[48,0],[96,0],[96,80]]}]`
	for _, c := range []struct {
		path, body string
		want       int
		says       string
		header     []string
	}{
		{"/zones/c0", `{"zones": ` + other + `}`, 403, "another site", []string{"Origin", "http://evil.example"}},
		{"/zones/c0", `{"zones": ` + other + `}`, 403, "another site", []string{"Sec-Fetch-Site", "cross-site"}},
		{"/zones/c0", `{"zones": ` + other + `}`, 403, "application/json", []string{"Content-Type", "text/plain"}},
		{"/zones/none", `{"zones": ` + other + `}`, 404, "no such camera", nil},
		{"/zones/c0", `{"zones": [`, 400, "no list of zones", nil},
		{"/zones/c0", `{"zones": [{"name": "left"}]}`, 400, "0 corners", nil},
		{"/zones/c0", `{"zones": []}`, 400, "rule 1", nil},
		{"/zones/c0", `{"zones": "` + strings.Repeat("x", mostZones) + `"}`, 400, "too large", nil},
		{"/zones/c0", `{"zones": ` + other + `, "was": []}`, 409, "somebody else", nil},
	} {
		if code, body := put(c.path, c.body, c.header...); code != c.want || !strings.Contains(body, c.says) {
			t.Errorf("%.60s %q: %d %s, want %d with %q", c.body, c.header, code, body, c.want, c.says)
		}
	}
	r.AwaitText(state, leftState)
	if code, body := put("/zones/c0", `{"zones": `+other+`, "was": `+leftState+`}`); code != 200 || !strings.Contains(body, `[48,0]`) {
		t.Errorf("%d %s", code, body)
	}
	r.AwaitText(state, other)
	daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventZones && e.Source == byPage })
	if code, _ := put("/zones/c0", `{"zones": null}`); code != 200 {
		t.Errorf("%d", code)
	}
	r.AwaitText(state, leftState)
}
