package httpcam

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// Insecure is the fragment of an https address whose certificate is not to be
// verified: https://HOST/PATH#insecure.
const Insecure = "insecure"

// Camera is an open HTTP camera. One goroutine uses it.
type Camera struct {
	client  *http.Client
	address *url.URL
	timeout time.Duration // for an answer, and between pictures; 0: none
	alarm   *time.Timer
	cancel  context.CancelCauseFunc
	life    context.Context

	body   io.ReadCloser
	cut    cutter
	single bool // the address is of one picture
	late   bool // it has answered: no more patience than usual
	held   bool // the first picture has been read and not been asked for
	first  []byte
	torn   bool
	tag    string // ETag and Last-Modified of the latest picture
	date   string
}

// ErrNotPictures is what an address gives that has no pictures. Video says that
// a video decoder may know what to do with it.
type ErrNotPictures struct {
	Type  string
	Video bool
}

func (e *ErrNotPictures) Error() string {
	if e.Type == "" {
		return "it answers with something that is no JPEG picture and does not say what"
	}
	if strings.HasPrefix(e.Type, "text/html") {
		return "it answers with a page (text/html), not with pictures: give the address of the stream or picture that the page shows"
	}
	return fmt.Sprintf("it answers with %s, not with JPEG pictures", e.Type)
}

var errSilent = errors.New("silent")

// Open asks for the camera at an address, which may hold credentials, and waits
// for its first picture.
func Open(address string, timeout time.Duration) (*Camera, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("malformed address") // url's own error would repeat a password
	}
	u.Scheme, u.RawQuery = strings.ToLower(u.Scheme), queryAsSent(u.RawQuery)
	c := &Camera{address: u, timeout: max(0, timeout)}
	c.life, c.cancel = context.WithCancelCause(context.Background())
	c.alarm = time.AfterFunc(time.Hour, func() { c.cancel(errSilent) })
	c.alarm.Stop()
	jar, _ := cookiejar.New(nil) // it never fails
	c.client = &http.Client{Transport: newAuthorizer(u, jar, transport(strings.EqualFold(u.Fragment, Insecure), timeout)), CheckRedirect: redirected, Jar: jar}
	if err := c.start(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// queryAsSent is a query as browsers send it: a blank, a quote and what is no ASCII by
// their codes, and all else as it was written.
func queryAsSent(query string) string {
	var b strings.Builder
	for _, c := range []byte(query) {
		if c <= ' ' || c > '~' || strings.IndexByte("\"<>`", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// transport goes straight to the camera: a proxy for the internet knows no
// camera of a plant.
func transport(insecure bool, timeout time.Duration) *http.Transport {
	t := &http.Transport{
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxAnswerHead,
		MaxIdleConnsPerHost:    1,
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{}, // HTTP/1 alone
	}
	if insecure { // old cameras speak old TLS
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}
	}
	dial(&net.Dialer{Timeout: timeout}, t)
	return t
}

func redirected(_ *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("it redirects in a circle")
	}
	return nil
}

// longestAnswer is what a camera may take to answer, whatever its pauses between
// pictures.
const longestAnswer = 8 * time.Second

// start asks for the address and finds out what kind of camera this is. Parts may
// be long in coming; all else is judged by its first picture.
func (c *Camera) start() error {
	c.watch(longestAnswer)
	defer c.alarm.Stop()
	resp, err := c.get("")
	if err != nil {
		return c.unanswered(err)
	}
	c.body = resp.Body
	c.cut.reset(resp.Body)
	if err := c.looksRight(resp); err != nil {
		return c.reason(err)
	}
	if multipart(resp.Header) {
		return nil
	}
	c.first, c.torn, err = c.cut.next()
	if err != nil {
		return c.unanswered(err)
	}
	c.held = true
	c.first = bytes.Clone(c.first) // what follows takes its place
	if c.alone(resp.ContentLength) {
		c.single = true
		c.note(resp.Header)
		c.drop()
	}
	return nil
}

// watch has the camera given up when nothing comes in time: twice the usual for
// what may have to start first, at most so long.
func (c *Camera) watch(most time.Duration) {
	switch {
	case c.timeout <= 0:
	case c.late:
		c.alarm.Reset(c.timeout)
	default:
		c.alarm.Reset(min(2*c.timeout, most))
	}
}

// get asks for the address.
func (c *Camera) get(condition string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(c.life, http.MethodGet, c.address.String(), nil)
	if err != nil {
		return nil, err
	}
	req.URL.User = nil // the authorizer knows when to tell
	req.Header.Set("User-Agent", "edged")
	if condition != "" {
		if c.tag != "" {
			req.Header.Set("If-None-Match", c.tag)
		}
		if c.date != "" {
			req.Header.Set("If-Modified-Since", c.date)
		}
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK || condition != "" && resp.StatusCode == http.StatusNotModified {
		return resp, nil
	}
	resp.Body.Close()
	return nil, c.status(resp)
}

// status is what an answer that is not OK means.
func (c *Camera) status(resp *http.Response) error {
	cure := ""
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized && c.address.User == nil:
		cure = ": it wants a user and a password: write them before the host, a colon between and an @ behind"
	case code == http.StatusUnauthorized:
		cure = ": it does not take this user and password"
	case code == http.StatusForbidden:
		cure = ": this user may not see the picture, or too many are watching"
	case code == http.StatusNotFound:
		cure = ": the path is wrong"
	case code >= 500:
		cure = ": the camera itself is in trouble or busy"
	}
	text := http.StatusText(resp.StatusCode)
	return fmt.Errorf("it answers %d %s%s", resp.StatusCode, text, cure)
}

// multipart tells whether an answer says that parts come.
func multipart(h http.Header) bool {
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.Get("Content-Type"))), "multipart/")
}

// looksRight refuses what cannot be pictures. A camera may name no type, or a
// wrong one: what comes first tells then.
func (c *Camera) looksRight(resp *http.Response) error {
	h := resp.Header
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return fmt.Errorf("it answers with its pictures packed (Content-Encoding %q), which was not asked for", e)
	}
	if multipart(h) {
		return nil
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind = strings.ToLower(strings.TrimSpace(h.Get("Content-Type")))
	}
	if len(kind) > 100 {
		kind = kind[:100]
	}
	for c.cut.w < 64 && !pictureSoon(c.cut.buf[:c.cut.w]) {
		if err := c.cut.fill(); err != nil {
			break // what came tells, or its lack does
		}
	}
	if c.cut.w == 0 && c.cut.err != nil && !errors.Is(c.cut.err, io.EOF) {
		return c.cut.err
	}
	if c.cut.w == 0 {
		return errors.New("its answer is empty")
	}
	if pictureSoon(c.cut.buf[:c.cut.w]) {
		return nil
	}
	video := strings.HasPrefix(kind, "video/") || kind == "application/vnd.apple.mpegurl" || kind == "application/x-mpegurl"
	return &ErrNotPictures{Type: printable(kind), Video: video}
}

// printable drops what a log should not hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

// pictureSoon tells whether a body begins with a picture or with a part.
func pictureSoon(b []byte) bool {
	b = bytes.TrimLeft(b, "\r\n \t")
	return bytes.HasPrefix(b, start) || bytes.HasPrefix(b, []byte("--")) || len(b) >= 8 && bytes.EqualFold(b[:8], []byte("content-"))
}

// alone tells whether the answer ends behind its first picture.
func (c *Camera) alone(length int64) bool {
	if length >= 0 { // all of it comes, soon
		return length <= int64(c.cut.r+padding)
	}
	for c.cut.w-c.cut.r < padding && !bytes.Contains(c.cut.buf[c.cut.r:c.cut.w], start) {
		if err := c.cut.fill(); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
	return false
}
