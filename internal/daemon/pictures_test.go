package daemon

import (
	"fmt"
	"slices"
	"strings"
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

// Overlays that are switched off take the last one along, which is retained; those of
// a run that goes on with them stay.
func TestOverlayOffClears(t *testing.T) {
	r := startRig(t, "")
	const topic = "edged/n/c0/overlay"
	overlays := func(on string) {
		t.Helper()
		r.halt()
		<-r.done
		r.config = strings.ReplaceAll(r.config, "overlay = true\n", "")
		r.config = strings.Replace(r.config, "spool_dir", on+"spool_dir", 1)
		r.begin()
	}
	overlays("overlay = true\n")
	seen := func(n int) { t.Helper(); r.First(topic, n) }
	seen(1)
	overlays("overlay = true\n")
	seen(len(r.Got(topic)) + 1)
	if slices.ContainsFunc(r.Got(topic), func(b []byte) bool { return len(b) == 0 }) {
		t.Error("an overlay was taken away that stays")
	}
	overlays("")
	r.AwaitText(topic, "")
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(*mqtt.Result) bool { return true })
	if got := r.Got(topic); len(got[len(got)-1]) != 0 {
		t.Errorf("%d bytes came last", len(got[len(got)-1]))
	}
}
