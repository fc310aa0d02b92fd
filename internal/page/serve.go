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
	for _, file := range []string{"page.js", "draw.js", "state.js", "shapes.js", "kept.js", "zones.js", "page.css"} {
		mux.Handle("GET /"+file, http.FileServerFS(files))
	}
	mux.HandleFunc("GET /live/{camera}", p.serveLive)
	mux.HandleFunc("GET /snapshot/{camera}", p.serveSnapshot)
	mux.HandleFunc("GET /state", p.serveState)
	mux.HandleFunc("GET /ng/{camera}/{seq}", p.serveNG)
}

// RegisterFiles adds files that the page brings along to mux, below a path: whoever
// draws pictures and masks as it does needs them.
func RegisterFiles(mux *http.ServeMux, below string, names ...string) {
	for _, name := range names {
		mux.HandleFunc("GET "+below+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, name) })
	}
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
	m, err := p.wait(ctx, c, p.want, func(m *made) bool { return m.live != nil && m.id != after })
	if err != nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(m.live)
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

// wait blocks for a picture that is fit, and keeps the wish for one alive by wish.
func (p *Page) wait(ctx context.Context, c *camera, wish func(*camera), fit func(*made) bool) (*made, error) {
	for {
		wish(c)
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
