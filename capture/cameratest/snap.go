package cameratest

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// quiet takes what a server says of clients that leave.
var quiet = log.New(io.Discard, "", 0)

// Snap is a camera of single pictures. The picture is another one when Number is.
type Snap struct {
	*httptest.Server
	Number    atomic.Int64 // of the picture; negative: another one for each request
	Asked     atomic.Int64 // requests
	Unchanged atomic.Int64 // of these answered with 304
	Status    atomic.Int64 // in place of a picture, unless 0
}

// StartSnap serves pictures of w x h; etag tells whether they have a tag.
func StartSnap(t testing.TB, w, h int, etag bool) *Snap {
	s := &Snap{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n := s.Asked.Add(1)
		if code := s.Status.Load(); code != 0 {
			rw.WriteHeader(int(code))
			return
		}
		if fixed := s.Number.Load(); fixed >= 0 {
			n = fixed
		}
		tag := fmt.Sprintf(`"%d"`, n)
		if etag {
			rw.Header().Set("ETag", tag)
		}
		if etag && r.Header.Get("If-None-Match") == tag {
			s.Unchanged.Add(1)
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		rw.Header().Set("Content-Type", "image/jpeg")
		rw.Write(Picture(w, h, int(n)))
	}))
	t.Cleanup(s.Close)
	return s
}

// URL is where the picture is.
func (s *Snap) URL() string { return s.Server.URL + "/snap.jpg" }
