package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func shot(seed uint64, w, h int, format edged.PixelFormat) (*edged.Frame, *edged.Mask) {
	r := rand.New(rand.NewPCG(seed, 1))
	stride := w*format.Channels() + 5
	f := &edged.Frame{W: w, H: h, Stride: stride, Format: format, Pix: make([]byte, stride*h)}
	for i := range f.Pix {
		f.Pix[i] = byte(r.Uint32())
	}
	m := &edged.Mask{W: w / 2, H: h / 2, Stride: w/2 + 3, Pix: make([]byte, (w/2+3)*(h/2))}
	for i := range m.Pix {
		m.Pix[i] = byte(r.Uint32N(5))
	}
	return f, m
}

func result(seq uint64, at time.Time, text string) Result {
	return Result{Seq: seq, Time: at, Body: func() ([]byte, error) {
		return []byte(fmt.Sprintf(`{"seq":%d,"verdict":"NG","part_id":"Ä1","reasons":[{"text":%q}]}`, seq, text)), nil
	}}
}

func config(t *testing.T) Config {
	c := Default()
	c.Dir, c.Wait, c.Log = filepath.Join(t.TempDir(), "evidence"), true, slog.New(slog.DiscardHandler)
	c.MaxAge = 0
	return c
}

func pictures(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A file holds the frame bit by bit for any PNG reader, its mask and its result.
func TestWhatIsKeptIsWhatWasSeen(t *testing.T) {
	for _, format := range []edged.PixelFormat{edged.BGR, edged.RGB, edged.Gray} {
		c := config(t)
		s := Open(c)
		f, m := shot(7, 33, 21, format)
		s.Offer("press", f, m, result(42, noon, "pit: größer"))
		want := append([]byte{}, f.Pix...)
		clear(f.Pix) // it was only lent
		if !s.Close(10 * time.Second) {
			t.Fatal("it does not end")
		}
		path := filepath.Join(c.Dir, "press", "20260301T120000.000Z-000042.png")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil || img.Bounds() != image.Rect(0, 0, 33, 21) {
			t.Fatalf("%v, %v", img, err)
		}
		for y := range 21 {
			for x := range 33 {
				p := want[y*f.Stride+x*format.Channels():]
				rgb := [3]byte{p[0], p[0], p[0]}
				switch format {
				case edged.BGR:
					rgb = [3]byte{p[2], p[1], p[0]}
				case edged.RGB:
					rgb = [3]byte{p[0], p[1], p[2]}
				}
				r, g, b, _ := img.At(x, y).RGBA()
				if got := [3]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)}; got != rgb {
					t.Fatalf("%v: pixel %d, %d is %v, want %v", format, x, y, got, rgb)
				}
			}
		}
		texts, err := ReadTexts(path)
		if err != nil || !strings.Contains(string(texts.Result), "größer") {
			t.Fatalf("%s, %v", texts.Result, err)
		}
		mask, err := png.Decode(bytes.NewReader(texts.Mask))
		if err != nil {
			t.Fatal(err)
		}
		for y := range m.H {
			for x := range m.W {
				if got := mask.(*image.Gray).GrayAt(x, y).Y; got != m.Pix[y*m.Stride+x] {
					t.Fatalf("mask %d, %d: %d", x, y, got)
				}
			}
		}
	}
}

// Count, bytes and age are kept to, over a restart, and what is not evidence is left
// alone: the oldest go first.
func TestLimits(t *testing.T) {
	c := config(t)
	c.MaxCount = 5
	s := Open(c)
	f, m := shot(1, 16, 16, edged.RGB)
	for i := range 9 {
		s.Offer([]string{"a", "b"}[i%2], f, m, result(uint64(i+1), noon.Add(time.Duration(i)*time.Second), "x"))
	}
	s.Close(10 * time.Second)
	names := pictures(t, c.Dir)
	if a := s.Account(); len(names) != 5 || a.Count != 5 || a.Kept != 9 || strings.Contains(fmt.Sprint(names), "-000004") {
		t.Fatalf("%q, %+v", names, a)
	}
	one, err := os.Stat(names[0])
	if err != nil {
		t.Fatal(err)
	}
	stranger, draft, half := filepath.Join(c.Dir, "a", "notes.png"), filepath.Join(c.Dir, "a", ".20260301T120000.000Z-000001.tmp"), filepath.Join(c.Dir, "b", "20260101T120000.000Z-000001.png")
	for path, data := range map[string]string{stranger: "mine", draft: "half", half: "\x89PNG\r\n\x1a\n"} {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.MaxBytes = 3*one.Size() + one.Size()/2
	s = Open(c)
	s.Offer("c", f, m, result(10, noon.Add(time.Minute), "x"))
	s.Close(10 * time.Second)
	names = pictures(t, c.Dir)
	if a := s.Account(); a.Count != 3 || a.Bytes > c.MaxBytes || len(names) != 4 || !slices.Contains(names, stranger) {
		t.Fatalf("%q, %+v", names, a)
	}
	if slices.Contains(names, half) {
		t.Error("half a file counts")
	}
	if _, err := os.Stat(draft); err == nil {
		t.Error("a draft of before is still there")
	}
	c.MaxAge = time.Hour // noon is long ago
	s = Open(c)
	s.Offer("c", f, m, result(11, time.Now(), "x"))
	s.Close(10 * time.Second)
	if names := pictures(t, c.Dir); len(names) != 2 || s.Account().Count != 1 {
		t.Errorf("%q", names)
	}
	c.MaxBytes = 10
	s = Open(c)
	s.Offer("c", f, m, result(12, time.Now(), "x"))
	s.Close(10 * time.Second)
	if a := s.Account(); a.Dropped[TooLarge] != 1 {
		t.Errorf("%+v", a)
	}
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// A folder that cannot be used is told, costs the frames nothing, and is used as
// soon as it can be, also when no NG comes.
func TestAFolderThatHeals(t *testing.T) {
	c := config(t)
	c.Wait = false
	if err := os.WriteFile(c.Dir, []byte("a file in its place"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(c, 50*time.Millisecond)
	defer s.Close(time.Second)
	await(t, "the fault", func() bool { return s.Fault() != nil })
	f, m := shot(1, 16, 16, edged.RGB)
	for range 20 {
		s.Offer("a", f, m, result(1, noon, "x"))
	}
	if a := s.Account(); a.Dropped[Disk] == 0 || a.Kept != 0 || !strings.Contains(a.Fault.Error(), "evidence") {
		t.Fatalf("%+v", a)
	}
	if err := os.Remove(c.Dir); err != nil {
		t.Fatal(err)
	}
	await(t, "its end", func() bool { return s.Fault() == nil })
	s.Offer("a", f, m, result(2, noon, "x"))
	await(t, "a file", func() bool { return s.Account().Count == 1 })
	// The camera's folder is no folder: only its own NGs fail, then heal.
	if err := os.WriteFile(filepath.Join(c.Dir, "b"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	await(t, "the fault of one camera", func() bool {
		s.Offer("b", f, m, result(3, noon, "x"))
		return s.Fault() != nil
	})
}

// Who makes room by hand finds it in the account.
func TestRemovedByHand(t *testing.T) {
	c := config(t)
	s := Open(c)
	f, m := shot(1, 16, 16, edged.RGB)
	for i, camera := range []string{"a", "a", "b"} {
		s.Offer(camera, f, m, result(uint64(i), noon, "x"))
	}
	s.Close(10 * time.Second)
	files := pictures(t, c.Dir)
	for gone, path := range files {
		s.forget()
		if a := s.Account(); a.Count != len(files)-gone || (a.Bytes == 0) != (a.Count == 0) {
			t.Errorf("%d of %d are gone: %+v", gone, len(files), a)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(c.Dir); err != nil {
		t.Fatal(err)
	}
	if s.forget(); s.Account().Count != 0 || s.Account().Bytes != 0 {
		t.Errorf("all are gone: %+v", s.Account())
	}
}

// A disk with room for a small file is still full for a picture.
func TestRoomFor(t *testing.T) {
	dir := t.TempDir()
	if err := roomFor(dir, 1); err != nil {
		t.Error(err)
	}
	if err := roomFor(dir, 1<<62); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("room for 4 EiB: %v", err)
	}
}

// More than the disk takes is dropped and counted: each offer is one or the other.
func TestAFloodIsCounted(t *testing.T) {
	c := config(t)
	c.Wait = false
	s := Open(c)
	f, m := shot(3, 320, 240, edged.BGR)
	const n = 200
	for i := range n {
		s.Offer("a", f, m, result(uint64(i), noon, "x"))
	}
	s.Close(10 * time.Second)
	a := s.Account()
	if a.Kept == 0 || a.Kept+a.Dropped[Busy] != n || int(a.Kept) != len(pictures(t, c.Dir)) {
		t.Errorf("%+v of %d", a, n)
	}
}

func TestServed(t *testing.T) {
	c := config(t)
	s := Open(c)
	f, m := shot(3, 20, 20, edged.BGR)
	for i := range 30 {
		s.Offer([]string{"a", "b"}[i%2], f, m, result(uint64(i+1), noon.Add(time.Duration(i)*time.Second), "why"))
	}
	s.Close(10 * time.Second)
	if err := os.WriteFile(filepath.Join(c.Dir, "secret.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.Register(mux)
	server := httptest.NewServer(mux)
	defer server.Close()
	get := func(path string) (int, string) {
		t.Helper()
		r, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(b)
	}
	var list struct {
		Evidence []Entry
		More     bool
	}
	_, body := get("/evidence?camera=a&limit=10")
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Evidence) != 10 || !list.More || list.Evidence[0].Seq != 29 || list.Evidence[0].Text != "why" || list.Evidence[0].PartID != "Ä1" {
		t.Fatalf("%v: %s", err, body)
	}
	first := list.Evidence[0]
	_, body = get("/evidence?camera=a&before=" + list.Evidence[9].ID)
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Evidence) != 5 || list.More || list.Evidence[4].Seq != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	for end, begins := range map[string]string{".png": "\x89PNG", ".mask.png": "\x89PNG", ".json": `{"seq":29`} {
		if code, body := get("/evidence/a/" + first.ID + end); code != 200 || !strings.HasPrefix(body, begins) {
			t.Errorf("%s: %d, %.40q", end, code, body)
		}
	}
	for _, path := range []string{"/evidence/a/x.png", "/evidence/c/" + first.ID + ".png", "/evidence/b/" + first.ID + ".png", "/evidence/a/" + first.ID, "/evidence/../evidence/secret.json", "/evidence/a/..%2f..%2fsecret.json", "/evidence/a/%2e%2e%2f" + first.ID + ".png"} {
		if code, body := get(path); code != 404 {
			t.Errorf("%s: %d, %.40q", path, code, body)
		}
	}
	if code, _ := get("/evidence?limit=0"); code != 400 {
		t.Errorf("limit 0: %d", code)
	}
	if err := os.RemoveAll(filepath.Join(c.Dir, "a")); err != nil { // somebody tidied up
		t.Fatal(err)
	}
	if _, body := get("/evidence?camera=a"); !strings.Contains(body, "cannot be read") {
		t.Errorf("%s", body)
	}
}

func FuzzReadTexts(f *testing.F) {
	frame, m := shot(1, 8, 8, edged.RGB)
	r := &record{}
	r.fill("a", frame, m, 1, noon, []byte(`{}`))
	data, err := encode(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte(signature + "\xff\xff\xff\xffiTXt"))
	f.Fuzz(func(t *testing.T, b []byte) {
		texts, err := readTexts(bytes.NewReader(b))
		if err == nil && texts.Result == nil {
			t.Error("no result and no error")
		}
	})
}
