package daemon

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/mqtt"
)

const zoned = `[[camera.zone]]
name = "left"
polygon = [[0, 0], [48, 0], [48, 80], [0, 80]]
[[camera.rule]]
class = "metal"
zones = ["left"]`

const leftState = `[{"name":"left","polygon":[[0,0],[48,0],[48,80],[0,80]]}]`

// Zones are set over MQTT, all or none, obeyed by rules, told with the state before,
// and kept over a restart until the config says something else.
func TestZonesOverMQTT(t *testing.T) {
	r := startRig(t, zoned)
	state, set := "edged/n/c0/zones/state", "edged/n/c0/zones/set"
	r.AwaitText(state, leftState)
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return len(p.Reasons) == 1 && p.Reasons[0].Zone == "left" })
	for bad, says := range map[string]string{
		`{`:                  "it is no list of zones",
		`[{"name": "left"}]`: "a polygon of 0 corners",
		`[]`:                 `rule 1 (metal) names zone "left", which is not among them`,
		`[{"name": "left", "polygon": [[1, 2, 3], [0, 0], [5, 5]]}]`: "write [x, y]",
		`[{"name": "left", "polygon": [[1, 2], [0, 0], [5e99, 5]]}]`: "at most 1048576 pixels",
	} {
		r.Send(set, bad)
		daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventFault && strings.Contains(e.Message, says) })
	}
	r.AwaitText(state, leftState)
	other := `[{"name":"left","polygon":[[48,0],[96,0],[96,80]]},{"name":"x","polygon":[[0,0],[1,0],[1,1.5]]}]`
	r.Send(set, other)
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventZones })
	was, errWas := json.Marshal(e.Changes[0].Previous)
	is, errIs := json.Marshal(e.Changes[0].Value)
	if errWas != nil || errIs != nil || string(was) != leftState || string(is) != other || e.Source != byMQTT || e.Changes[0].Key != "zones" {
		t.Errorf("%+v: %s, then %s", e, was, is)
	}
	r.AwaitText(state, other)
	r.Send(set, `[{"name":"left","polygon":[[500,0],[600,0],[600,80]]}]`)
	daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool {
		return e.Kind == mqtt.EventFault && strings.Contains(e.Message, "holds no position of the mask")
	})
	other = strings.Replace(other, "1.5", "2.5", 1) // a state that has not been seen yet
	r.Send(set, other)
	r.AwaitText(state, other)

	// Another run: what was set holds, then the config's by an empty message, then,
	// after a change of the config, the config's whatever was set.
	again := func(before string) *unit {
		t.Helper()
		m, err := openMemory(r.dir + "/state")
		if err != nil {
			t.Fatal(err)
		}
		u := &unit{d: &Daemon{memory: m}, cfg: r.d.units[0].cfg, log: r.d.log}
		if before != "" {
			cam := *u.cfg
			cam.Zones = append(cam.Zones[:0:0], cam.Zones...)
			cam.Zones[0].Polygon = [][]float64{{0, 0}, {9, 0}, {9, 9}}
			u.cfg = &cam
		}
		if err := u.startZones(); err != nil {
			t.Fatal(err)
		}
		return u
	}
	if n := len(again("").zones.Set().List()); n != 2 {
		t.Errorf("%d zones after a restart, want those that were set", n)
	}
	if got := again("changed").zones.Set().List(); len(got) != 1 || got[0].Polygon[1][0] != 9 {
		t.Errorf("%v: want the config's, which is newer", got)
	}
	r.Send(set, "")
	r.AwaitText(state, leftState)
	if data, err := os.ReadFile(r.dir + "/state/state.json"); err != nil || strings.Contains(string(data), `"zones":{"c0"`) {
		t.Errorf("%v: %s", err, data)
	}
}
