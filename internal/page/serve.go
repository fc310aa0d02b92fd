package page

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

// pollTime is how long a request waits for a newer picture.
const pollTime = 10 * time.Second

// Register adds the page's addresses to mux.
func (p *Page) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.serveIndex)
	for _, file := range []string{"page.js", "draw.js", "state.js", "page.css"} {
		mux.Handle("GET /"+file, http.FileServerFS(files))
	}
	mux.HandleFunc("GET /live/{camera}", p.serveLive)
	mux.HandleFunc("GET /snapshot/{camera}", p.serveSnapshot)
	mux.HandleFunc("GET /state", p.serveState)
	mux.HandleFunc("GET /ng/{camera}/{seq}", p.serveNG)
}

func (p *Page) serveIndex(w http.ResponseWriter, _ *http.Request) {
	index, err := files.ReadFile("index.html")
	if err != nil {
		panic("BUG: page: " + err.Error())
	}
	setup, err := json.Marshal(map[string]any{"title": p.title, "cameras": p.names})
	if err != nil {
		panic("BUG: page: " + err.Error())
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	// The viewer is gone when this fails; there is nobody to tell.
	_, _ = w.Write(bytes.Replace(index, []byte("{}<!--setup-->"), setup, 1))
}

// serveLive waits for a picture other than ?after=ID and sends its body. 204 says
// that none came; with ?wait=0 it says so at once.
func (p *Page) serveLive(w http.ResponseWriter, r *http.Request) {
	c := p.cameras[r.PathValue("camera")]
	if c == nil {
		http.Error(w, "no such camera", http.StatusNotFound)
		return
	}
	after, err := strconv.ParseUint(r.FormValue("after"), 10, 64)
	if err != nil && r.FormValue("after") != "" {
		http.Error(w, "after must be a number", http.StatusBadRequest)
		return
	}
	patience := pollTime
	if r.FormValue("wait") == "0" {
		patience = time.Millisecond
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	m, err := p.wait(ctx, c, func(m *made) bool { return m.id != after })
	if err != nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(m.live)
}

// Snapshot waits for a picture of the camera taken from now on, and returns it
// as a JPEG of at most limit bytes: coarser, then smaller, as that asks for.
func (p *Page) Snapshot(ctx context.Context, name string, limit int) ([]byte, Shot, error) {
	c := p.cameras[name]
	if c == nil {
		return nil, Shot{}, errNoCamera
	}
	now := time.Now()
	c.wantFull(limit, 1)
	defer c.wantFull(limit, -1)
	m, err := p.wait(ctx, c, func(m *made) bool {
		_, ok := m.full[limit]
		return ok && m.shot.Seq != 0 && m.at.After(now)
	})
	if err != nil {
		return nil, Shot{}, err
	}
	j := m.full[limit]
	return j.data, m.shot, j.err
}

// wantFull counts who wants a whole JPEG of at most limit bytes.
func (c *camera) wantFull(limit, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full[limit] += n; c.full[limit] == 0 {
		delete(c.full, limit)
	}
}

func (p *Page) serveSnapshot(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pollTime)
	defer cancel()
	j, _, err := p.Snapshot(ctx, r.PathValue("camera"), math.MaxInt)
	switch {
	case err == errNoCamera:
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, "no picture: "+err.Error(), http.StatusServiceUnavailable)
	default:
		writeJPEG(w, j)
	}
}

func (p *Page) serveNG(w http.ResponseWriter, r *http.Request) {
	seq, err := strconv.ParseUint(r.PathValue("seq"), 10, 64)
	c := p.cameras[r.PathValue("camera")]
	if err != nil || c == nil {
		http.Error(w, "no such picture", http.StatusNotFound)
		return
	}
	j := c.ngs.jpeg(seq)
	if j == nil {
		http.Error(w, "that picture is gone", http.StatusNotFound)
		return
	}
	writeJPEG(w, j)
}

func writeJPEG(w http.ResponseWriter, j []byte) {
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(j)
}

// wait blocks for a picture that is fit, and keeps the wish for one alive.
func (p *Page) wait(ctx context.Context, c *camera, fit func(*made) bool) (*made, error) {
	for {
		p.want(c)
		c.mu.Lock()
		latest, changed := c.latest, c.changed
		c.mu.Unlock()
		if latest != nil && fit(latest) {
			return latest, nil
		}
		select {
		case <-changed:
		case <-time.After(wanted / 2):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
