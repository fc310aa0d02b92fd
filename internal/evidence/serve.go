package evidence

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// listed is how many entries a list has unless told otherwise, and mostListed
	// at most.
	listed     = 24
	mostListed = 100
)

// Entry is one piece of evidence in a list.
type Entry struct {
	Camera  string    `json:"camera"`
	ID      string    `json:"id"`
	Time    time.Time `json:"ts"`
	Seq     uint64    `json:"seq"`
	Verdict string    `json:"verdict"`
	Text    string    `json:"text"` // the first reason
	PartID  string    `json:"part_id,omitempty"`
	Bytes   int64     `json:"bytes"`
}

// Query asks for a list, the newest first.
type Query struct {
	Camera string // empty: all
	Before string // an id: only what is older
	Limit  int    // 0: listed
}

// List answers a query. more tells whether there is more of it.
func (s *Store) List(q Query) (list []Entry, more bool) {
	if q.Limit <= 0 {
		q.Limit = listed
	}
	q.Limit = min(q.Limit, mostListed)
	var found []file
	s.mu.Lock()
	for i := len(s.index.files) - 1; i >= 0 && len(found) <= q.Limit; i-- {
		f := s.index.files[i]
		if (q.Camera == "" || f.camera == q.Camera) && (q.Before == "" || f.id < q.Before) {
			found = append(found, f)
		}
	}
	s.mu.Unlock()
	if more = len(found) > q.Limit; more {
		found = found[:q.Limit]
	}
	list = []Entry{}
	for _, f := range found {
		list = append(list, s.entry(f))
	}
	return list, more
}

// entry reads what a file says of itself; a file that is gone says nothing.
func (s *Store) entry(f file) Entry {
	e := Entry{Camera: f.camera, ID: f.id, Time: f.at, Bytes: f.size}
	var r struct {
		Seq     uint64 `json:"seq"`
		Verdict string `json:"verdict"`
		PartID  string `json:"part_id"`
		Reasons []struct {
			Text string `json:"text"`
		} `json:"reasons"`
	}
	t, err := ReadTexts(s.path(f))
	if err == nil {
		err = json.Unmarshal(t.Result, &r)
	}
	if err != nil {
		e.Text = "it cannot be read: " + err.Error()
		return e
	}
	e.Seq, e.Verdict, e.PartID = r.Seq, r.Verdict, r.PartID
	if len(r.Reasons) > 0 {
		e.Text = r.Reasons[0].Text
	}
	return e
}

// Path is the file of a camera and an id that List has told.
func (s *Store) Path(camera, id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, there := s.index.find(camera, id)
	if !there {
		return "", fmt.Errorf("evidence %q of camera %q is not kept (any more)", id, camera)
	}
	return s.path(f), nil
}

// Register adds the addresses of evidence to mux: a list at /evidence, and of each
// entry the file itself (.png), its result (.json) and its mask (.mask.png).
func (s *Store) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /evidence", s.serveList)
	mux.HandleFunc("GET /evidence/{camera}/{name}", s.serveFile)
}

func (s *Store) serveList(w http.ResponseWriter, r *http.Request) {
	q := Query{Camera: r.FormValue("camera"), Before: r.FormValue("before")}
	if text := r.FormValue("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostListed {
			http.Error(w, fmt.Sprintf("limit must be a number from 1 to %d", mostListed), http.StatusBadRequest)
			return
		}
		q.Limit = n
	}
	list, more := s.List(q)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// The viewer is gone when this fails; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(map[string]any{"evidence": list, "more": more})
}

func (s *Store) serveFile(w http.ResponseWriter, r *http.Request) {
	name, camera := r.PathValue("name"), r.PathValue("camera")
	id, kind := name, ""
	for _, end := range []string{".mask.png", ".json", extension} {
		if rest, ok := strings.CutSuffix(name, end); ok {
			id, kind = rest, end
			break
		}
	}
	path, err := s.Path(camera, id)
	if err != nil || kind == "" {
		http.Error(w, "no such evidence", http.StatusNotFound)
		return
	}
	w.Header().Set("Cache-Control", "private, max-age=3600")
	if kind == extension {
		http.ServeFile(w, r, path)
		return
	}
	t, err := ReadTexts(path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	body := t.Result
	if w.Header().Set("Content-Type", "application/json"); kind == ".mask.png" {
		body = t.Mask
		w.Header().Set("Content-Type", "image/png")
	}
	_, _ = w.Write(body)
}
