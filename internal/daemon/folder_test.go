package daemon

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/internal/daemontest"
	"edged/internal/page"
	"edged/mqtt"
)

// still is a PNG of the rig's size, of one grey.
func stillPNG(t *testing.T, grey byte) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 96, 80))
	for i := range m.Pix {
		m.Pix[i] = grey
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func putFile(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	hidden := filepath.Join(dir, "."+name)
	if err := os.WriteFile(hidden, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(hidden, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// A folder is watched: a file's name is its part's, what is no picture is an event
// with its name, and nothing comes twice over a restart.
func TestWatchedFolder(t *testing.T) {
	pictures := t.TempDir()
	putFile(t, pictures, "a.png", stillPNG(t, 40))
	r := startRig(t, fmt.Sprintf("source = %q", pictures))
	result := func(part string) *mqtt.Result {
		t.Helper()
		return daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.PartID == part })
	}
	if p := result("a.png"); p.File != "a.png" || p.Seq != 1 {
		t.Errorf("result %+v", p)
	}
	bad := append([]byte("\x89PNG\r\n\x1a\n rubbish"), stillPNG(t, 0)[len(stillPNG(t, 0))-12:]...)
	putFile(t, pictures, "bad.png", bad)
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventMissedTrigger })
	if e.PartID != "bad.png" || !strings.Contains(e.Message, "corrupt") {
		t.Errorf("event %+v", e)
	}
	r.awaitPage("that it waits for pictures", func(s page.State) bool {
		return strings.Contains(s.Cameras[0].Why, "waits for new pictures")
	})
	r.halt()
	<-r.done
	putFile(t, pictures, "b.png", stillPNG(t, 90))
	r.begin()
	if p := result("b.png"); p.Seq != 1 {
		t.Errorf("result %d of the new run is the first new picture", p.Seq)
	}
	time.Sleep(500 * time.Millisecond)
	if n := r.d.units[0].account(); n.Published != 1 || n.RefusedBy["corrupt"] != 0 {
		t.Errorf("after the restart: %+v", n)
	}
}

// A source that has ended rests: an end of the daemon would be a restart under
// systemd, and everything published again.
func TestEndedSourceRests(t *testing.T) {
	r := startRig(t, `source = "test:belt?size=96x80&fps=0&frames=5"`)
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(*mqtt.Result) bool { return true })
	r.awaitPage("the end", func(s page.State) bool { return s.Cameras[0].Status == "ended" })
	select {
	case err := <-r.done:
		t.Fatalf("the daemon ended: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if n := r.d.units[0].account(); n.Published+n.PassedOver != 5 || n.InWork != 0 {
		t.Errorf("account %+v", n)
	}
}
