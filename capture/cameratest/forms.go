package cameratest

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Forms serves pictures in the forms that HTTP cameras have: /NAME for each of
// Streams, /snap and /etag for a single picture, /NUMBER for that status, /html,
// /basic (which wants back the cookie that it gave) and /digest for user admin with
// password secret, /redir, /cookie.
type Forms struct {
	*httptest.Server
	Pause time.Duration // between pictures
}

// Streams are the names of the streams that must all be read.
var Streams = []string{
	"std", "nocl", "dashes", "quoted", "chunked", "lf", "lead", "mixed", "noct", "nofirst", "nodash", "parttype", "clfirst",
	"raw", "rawtype", "short", "long", "noend", "wrongtype", "nospace", "thumb",
}

// StartForms starts the camera on loopback.
func StartForms(t testing.TB, w, h int) *Forms {
	f := &Forms{Pause: 30 * time.Millisecond}
	f.Server = httptest.NewServer(f.handler(w, h))
	t.Cleanup(f.Close)
	return f
}

// StartFormsTLS does so with a certificate that nobody has signed.
func StartFormsTLS(t testing.TB, w, h int) *Forms {
	f := &Forms{Pause: 30 * time.Millisecond}
	f.Server = httptest.NewUnstartedServer(f.handler(w, h))
	f.Config.ErrorLog = quiet
	f.Server.StartTLS()
	t.Cleanup(f.Close)
	return f
}

// Close ends every stream first.
func (f *Forms) Close() {
	f.CloseClientConnections()
	f.Server.Close()
}

// form is how a stream is written.
type form struct {
	kind, mark, part, nl string
	lead                 string
	length               func(n int) int // nil: none is told
	first, raw           bool
	change               func([]byte) []byte
}

func honest(n int) int { return n }

func formOf(name string) form {
	const multipart = "multipart/x-mixed-replace; boundary="
	f := form{kind: multipart + "frame", mark: "--frame", part: "Content-Type: image/jpeg\r\n", nl: "\r\n", length: honest, first: true}
	switch name {
	case "nocl", "chunked":
		f.length = nil
	case "dashes":
		f.kind = multipart + "--frame"
	case "quoted":
		f.kind, f.mark = multipart+`"my frame"`, "--my frame"
	case "lf":
		f.part, f.nl = "Content-Type: image/jpeg\n", "\n"
	case "lead":
		f.lead = "\r\n\r\n"
	case "mixed":
		f.kind = "multipart/mixed;boundary=frame"
	case "noct":
		f.kind = ""
	case "nofirst":
		f.first = false
	case "nodash":
		f.mark = "frame"
	case "parttype":
		f.part = "Content-Type: image/jpg\r\n"
	case "clfirst":
		f.part = ""
	case "raw":
		f.kind, f.raw = "video/x-motion-jpeg", true
	case "rawtype":
		f.kind, f.raw = "image/jpeg", true
	case "short":
		f.length = func(n int) int { return n / 2 }
	case "long":
		f.length = func(n int) int { return n + 300 }
	case "noend":
		f.change = func(b []byte) []byte { return b[:len(b)-2] }
	case "wrongtype":
		f.kind = "text/plain"
	case "nospace":
		f.kind, f.part = "Multipart/X-Mixed-Replace;boundary=frame", "content-type:image/jpeg\r\n"
	case "thumb":
		f.length, f.change = nil, withThumbnail
	}
	return f
}

// withThumbnail puts a whole small picture into a picture's head, as EXIF does.
func withThumbnail(b []byte) []byte {
	small := Picture(16, 16, 1)
	n := 2 + 6 + len(small)
	head := append([]byte{0xff, 0xd8, 0xff, 0xe1, byte(n >> 8), byte(n)}, "Thumb\x00"...)
	return append(append(head, small...), b[2:]...)
}

func (f *Forms) handler(w, h int) http.Handler {
	var pictures [][]byte
	for n := range 16 {
		pictures = append(pictures, Picture(w, h, n))
	}
	stream := func(rw http.ResponseWriter, r *http.Request, name string) {
		fm := formOf(name)
		rw.Header()["Content-Type"] = nil
		if fm.kind != "" {
			rw.Header().Set("Content-Type", fm.kind)
		}
		if name != "chunked" {
			rw.Header().Set("Transfer-Encoding", "identity")
		}
		io.WriteString(rw, fm.lead)
		for n := 0; ; n++ {
			if !fm.write(rw, pictures[n%len(pictures)], n) {
				return
			}
			rw.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(f.Pause):
			}
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		name := strings.Trim(r.URL.Path, "/")
		if code, err := strconv.Atoi(name); err == nil {
			rw.WriteHeader(code)
			return
		}
		stream(rw, r, name)
	})
	mux.HandleFunc("/redir", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/std", http.StatusFound) })
	mux.HandleFunc("/redirfile", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Location", "file:///etc/hostname")
		rw.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/circle", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/circle", http.StatusFound) })
	mux.HandleFunc("/cookie", func(rw http.ResponseWriter, r *http.Request) { // a session, as cameras with a page have
		if c, err := r.Cookie("session"); err == nil && c.Value == "7" {
			stream(rw, r, "std")
			return
		}
		http.SetCookie(rw, &http.Cookie{Name: "session", Value: "7"})
		http.Redirect(rw, r, "/cookie", http.StatusFound)
	})
	mux.HandleFunc("/html", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		io.WriteString(rw, `<img src="/std">`)
	})
	mux.HandleFunc("/basic", func(rw http.ResponseWriter, r *http.Request) {
		_, err := r.Cookie("session")
		if user, pw, _ := r.BasicAuth(); user == "admin" && pw == "secret" && err == nil {
			stream(rw, r, "std")
			return
		}
		rw.Header().Set("WWW-Authenticate", `Basic realm="cam"`)
		http.SetCookie(rw, &http.Cookie{Name: "session", Value: "8"})
		rw.WriteHeader(http.StatusUnauthorized)
	})
	mux.HandleFunc("/digest", func(rw http.ResponseWriter, r *http.Request) {
		if digestRight(r) {
			stream(rw, r, "std")
			return
		}
		rw.Header().Set("WWW-Authenticate", `Digest realm="a cam", qop="auth", algorithm=MD5, nonce="`+strconv.FormatInt(time.Now().UnixNano(), 16)+`"`)
		rw.WriteHeader(http.StatusUnauthorized)
	})
	return mux
}

// write writes the n-th picture with what is around it.
func (f *form) write(w io.Writer, picture []byte, n int) bool {
	if f.change != nil {
		picture = f.change(picture)
	}
	head := ""
	if !f.raw {
		if f.first || n > 0 {
			head = f.mark + f.nl
		}
		head += f.part
		if f.length != nil {
			head += fmt.Sprintf("Content-Length: %d%s", f.length(len(picture)), f.nl)
		}
		head += f.nl
	}
	io.WriteString(w, head)
	w.Write(picture)
	if !f.raw {
		io.WriteString(w, f.nl)
	}
	_, err := io.WriteString(w, "")
	return err == nil
}

var digestPairs = regexp.MustCompile(`(\w+)="?([^",]+)"?`)

func digestRight(r *http.Request) bool {
	d := map[string]string{}
	for _, m := range digestPairs.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
		d[m[1]] = m[2]
	}
	hash := func(parts ...string) string {
		sum := md5.Sum([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(sum[:])
	}
	want := hash(hash("admin", "a cam", "secret"), d["nonce"], d["nc"], d["cnonce"], d["qop"], hash("GET", d["uri"]))
	return d["response"] == want && d["uri"] == r.URL.RequestURI()
}
