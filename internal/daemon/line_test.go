package daemon

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/internal/daemontest"
	"edged/internal/page"
	"edged/mqtt"
)

// lineLines make a camera of the belt a line camera.
const lineLines = "source = \"test:belt?line=1&size=96x32&fps=50\"\n[camera.line]\nstrip = 32\npart = \"rows:200\"\n[[camera.rule]]\nclass = \"metal\"\nmin_area_px = 50\n"

// A changed [camera.line] waits for a restart and says so; what else is changed is
// taken over with a new picture, whose parts are numbered on. A camera that is to
// become an area camera waits with all of its keys.
func TestALineIsReconfigured(t *testing.T) {
	r := startRig(t, lineLines)
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(v *mqtt.Result) bool { return v.Line.Ends && v.Line.Part == "1" })
	edit := rewritable(r)
	edit("strip = 32", "strip = 16")
	edit("min_area_px = 50", "min_area_px = 51")
	r.hangup <- os.Interrupt
	waits := func(e *mqtt.Event) bool {
		return e.Kind == mqtt.EventConfig && strings.HasSuffix(e.Message, "waiting for a restart: camera c0: line")
	}
	daemontest.Await(r.Subscriber, "edged/n/c0/event", waits)
	last := 0
	torn := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(v *mqtt.Result) bool {
		fmt.Sscan(v.Line.Part, &last)
		return v.Line.Ends && len(v.Reasons) == 1 && v.Reasons[0].Kind == "hole"
	})
	next := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(v *mqtt.Result) bool { return v.Seq > torn.Seq && v.Line.Begins })
	if torn.Verdict != "unsure" || next.Line.Part != fmt.Sprint(last+1) || next.Seq != torn.Seq+1 {
		t.Errorf("part %d was cut by the new config: %q; part %s follows", last, torn.Verdict, next.Line.Part)
	}
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventVerdict && e.Verdict == mqtt.Unsure })
	if len(e.Reasons) != 1 || e.Reasons[0].Kind != "hole" || e.PartID != fmt.Sprint(last) {
		t.Errorf("event %+v", e)
	}
	daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventVerdict && e.Previous == mqtt.Unsure })
	edit("[camera.line]\nstrip = 16\npart = \"rows:200\"\n", "roi = [0, 0, 56, 32]\n")
	r.Request("reload", "r1", "")
	if now := r.d.units[0].now(); now.Line == nil || len(now.ROI) != 0 {
		t.Errorf("taken over: %+v", now)
	}
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(v *mqtt.Result) bool { return v.Line.Ends && v.Seq > next.Seq && v.Verdict == "NG" })
}

// The files of a folder are parts: each has its verdict under its name, one that no
// row of the mask lies in is told, and a number that lacks is a hole.
func TestAFolderOfParts(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, rows int) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := png.Encode(f, image.NewRGBA(image.Rect(0, 0, 60, rows))); err != nil {
			t.Fatal(err)
		}
	}
	for name, rows := range map[string]int{"s-1.png": 60, "s-2.png": 50, "s-3.png": 1, "s-4.png": 60, "s-6.png": 70, "s-7.png": 50} {
		put(name, rows)
	}
	r := startRig(t, fmt.Sprintf("source = %q\n[camera.line]\nstrip = 32\npart = \"trigger\"\n[[camera.rule]]\nclass = \"pit\"\nmax_total_ratio = 1.0\n", dir))
	ends := map[string]string{}
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(v *mqtt.Result) bool {
		if v.Line.Ends {
			ends[v.PartID] += v.Verdict
		}
		return v.Line.Ends && v.PartID == "s-6.png"
	})
	if ends["s-1.png"] != "OK" || ends["s-2.png"] != "OK" || ends["s-4.png"] != "unsure" || ends["s-6.png"] != "OK" {
		t.Errorf("verdicts %v", ends)
	}
	if said, ok := ends["s-3.png"]; ok != (said == "OK") {
		t.Errorf("a part of one row: %q", said)
	} else if !ok {
		daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool {
			return e.Kind == mqtt.EventMissedTrigger && e.PartID == "s-3.png" && strings.Contains(e.Message, "no row of the mask")
		})
	}
	for part, change := range map[string]string{"s-4.png": "OK unsure", "s-6.png": "unsure OK"} {
		e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventVerdict && e.PartID == part })
		if e.Previous+" "+e.Verdict != change {
			t.Errorf("event of part %s: %+v", part, e)
		}
	}
	l := r.d.units[0].account().Line
	for limit := time.Now().Add(time.Minute); l.Read < 291 && time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		l = r.d.units[0].account().Line
	}
	if l.Missing != 70 || l.Holes != 1 || l.Read != 60+50+1+60+70+50 {
		t.Errorf("the account of rows: %+v", l)
	}
}

// rowsOnPage is the picture that the page shows, as the brightness of each of its rows.
func rowsOnPage(t *testing.T, r *rig) (rows []float64) {
	t.Helper()
	resp, err := http.Get("http://" + r.d.Address() + "/snapshot/c0")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	img, err := jpeg.Decode(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		sum := 0.0
		for x := b.Min.X; x < b.Max.X; x++ {
			sum += float64(color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
		}
		rows = append(rows, sum/float64(b.Dx()))
	}
	return rows
}

// scrolled is by how many rows b is a further up; 0: by none that shows.
func scrolled(a, b []float64) int {
	for d := 1; d <= len(a)*3/4; d++ {
		apart, seen := 0.0, 0.0
		for y := range len(a) - d {
			apart = max(apart, math.Abs(a[y+d]-b[y]))
			seen = max(seen, math.Abs(b[y]-b[0]))
		}
		if apart < 4 && seen > 40 {
			return d
		}
	}
	return 0
}

// What was said of a part stands on the page until the next is whole, and is news once.
func TestAPartsVerdictStands(t *testing.T) {
	var p partSaid
	show := func(verdict, part string, ends bool) string {
		s := page.Shot{Verdict: verdict, PartID: part}
		p.hold(&s, ends)
		return fmt.Sprint(s.Verdict, " ", s.PartID, " ", s.Open, " ", s.Held)
	}
	for i, c := range []struct {
		verdict, part string
		ends          bool
		want          string
	}{{"", "1", false, " 1 true true"}, {"NG", "1", true, "NG 1 false false"}, {"", "2", false, "NG 1 false true"}, {"", "", false, "NG 1 false true"}, {"OK", "2", true, "OK 2 false false"}} {
		if got := show(c.verdict, c.part, c.ends); got != c.want {
			t.Errorf("result %d: %s, want %s", i, got, c.want)
		}
	}
	r := startRig(t, lineLines)
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(v *mqtt.Result) bool { return v.Line.Part == "4" })
	resp, err := http.Get("http://" + r.d.Address() + "/state")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var state page.State
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	if text := r.d.units[0].auditText(); !strings.HasPrefix(text, "none: strips of a line camera") {
		t.Errorf("the page says of the audit %q", text)
	}
	if c := state.Cameras[0]; c.Verdict == "" || len(c.NGs) > 5 {
		t.Errorf("the page says %q, with %d NGs", c.Verdict, len(c.NGs))
	}
}

// The page shows the latest rows of a line camera, which scroll: what was shown is
// further up a moment later, by whole strips.
func TestThePageScrolls(t *testing.T) {
	r := startRig(t, strings.Replace(lineLines, "fps=50", "fps=10", 1))
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(v *mqtt.Result) bool { return v.Line.Row > canvasRows })
	before := rowsOnPage(t, r)
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); {
		now := rowsOnPage(t, r)
		if len(now) != canvasRows {
			t.Fatalf("the page shows %d rows", len(now))
		}
		if d := scrolled(before, now); d > 0 {
			if d%32 != 0 {
				t.Errorf("scrolled by %d rows, strips have 32", d)
			}
			return
		}
		before = now
	}
	t.Error("the picture does not scroll")
}
