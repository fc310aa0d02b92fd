//go:build faults

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged"
	"edged/capture"
	"edged/capture/cameratest"
	"edged/internal/avi"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
	"edged/train/nets"
)

const (
	stripW, stripH = 96, 32
	seenW          = 80 // of a strip's columns

	// lineTable makes a camera a line camera.
	lineTable = "[camera.line]\nstrip = 24\npart = \"rows:200\"\n"

	// lineBelt is a line camera that needs none: 640 rows a second.
	lineBelt = "test:belt?line=1&size=96x32&fps=20"
)

// stripsOf are the belt's first strips, each a picture.
func stripsOf(t *testing.T, n int) (all []image.Image) {
	t.Helper()
	src, err := capture.Open(capture.Config{Name: "strips", Source: fmt.Sprintf("test:belt?line=1&size=%dx%d&fps=0&frames=%d", stripW, stripH, n)})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var f edged.Frame
	for src.Next(context.Background(), &f) == nil {
		img := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
		for i := range f.W * f.H {
			p := f.Pix[i/f.W*f.Stride+3*(i%f.W):]
			img.Set(i%f.W, i/f.W, color.RGBA{p[2], p[1], p[0], 255})
		}
		all = append(all, img)
	}
	return all
}

// writePNG writes a picture.
func writePNG(t *testing.T, path string, img image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

// writeStrips puts strips into a folder, but for the one numbered lost.
func writeStrips(t *testing.T, strips []image.Image, lost int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i, img := range strips {
		if i != lost {
			writePNG(t, filepath.Join(dir, fmt.Sprintf("strip-%06d.png", i)), img)
		}
	}
	return dir
}

// writeClip writes strips as a clip.
func writeClip(t *testing.T, strips []image.Image) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "strips.avi")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := avi.NewWriter(f, stripW, stripH, 25, 95)
	if err != nil {
		t.Fatal(err)
	}
	for _, img := range strips {
		if err := w.Add(img); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// grey reads a picture of class ids.
func grey(t *testing.T, path string) *image.Gray {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	g, ok := img.(*image.Gray)
	if !ok {
		t.Fatalf("%s is no picture of ids: %T", path, img)
	}
	return g
}

// sameRows compares rows of two masks.
func sameRows(t *testing.T, what string, got *image.Gray, at int, want *image.Gray, from, n int) {
	t.Helper()
	if got.Rect.Dx() != want.Rect.Dx() || got.Rect.Dy() < at+n || want.Rect.Dy() < from+n {
		t.Fatalf("%s: %v of %v", what, got.Rect, want.Rect)
	}
	for y := range n {
		for x := range got.Rect.Dx() {
			if got.GrayAt(x, at+y) != want.GrayAt(x, from+y) {
				t.Fatalf("%s: row %d differs from row %d of the whole picture", what, at+y, from+y)
			}
		}
	}
}

// A folder of strips, one that lacks a strip, a clip and a pipeline as line cameras of
// the built program: each row is accounted for, and what `edged watch --stitch` lays
// together is the mask of the whole picture, up to the hole and behind it.
func TestLineSources(t *testing.T) {
	const n, lost = 16, 7
	strips := stripsOf(t, n)
	whole, lacks := writeStrips(t, strips, -1), writeStrips(t, strips, lost)
	pipeline := fmt.Sprintf(`multifilesrc location="%s/strip-%%06d.png" start-index=0 stop-index=%d caps="image/png,framerate=(fraction)25/1" ! pngdec ! videoconvert ! video/x-raw,format=BGR ! appsink sync=false`, whole, n-1)
	r := NewRig(t, Setup{Sources: []string{whole, lacks, writeClip(t, strips), pipeline}, Camera: "engine = \"go\"\n" + lineTable, Later: true})
	base, err := nets.Read(nets.ValidInt8) // bit for bit, whichever way
	if err != nil {
		t.Fatal(err)
	}
	DenseModel(t, base, r.Model, 48, seenW)
	dir := t.TempDir()
	watch := exec.Command(Bin(t, "edged"), "watch", "--broker", r.Broker.URL(), "--stitch", filepath.Join(dir, "belt.png"))
	log, err := os.Create(filepath.Join(dir, "watch.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	said := func() string {
		b, _ := os.ReadFile(log.Name())
		return string(b)
	}
	watch.Stdout, watch.Stderr = log, log
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	defer watch.Process.Kill()
	r.Record()
	mqtttest.Until(t, time.Minute, "watch to listen", func() bool {
		r.Rec.Send("edged/n/probe/status", mqtt.Online)
		return strings.Contains(said(), "n/probe is online")
	})
	out, errs, code := Edged(t, "run", "-c", r.Daemon.Config(), "--once", "--json")
	var ledger struct {
		Balanced bool
		Cameras  map[string]struct{ Line mqtt.LineStats }
	}
	if err := json.Unmarshal([]byte(out), &ledger); err != nil || code != 0 || !ledger.Balanced {
		t.Fatalf("exit %d, %v: %s\n%s", code, err, out, errs)
	}
	for cam, holes := range map[string]uint64{"c0": 0, "c1": 1, "c2": 0, "c3": 0} {
		l := ledger.Cameras[cam].Line
		if want := (n - holes) * stripH; l.Read != want || l.Computed != want || l.Holes != holes || l.Missing != holes*stripH || l.Published+l.Lost["border"] != want {
			t.Errorf("camera %s: the account of rows: %+v", cam, l)
		}
	}
	mqtttest.Until(t, time.Minute, "watch to hear the end", func() bool { return strings.Contains(said(), "n is offline") })
	watch.Process.Signal(syscall.SIGINT)
	if err := watch.Wait(); err != nil {
		t.Fatalf("watch: %v\n%s", err, said())
	}
	defer func() {
		if t.Failed() {
			t.Logf("watch:\n%s\nrun:\n%s", tail(said(), 8000), errs)
		}
	}()
	want := wholeMask(t, r.Model, strips)
	rows := want.Rect.Dy()
	sameRows(t, "the folder", grey(t, filepath.Join(dir, "belt_n_c0_000000000.png")), 0, want, 0, rows)
	sameRows(t, "the pipeline", grey(t, filepath.Join(dir, "belt_n_c3_000000000.png")), 0, want, 0, rows)
	before := grey(t, filepath.Join(dir, "belt_n_c1_000000000.png"))
	sameRows(t, "before the hole", before, 0, want, 0, before.Rect.Dy())
	behind := grey(t, filepath.Join(dir, fmt.Sprintf("belt_n_c1_%09d.png", (lost+1)*stripH)))
	sameRows(t, "behind the hole", behind, 0, want, rows-behind.Rect.Dy(), behind.Rect.Dy())
	if got := rows - before.Rect.Dy() - behind.Rect.Dy(); got <= lost {
		t.Errorf("%d rows of the mask lack for a hole of %d rows", got, stripH)
	}
	if n := strings.Count(said(), "rows laid together -> "); n != 5 {
		t.Errorf("watch tells of %d pictures:\n%s", n, said())
	}
}

// wholeMask is what the built program sees of all strips as one picture, in the middle
// of their columns, by tiles.
func wholeMask(t *testing.T, model string, strips []image.Image) *image.Gray {
	t.Helper()
	dir := t.TempDir()
	one := image.NewRGBA(image.Rect(0, 0, seenW, len(strips)*stripH))
	for i, img := range strips {
		for y := range stripH {
			for x := range seenW {
				one.Set(x, i*stripH+y, img.At(x+(stripW-seenW)/2, y))
			}
		}
	}
	in, out := filepath.Join(dir, "one.png"), filepath.Join(dir, "mask.png")
	writePNG(t, in, one)
	if _, errs, code := Edged(t, "infer", model, "--in", in, "--fit", "tile", "--engine", "go", "--out", out); code != 0 {
		t.Fatalf("infer: exit %d: %s", code, errs)
	}
	return grey(t, out)
}

// lineRig is a rig of one line camera, with an area camera beside it.
func lineRig(t *testing.T, source string, s Setup) *Rig {
	t.Helper()
	s.Sources, s.Each = []string{source, Belt}, map[int]string{0: lineTable}
	return NewRig(t, s)
}

// anotherPicture waits until a hole has begun another picture of the line camera.
func (r *Rig) anotherPicture(than int) {
	r.T.Helper()
	mqtttest.Until(r.T, time.Minute, "a picture that begins behind a hole", func() bool { return r.Rec.Pictures("c0") > than })
}

// A line camera that loses its power, and whose worker dies: each is a hole, at which
// a picture ends and another begins, and the account of rows is exact.
func TestLineGigE(t *testing.T) {
	camera := cameratest.StartGigE(t, "EDGED1")
	r := lineRig(t, gigeSource+"&Height=64", Setup{Wrap: withoutRawSockets})
	for range Rounds() {
		before := r.Rec.Pictures("c0")
		for _, w := range r.Daemon.Workers() {
			if err := syscall.Kill(w, syscall.SIGSEGV); err != nil {
				t.Fatal(err)
			}
		}
		r.anotherPicture(before)
		mqtttest.Until(t, time.Minute, "online on the camera's status topic", func() bool { return r.Rec.Last("edged/n/c0/status") == mqtt.Online })
		before = r.Rec.Pictures("c0")
		camera.Kill()
		r.goesOffline(time.Minute)
		camera = cameratest.StartGigE(t, "EDGED1")
		r.anotherPicture(before)
		r.Await()
	}
	r.Close()
	if s, _ := r.Rec.Stats(); s.Cameras["c0"].Line.Holes < uint64(2*Rounds()) {
		t.Errorf("the account of rows tells of too few holes: %+v", s.Cameras["c0"].Line)
	}
}

// The broker away is no hole: rows go on, and their account is exact.
func TestLineBrokerAway(t *testing.T) {
	b := mqtttest.StartBroker(t, "max_queued_messages 0")
	p := mqtttest.NewProxy(t, b.Addr())
	r := lineRig(t, lineBelt, Setup{On: b, URL: p.URL()})
	for range Rounds() {
		p.Cut()
		p.Hole()
		time.Sleep(outage(5*time.Second, time.Second))
		p.Heal()
		r.Await()
	}
	r.Close()
	if s, _ := r.Rec.Stats(); s.Cameras["c0"].Line.Holes != 0 || r.Rec.Pictures("c0") != 1 {
		t.Errorf("%d pictures: %+v", r.Rec.Pictures("c0"), s.Cameras["c0"].Line)
	}
}

// A daemon that is killed begins anew: its rows are counted from 0, and what it said
// before stays said.
func TestLineDaemonKilled(t *testing.T) {
	r := lineRig(t, lineBelt, Setup{})
	for range Rounds() {
		r.Daemon.Kill()
		r.Daemon.Start()
		r.Await()
		mqtttest.Until(t, time.Minute, "its first picture", func() bool { return r.Rec.Pictures("c0") == 1 })
	}
	r.Close()
}

// A live pipeline whose worker dies or hangs: each is a hole, and what the pipeline
// gives while the model is busy counts.
func TestLineWorkerKilled(t *testing.T) {
	r := lineRig(t, "videotestsrc is-live=true pattern=ball ! video/x-raw,width=96,height=32,framerate=25/1 ! videoconvert ! video/x-raw,format=BGR ! appsink sync=false", Setup{})
	for range Rounds() {
		for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
			before := r.Rec.Pictures("c0")
			for _, w := range r.Daemon.Workers() {
				if err := syscall.Kill(w, sig); err != nil {
					t.Fatal(err)
				}
			}
			r.anotherPicture(before)
		}
	}
	r.Close()
	if s, _ := r.Rec.Stats(); s.Cameras["c0"].Line.Holes < uint64(2*Rounds()) {
		t.Errorf("the account of rows tells of too few holes: %+v", s.Cameras["c0"].Line)
	}
}
