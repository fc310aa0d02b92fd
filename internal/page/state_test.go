package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"edged"
)

// The script decides what may be said; node runs it as the browser does.
func TestThePageNeverLies(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "node", "testdata/state_test.js")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestStateTellsWhatThePageSaw(t *testing.T) {
	p := New("x", []string{"a", "b"})
	url := serve(t, p)
	f, m := blueFrame(320, 240, edged.BGR), testMask()
	now := time.Now()
	for seq, verdict := range []string{"OK", "NG", "unsure", "scrap", "OK"} {
		p.cameras["a"].ngs.last = time.Time{} // as if a second had passed
		p.Show("a", f, m, &Shot{Seq: uint64(seq + 1), Time: now, Verdict: verdict, Reasons: []edged.Reason{{Text: verdict + " because"}}})
	}
	code, body := get(t, url+"/state")
	var s State
	if err := json.Unmarshal(body, &s); err != nil || code != http.StatusOK {
		t.Fatalf("%d, %v: %s", code, err, body)
	}
	a, b := s.Cameras[0], s.Cameras[1]
	if a.Seq != 5 || a.Verdict != "OK" || a.LastResult == nil || b.LastResult != nil || b.Seq != 0 {
		t.Errorf("a %+v, b %+v", a, b)
	}
	if len(a.NGs) != 2 || a.NGs[0].Seq != 4 || a.NGs[0].Verdict != "scrap" || a.NGs[0].Text != "scrap because" || a.NGs[1].Seq != 2 || len(b.NGs) != 0 {
		t.Errorf("NGs of a %+v, of b %+v", a.NGs, b.NGs)
	}
	_, j := get(t, url+"/ng/a/4")
	img, err := jpeg.Decode(bytes.NewReader(j))
	if err != nil || img.Bounds().Dx() != ngWidth || img.Bounds().Dy() != 120 {
		t.Fatalf("%v, %v", err, img)
	}
	if _, _, blue, _ := img.At(40, 60).RGBA(); blue>>8 < 200 {
		t.Errorf("the blue half is %v", img.At(40, 60))
	}
	for _, path := range []string{"/ng/a/3", "/ng/b/4", "/ng/c/4"} {
		if code, _ := get(t, url+path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
}

func TestOnlyTheLastNGsAreKept(t *testing.T) {
	var r ngRing
	f, m := blueFrame(8, 8, edged.Gray), testMask()
	now := time.Unix(100, 0)
	for seq := uint64(1); seq <= 40; seq++ {
		now = now.Add(ngGap / 2) // every second one comes too soon
		r.note(now, f, m, &Shot{Seq: seq, Verdict: "NG"})
	}
	list := r.list()
	if len(list) != ngShown || list[0].Seq != 39 || list[ngShown-1].Seq != 39-2*(ngShown-1) {
		t.Errorf("%d kept, from %d to %d", len(list), list[0].Seq, list[len(list)-1].Seq)
	}
	if r.jpeg(1) != nil || r.jpeg(0) != nil {
		t.Error("one that is gone has a picture")
	}
}

// The thumbnails' colours are the page's.
func TestOnePalette(t *testing.T) {
	css, err := files.ReadFile("page.css")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range palette {
		if want := fmt.Sprintf("--class-%d: #%02x%02x%02x;", i, c.R, c.G, c.B); !strings.Contains(string(css), want) {
			t.Errorf("page.css lacks %s", want)
		}
	}
}
