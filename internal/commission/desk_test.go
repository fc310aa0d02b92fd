package commission

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/fallback"
	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/train/nets"
)

var known = config.Engines{Names: []string{"auto", "go"}, MaxThreads: 2}

// net is one of the bundled ones.
func net(t testing.TB, name string) []byte {
	t.Helper()
	b, err := nets.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rig is a desk in a folder, with its API.
type rig struct {
	t     *testing.T
	desk  *Desk
	token string
	mux   *http.ServeMux
	path  string
}

func newRig(t *testing.T, text string) *rig {
	t.Helper()
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "line", "edged.toml"), mux: http.NewServeMux()}
	if err := os.Mkdir(filepath.Dir(r.path), 0o755); err != nil {
		t.Fatal(err)
	}
	if text != "" {
		r.write(text)
	}
	var err error
	r.desk, r.token, err = New(Config{
		Path: r.path, Program: "/bin/false", Engines: known, Upload: 1 << 20, Log: slog.New(slog.DiscardHandler),
		Open:   func(_ string, m []byte, o edged.Options) (edged.Engine, error) { return fallback.Open(m, o) },
		Choose: func(context.Context, []byte, string) (string, error) { return "go", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.desk.Close)
	r.desk.Register(r.mux)
	return r
}

func (r *rig) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) text() string {
	r.t.Helper()
	b, err := os.ReadFile(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

func (r *rig) ask(token, method, path string, body []byte) (int, []byte) {
	q := httptest.NewRequest(method, "http://127.0.0.1/commission/api/"+path, bytes.NewReader(body))
	q.Header.Set("Content-Type", "application/json")
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	r.mux.ServeHTTP(w, q)
	return w.Code, w.Body.Bytes()
}

// get asks with the token, and for an answer of 200.
func (r *rig) get(method, path string, body, answer any) {
	r.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	code, got := r.ask(r.token, method, path, b)
	if code != http.StatusOK {
		r.t.Fatalf("%s %s: %d %s", method, path, code, got)
	}
	if answer != nil {
		if err := json.Unmarshal(got, answer); err != nil {
			r.t.Fatalf("%s: %v", got, err)
		}
	}
}

// live waits for a picture of the source.
func (r *rig) live() {
	r.t.Helper()
	r.get("PUT", "source", map[string]string{"source": "test:belt?size=96x80"}, nil)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var s state
		if r.get("GET", "state", nil, &s); s.Camera.W == 96 {
			return
		}
		if time.Now().After(end) {
			r.t.Fatal("no picture")
		}
	}
}

// A draft is tried on pictures, a rule at a time, and what it says is its masks'.
func TestTry(t *testing.T) {
	r := newRig(t, "")
	daemontest.DenseFile(t, filepath.Dir(r.path), nets.Valid, 48, 56)
	r.live()
	for range 3 {
		r.get("POST", "record", nil, nil)
	}
	draft := Draft{Model: "dense.tflite", Rules: []Rule{{Class: "metal", MaxTotalRatio: 1e-9, Hold: 9}, {Class: "background", Verdict: "empty"}}}
	var said struct{ Results []tried }
	r.get("POST", "try", map[string]any{"draft": draft, "frames": "recorded"}, &said)
	if len(said.Results) != 3 {
		t.Fatalf("%+v", said)
	}
	for _, one := range said.Results {
		want := "NG"
		if one.Pixels[1] == 0 {
			want = "empty"
		}
		if one.Verdict != want || len(one.Reasons) == 0 {
			t.Errorf("%+v: want %s", one, want)
		}
		if code, body := r.ask(r.token, "GET", fmt.Sprintf("try/%d", one.N), nil); code != 200 || !bytes.Contains(body, []byte("\x89PNG")) {
			t.Errorf("its picture: %d", code)
		}
	}
	for body, says := range map[string]string{
		`{"draft": {"model": "dense.tflite", "rules": [{"class": "x"}]}, "frames": "live"}`:              "the model has",
		`{"draft": {"model": "none.tflite"}, "frames": "live"}`:                                          "none.tflite",
		`{"draft": {"model": "../edged.toml"}, "frames": "live"}`:                                        "beside the config",
		`{"draft": {"model": "/etc/passwd"}, "frames": "live"}`:                                          "beside the config",
		`{"draft": {"model": "dense.tflite", "roi": [0, 0, 5, 5]}, "frames": "live"}`:                    "small",
		`{"draft": {"model": "dense.tflite", "prepare": {"mean": [1], "scale": [0]}}, "frames": "live"}`: "scale",
		`{"draft": {"model": "dense.tflite"}, "frames": "9"}`:                                            "no such picture",
		`{"draft": {"colour": 1}, "frames": "live"}`:                                                     "colour",
	} {
		if _, got := r.ask(r.token, "POST", "try", []byte(body)); !strings.Contains(string(got), says) {
			t.Errorf("%s: %s, want %q", body, got, says)
		}
	}
}

// What is brought is read first, bounded, kept beside the config and written over
// nothing.
func TestUpload(t *testing.T) {
	r := newRig(t, "")
	belt, other := net(t, nets.Valid), net(t, nets.ValidInt8)
	var a about
	code, body := r.ask(r.token, "PUT", "model/belt.tflite", belt)
	if err := json.Unmarshal(body, &a); code != 200 || err != nil || a.Kind != "classifier" || a.Classes != 5 || len(a.Asks) != 0 {
		t.Fatalf("%d %s", code, body)
	}
	if code, _ := r.ask(r.token, "PUT", "model/belt.tflite", belt); code != 200 {
		t.Errorf("the same again: %d", code)
	}
	for _, c := range []struct {
		name string
		data []byte
		want int
	}{
		{"belt.tflite", other, 409}, {"edged.toml", belt, 400}, {"..%2fx.tflite", belt, 400}, {".x.tflite", belt, 400},
		{"x.tflite", []byte("no model"), 422}, {"x.tflite", make([]byte, 1<<20+1), 413}, {"x.tflite", nil, 422},
	} {
		if code, body := r.ask(r.token, "PUT", "model/"+c.name, c.data); code != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, code, body, c.want)
		}
	}
	if names := r.desk.models(); len(names) != 1 {
		t.Errorf("%q", names)
	}
}

// tree is every file below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all[path] = string(b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Ten thousand calls of any kind: nothing crashes, nothing outside of the folder
// changes, and without the token nothing at all does.
func TestAnyCalls(t *testing.T) {
	r := newRig(t, commented)
	outside := filepath.Join(filepath.Dir(filepath.Dir(r.path)), "outside.tflite")
	if err := os.WriteFile(outside, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(22, 6))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	value := func() string {
		return pick(`1`, `-1`, `1e300`, `null`, `""`, `"a"`, `"../outside.tflite"`, `"dense.tflite"`, `"live"`, `"recorded"`, `[]`, `[1,2,3,4]`, `[[1e9,2],[3,4],[5,6]]`, `{}`, `"`+strings.Repeat("x", 300)+`"`, `"a\u0000\n[[camera]]"`, `{"name":"one","model":"x.tflite","source":"test:belt","zones":[{"name":"z","polygon":[[1,2],[3,4],[5,1]]}],"rules":[{"class":"c"}]}`, `"plan"`, `"make"`, `[48,56]`)
	}
	body := func() []byte {
		var parts []string
		for range rnd.IntN(5) {
			parts = append(parts, fmt.Sprintf("%q: %s", pick("draft", "sum", "frames", "source", "kind", "model", "input", "stride", "form", "x"), value()))
		}
		b := []byte("{" + strings.Join(parts, ", ") + "}")
		for rnd.IntN(4) == 0 && len(b) > 0 {
			b[rnd.IntN(len(b))] = byte(rnd.Uint32())
		}
		return b
	}
	// Sources that open cameras of the machine are left out: they are no matter of bytes.
	paths := []string{"state", "camera/one", "camera/%2e%2e", "record", "frame/live", "frame/-1", "frame/recorded", "model/x.tflite", "model/..%2foutside.tflite", "model/%2e%2e%2foutside.tflite", "model/a%00.tflite", "job", "try", "try/0", "try/-9", "diff", "save", "nothing", "../api/save", "model/" + strings.Repeat("a", 5000)}
	const calls = 10_000
	before := tree(t, filepath.Dir(filepath.Dir(r.path)))
	codes := map[int]int{}
	for i := range calls {
		token := r.token
		if i < calls/2 {
			token = pick("", "x", r.token[1:], r.token+"0", strings.ToUpper(r.token)+" ")
		}
		code, _ := r.ask(token, pick("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"), paths[rnd.IntN(len(paths))], body())
		codes[code]++
		if i == calls/2-1 {
			if now := tree(t, filepath.Dir(filepath.Dir(r.path))); fmt.Sprint(now) != fmt.Sprint(before) || codes[200] != 0 {
				t.Fatalf("without the token: %v", codes)
			}
		}
	}
	if codes[200] == 0 || codes[400] == 0 || codes[401] == 0 {
		t.Errorf("%v: this asks for nothing", codes)
	}
	for path, text := range tree(t, filepath.Dir(filepath.Dir(r.path))) {
		if filepath.Dir(path) != filepath.Dir(r.path) && before[path] != text {
			t.Errorf("%s was written", path)
		}
	}
	if c := config.Parse(r.path, []byte(r.text()), known); c.Err() != nil {
		t.Errorf("the config has a fault now: %v", c.Err())
	}
}

// Whatever is brought, nothing but a model that is read becomes a file.
func FuzzUpload(f *testing.F) {
	belt := net(f, nets.Valid)
	f.Add("belt.tflite", belt)
	f.Add("a.tflite", belt[:2000])
	f.Add("../a.tflite", []byte("x"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		dir := t.TempDir()
		d := &Desk{cfg: Config{Path: filepath.Join(dir, "line", "edged.toml"), Upload: 1 << 20}, dir: filepath.Join(dir, "line")}
		if err := os.Mkdir(d.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		q := httptest.NewRequest("PUT", "http://127.0.0.1/", io.NopCloser(bytes.NewReader(data)))
		q.SetPathValue("name", name)
		_, err := d.putModel(q)
		files := tree(t, dir)
		if want := 1; err == nil && len(files) != want || err != nil && len(files) != 0 {
			t.Errorf("%q: %v, %d files", name, err, len(files))
		}
		for path := range files {
			if filepath.Dir(path) != d.dir {
				t.Errorf("%s", path)
			}
		}
	})
}

// A job is one at a time, is called off, and writes over nothing of others.
func TestJobs(t *testing.T) {
	r := newRig(t, "")
	script := filepath.Join(t.TempDir(), "slow")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho verifying >&2\nexec sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.desk.cfg.Program = script
	r.get("POST", "job", asked{Kind: "make", Model: "a.tflite", Input: [2]int{48, 56}, Stride: 4}, nil)
	if code, _ := r.ask(r.token, "POST", "job", []byte(`{"kind": "plan", "model": "a.tflite", "input": [9, 9]}`)); code != 409 {
		t.Errorf("a second job: %d", code)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var s state
		if r.get("GET", "state", nil, &s); len(s.Job.Lines) == 1 && s.Job.Lines[0] == "verifying" && !s.Job.Done {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", s.Job)
		}
	}
	var j job
	if r.get("DELETE", "job", nil, &j); !j.Done || j.Error != "called off" {
		t.Errorf("%+v", j)
	}
	mine := filepath.Join(filepath.Dir(r.path), "a-dense-48x56-q4.tflite")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]int{
		`{"kind": "make", "model": "a.tflite", "input": [48, 56], "stride": 4}`:              409,
		`{"kind": "make", "model": "a.tflite", "input": [48, 56]}`:                           400,
		`{"kind": "make", "model": "../a.tflite", "input": [48, 56], "stride": 4}`:           400,
		`{"kind": "plan", "model": "a.tflite", "input": [48, 1e9]}`:                          400,
		`{"kind": "plan", "model": "a.tflite", "input": [48, 56], "form": "-o /etc/passwd"}`: 400,
		`{"kind": "rm", "model": "a.tflite", "input": [48, 56]}`:                             400,
	} {
		if code, says := r.ask(r.token, "POST", "job", []byte(body)); code != want {
			t.Errorf("%s: %d %s, want %d", body, code, says, want)
		}
	}
	r.desk.cfg.Program = "/bin/false"
	r.get("POST", "job", asked{Kind: "plan", Model: "a.tflite", Input: [2]int{48, 56}}, nil)
	for end := time.Now().Add(20 * time.Second); !r.desk.jobs.look().Done; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not end")
		}
	}
	if j := r.desk.jobs.look(); j.Error == "" {
		t.Errorf("%+v", j)
	}
}
