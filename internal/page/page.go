// Package page is the live page: what each camera sees, with its mask over it.
// It is plain HTML and script, embedded, works offline, and costs nothing while
// nobody looks: frames are copied only when a viewer has asked for one.
package page

import (
	"bytes"
	"context"
	"embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/image/draw"

	"edged"
	"edged/internal/maskpng"
)

var errNoCamera = errors.New("page: no such camera")

const (
	// wanted is how long after a viewer's request frames are still copied.
	wanted = 2 * time.Second

	// minGap bounds the pictures a second that are copied and encoded.
	minGap = 60 * time.Millisecond

	// pollTime is how long a request waits for a newer picture.
	pollTime = 10 * time.Second

	jpegQuality = 80
)

//go:embed index.html page.js page.css
var files embed.FS

// Shot is one result as the page shows it.
type Shot struct {
	Seq         uint64         `json:"seq"`
	Time        time.Time      `json:"ts"`
	Model       string         `json:"model"`
	Labels      []string       `json:"labels"`
	Pixels      []int          `json:"pixels"`
	InferMS     float64        `json:"infer_ms"`
	AgeMS       float64        `json:"age_ms"`
	Verdict     string         `json:"verdict"`
	Reasons     []edged.Reason `json:"reasons"`
	PartID      string         `json:"part_id"`
	Engine      string         `json:"engine,omitempty"`
	Why         string         `json:"why,omitempty"` // this engine
	Certificate string         `json:"certificate,omitempty"`
	Audit       string         `json:"audit,omitempty"`
}

// Page holds the latest picture of each camera. Show may be called from each
// camera's own goroutine.
type Page struct {
	title   string
	names   []string
	cameras map[string]*camera
}

// New is a page for the cameras named.
func New(title string, cameras []string) *Page {
	p := &Page{title: title, names: cameras, cameras: map[string]*camera{}}
	for _, name := range cameras {
		p.cameras[name] = &camera{changed: make(chan struct{})}
	}
	return p
}

// camera is the latest picture of one camera.
type camera struct {
	wantedUntil atomic.Int64 // Unix nanoseconds; frames are copied until then
	gap         atomic.Int64 // between two results, nanoseconds, smoothed
	last        atomic.Int64 // Unix nanoseconds of the last result

	mu      sync.Mutex
	copied  time.Time
	shot    Shot
	frame   edged.Frame // Pix is ours
	mask    edged.Mask  // Pix is ours
	changed chan struct{}
	encoded []byte // what a viewer gets of shot, nil until one asks
}

// Show offers a result. It returns at once unless somebody is looking.
func (p *Page) Show(name string, f *edged.Frame, m *edged.Mask, s *Shot) {
	c := p.cameras[name]
	if c == nil {
		return
	}
	now := time.Now()
	c.count(now)
	if now.UnixNano() > c.wantedUntil.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.copied) < minGap {
		return
	}
	c.copied, c.encoded = now, nil
	pix := append(c.frame.Pix[:0], f.Pix[:(f.H-1)*f.Stride+f.W*f.Format.Channels()]...)
	c.frame = *f
	c.frame.Pix = pix
	ids := append(c.mask.Pix[:0], m.Pix[:(m.H-1)*m.Stride+m.W]...)
	c.mask = *m
	c.mask.Pix = ids
	labels, pixels, reasons := append(c.shot.Labels[:0], s.Labels...), append(c.shot.Pixels[:0], s.Pixels...), append(c.shot.Reasons[:0], s.Reasons...)
	c.shot = *s
	c.shot.Labels, c.shot.Pixels, c.shot.Reasons = labels, pixels, reasons
	close(c.changed)
	c.changed = make(chan struct{})
}

// smoothing is the weight of a new gap in the mean: the rate follows within
// about ten results.
const smoothing = 0.1

// count notes a result for the rate. One goroutine calls it.
func (c *camera) count(now time.Time) {
	last := c.last.Swap(now.UnixNano())
	if last == 0 {
		return
	}
	gap, mean := now.UnixNano()-last, c.gap.Load()
	if mean == 0 {
		mean = gap
	}
	c.gap.Store(mean + int64(smoothing*float64(gap-mean)))
}

// rate is the number of results a second, 0 before the second one.
func (c *camera) rate() float64 {
	gap := c.gap.Load()
	if gap <= 0 {
		return 0
	}
	return float64(time.Second) / float64(gap)
}

// Register adds the page's addresses to mux.
func (p *Page) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.serveIndex)
	mux.Handle("GET /page.js", http.FileServerFS(files))
	mux.Handle("GET /page.css", http.FileServerFS(files))
	mux.HandleFunc("GET /live/{camera}", p.serveLive)
	mux.HandleFunc("GET /snapshot/{camera}", p.serveSnapshot)
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
	w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' blob: data:")
	// The viewer is gone when this fails; there is nobody to tell.
	_, _ = w.Write(bytes.Replace(index, []byte("{}<!--setup-->"), setup, 1))
}

// serveLive waits for a picture newer than ?after=SEQ and sends it as one
// body: three times a 32-bit big-endian length and so many bytes, for the
// shot's JSON, the frame's JPEG and the mask's PNG. 204 says that none came.
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
	ctx, cancel := context.WithTimeout(r.Context(), pollTime)
	defer cancel()
	body, err := c.wait(ctx, after)
	switch {
	case err != nil && ctx.Err() != nil:
		w.WriteHeader(http.StatusNoContent)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body)
}

// Snapshot waits for a picture of the camera taken from now on, and returns it
// as a JPEG of at most limit bytes: coarser, then smaller, as that asks for.
func (p *Page) Snapshot(ctx context.Context, name string, limit int) ([]byte, Shot, error) {
	c := p.cameras[name]
	if c == nil {
		return nil, Shot{}, errNoCamera
	}
	c.mu.Lock()
	last := c.shot.Seq
	c.mu.Unlock()
	if _, err := c.wait(ctx, last); err != nil {
		return nil, Shot{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	j, err := fitJPEG(picture(&c.frame), limit)
	shot := c.shot
	shot.Labels, shot.Pixels, shot.Reasons = slices.Clone(shot.Labels), slices.Clone(shot.Pixels), slices.Clone(shot.Reasons)
	return j, shot, err
}

// fitJPEG encodes img in at most limit bytes.
func fitJPEG(img image.Image, limit int) ([]byte, error) {
	for {
		for _, quality := range []int{jpegQuality, 60, 40} {
			var out bytes.Buffer
			if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
				return nil, fmt.Errorf("page: %w", err)
			}
			if out.Len() <= limit {
				return out.Bytes(), nil
			}
		}
		b := img.Bounds()
		if b.Dx() < 2 || b.Dy() < 2 {
			return nil, fmt.Errorf("page: no picture fits %d bytes", limit)
		}
		half := image.NewRGBA(image.Rect(0, 0, b.Dx()/2, b.Dy()/2))
		draw.ApproxBiLinear.Scale(half, half.Bounds(), img, b, draw.Src, nil)
		img = half
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
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(j)
	}
}

// wait blocks for a picture other than the one numbered after, and encodes it
// once for all viewers.
func (c *camera) wait(ctx context.Context, after uint64) ([]byte, error) {
	for {
		c.wantedUntil.Store(time.Now().Add(wanted).UnixNano())
		c.mu.Lock()
		if c.shot.Seq != after && c.shot.Seq != 0 {
			defer c.mu.Unlock()
			return c.encode()
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(wanted / 2): // keep the wish alive
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// body is the shot with what places its mask on the frame.
type body struct {
	*Shot
	Frame  [2]int     `json:"frame"` // width, height
	Mask   [2]int     `json:"mask"`
	Stride [2]float64 `json:"stride"` // y, x
	Origin [2]float64 `json:"origin"`
	Rate   float64    `json:"rate"` // results a second
}

func (c *camera) encode() ([]byte, error) {
	if c.encoded != nil {
		return c.encoded, nil
	}
	head, err := json.Marshal(body{
		Shot: &c.shot, Frame: [2]int{c.frame.W, c.frame.H}, Mask: [2]int{c.mask.W, c.mask.H},
		Stride: c.mask.Grid.Stride, Origin: c.mask.Grid.Origin, Rate: c.rate(),
	})
	if err != nil {
		return nil, err
	}
	j, err := frameJPEG(&c.frame)
	if err != nil {
		return nil, err
	}
	var e maskpng.Encoder
	ids, err := e.Encode(nil, &c.mask, c.shot.Seq, c.shot.Time)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, part := range [][]byte{head, j, ids} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	c.encoded = out
	return out, nil
}

func frameJPEG(f *edged.Frame) ([]byte, error) {
	var out bytes.Buffer
	err := jpeg.Encode(&out, picture(f), &jpeg.Options{Quality: jpegQuality})
	return out.Bytes(), err
}

// picture converts a frame for Go's encoders.
func picture(f *edged.Frame) image.Image {
	if f.Format == edged.Gray {
		return &image.Gray{Pix: f.Pix, Stride: f.Stride, Rect: image.Rect(0, 0, f.W, f.H)}
	}
	red, blue := 0, 2
	if f.Format == edged.BGR {
		red, blue = 2, 0
	}
	img := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	for y := range f.H {
		src, dst := f.Pix[y*f.Stride:][:3*f.W], img.Pix[y*img.Stride:][:4*f.W]
		for x := range f.W {
			s, d := src[3*x:3*x+3:3*x+3], dst[4*x:4*x+4:4*x+4]
			d[0], d[1], d[2], d[3] = s[red], s[1], s[blue], 255
		}
	}
	return img
}
