// Package commission sets a camera up in a browser: a source, a model made dense and
// proved, its facts, where to look, rules tried on pictures, and a config that is
// saved with its comments. Everything is asked for over one small HTTP API, by who
// has the token that edged printed when it started.
package commission

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"

	"edged/internal/config"
	"edged/internal/page"
	"edged/internal/stage"
)

const (
	// mostBody bounds a request's JSON.
	mostBody = 1 << 20

	// DefaultUpload bounds a model that is brought.
	DefaultUpload = 256 << 20
)

// Config is what a desk works with.
type Config struct {
	Path    string // of the TOML file, which need not be there; models are kept beside it
	Program string // edged itself, for work that a child does
	Engines config.Engines
	Open    stage.Opener
	// Choose has a child try a model and says which engine to use.
	Choose func(ctx context.Context, model []byte, engine string) (string, error)
	Upload int64 // bytes of a model; 0: DefaultUpload
	Log    *slog.Logger
}

// Desk is where a camera is set up.
type Desk struct {
	cfg    Config
	dir    string
	token  [sha256.Size]byte
	camera camera
	jobs   jobs
	trials trials

	uploading sync.Mutex
	saving    sync.Mutex
}

// New is a desk, and the token that it asks for.
func New(cfg Config) (d *Desk, token string, err error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return nil, "", fmt.Errorf("commission: token: %w", err)
	}
	token = hex.EncodeToString(b)
	if cfg.Upload == 0 {
		cfg.Upload = DefaultUpload
	}
	if cfg.Path, err = filepath.Abs(cfg.Path); err != nil {
		return nil, "", fmt.Errorf("commission: %w", err)
	}
	d = &Desk{cfg: cfg, dir: filepath.Dir(cfg.Path), token: sha256.Sum256([]byte(token))}
	d.camera.log = cfg.Log
	d.trials = trials{turn: make(chan struct{}, 1), bodies: map[int][]byte{}, engines: map[string]string{}}
	return d, token, nil
}

// Close ends the camera and what runs.
func (d *Desk) Close() {
	d.jobs.cancel()
	d.camera.close()
}

// fault is an answer that is none: a status of HTTP with what to tell.
type fault struct {
	status int
	err    error
}

func (f *fault) Error() string { return f.err.Error() }

func faultf(status int, format string, args ...any) error {
	return &fault{status, fmt.Errorf(format, args...)}
}

// Register adds the page and the API to mux, both below /commission/.
func (d *Desk) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "commission/", http.StatusFound) })
	page.RegisterFiles(mux, "/commission/", "draw.js", "shapes.js", "page.css")
	for name, file := range map[string]string{"{$}": "commission.html", "commission.js": "commission.js", "commission.css": "commission.css"} {
		mux.HandleFunc("GET /commission/"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, file) })
	}
	for pattern, answer := range map[string]func(*http.Request) (any, error){
		"GET state":         d.getState,
		"GET camera/{name}": d.getCamera,
		"PUT source":        d.putSource,
		"POST record":       d.postRecord,
		"DELETE record":     d.deleteRecord,
		"GET frame/{which}": d.getFrame,
		"PUT model/{name}":  d.putModel,
		"GET model/{name}":  d.getModel,
		"POST job":          d.postJob,
		"DELETE job":        d.deleteJob,
		"POST try":          d.postTry,
		"GET try/{n}":       d.getTry,
		"POST diff":         d.postDiff,
		"POST save":         d.postSave,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /commission/api/"+path, d.guarded(answer))
	}
}

// raw is an answer that is no JSON.
type raw []byte

// guarded answers who has the token, and turns faults into answers.
func (d *Desk) guarded(answer func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if sum := sha256.Sum256([]byte(given)); subtle.ConstantTimeCompare(sum[:], d.token[:]) != 1 {
			http.Error(w, "the token that edged printed when it started, please", http.StatusUnauthorized)
			return
		}
		body, err := answer(r)
		var f *fault
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			http.Error(w, fmt.Sprintf("too large: at most %d bytes are taken", large.Limit), http.StatusRequestEntityTooLarge)
		case errors.As(err, &f):
			http.Error(w, f.Error(), f.status)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			write(w, body)
		}
	}
}

// write sends an answer; who asked may be gone, and there is nobody to tell.
func write(w http.ResponseWriter, body any) {
	if b, ok := body.(raw); ok {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(b)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// read decodes a request's JSON; a key that is not known is a fault.
func read(r *http.Request, dst any) error {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		return faultf(http.StatusUnsupportedMediaType, "send JSON, as application/json")
	}
	j := json.NewDecoder(http.MaxBytesReader(nil, r.Body, mostBody))
	j.DisallowUnknownFields()
	err := j.Decode(dst)
	if err == nil {
		_, err = j.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("something follows it")
	}
	if errors.As(err, new(*http.MaxBytesError)) {
		return err
	}
	return faultf(http.StatusBadRequest, "the request is not understood: %v", err)
}

// state is what the page shows of the desk.
type state struct {
	Path    string   `json:"path"`
	Sum     string   `json:"sum"`     // of the file as it is now; empty: there is none
	Problem string   `json:"problem"` // with the file
	Cameras []string `json:"cameras"` // in it
	Models  []string `json:"models"`  // beside it
	Camera  status   `json:"camera"`
	Job     *job     `json:"job"` // the last; null: there was none
}

func (d *Desk) getState(*http.Request) (any, error) {
	s := state{Path: d.cfg.Path, Cameras: []string{}, Models: d.models(), Camera: d.camera.status(), Job: d.jobs.look()}
	text, c, err := d.load()
	if err != nil {
		s.Problem = err.Error()
	}
	s.Sum = sumOf(text)
	if c != nil {
		s.Cameras = append(s.Cameras, c.Names()...)
	}
	return s, nil
}
