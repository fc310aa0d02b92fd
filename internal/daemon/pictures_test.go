package daemon

import (
	"fmt"
	"testing"

	"edged/internal/daemontest"
	"edged/mqtt"
)

// A black picture is unsure at once although the rules hold, with its measures, an
// event and a count; the next good one is not.
func TestPictureQuality(t *testing.T) {
	pictures := t.TempDir()
	r := startRig(t, fmt.Sprintf("source = %q\n[camera.quality]\ndark = 0.5\n[[camera.rule]]\nclass = \"metal\"\nhold = 5", pictures))
	result := func(part string) *mqtt.Result {
		t.Helper()
		return daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.PartID == part })
	}
	putFile(t, pictures, "1.png", stillPNG(t, 128))
	if p := result("1.png"); p.Verdict != "OK" || p.Quality == nil || p.Quality.Dark != 0 || p.Quality.Alike != 0 {
		t.Errorf("good: %q, %+v", p.Verdict, p.Quality)
	}
	putFile(t, pictures, "2.png", stillPNG(t, 3))
	if p := result("2.png"); p.Verdict != mqtt.Unsure || p.Quality.Dark != 1 || len(p.Reasons) != 1 || p.Reasons[0].Kind != "dark" || p.Reasons[0].Limit != 0.5 {
		t.Errorf("black: %q, %+v, %+v", p.Verdict, p.Quality, p.Reasons)
	}
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventQuality })
	if e.Verdict != mqtt.Unsure || e.Previous != "OK" || e.PartID != "2.png" || len(e.Reasons) != 1 {
		t.Errorf("event %+v", e)
	}
	putFile(t, pictures, "3.png", stillPNG(t, 128))
	if p := result("3.png"); p.Verdict != "OK" {
		t.Errorf("good again: %q", p.Verdict)
	}
	if n := r.d.units[0].noticed(r.d.units[0].account().source); n["unsure"] != 1 || n["unsure_dark"] != 1 {
		t.Errorf("counted %v", n)
	}
}
