// Package page is the live page: what each camera sees, with its mask over it,
// and what the daemon knows of itself. It is plain HTML and script, embedded and
// works offline. Nothing on the frame path waits for a viewer: a camera's
// goroutine copies a frame when the encoder has asked for one, and goes on.
package page

import (
	"context"
	"embed"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"edged"
	"edged/internal/mono"
)

var errNoCamera = errors.New("page: no such camera")

//go:embed index.html page.js draw.js state.js shapes.js kept.js zones.js page.css
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
	Shadow      string         `json:"shadow,omitempty"`

	Open bool `json:"open,omitempty"` // of a line camera with rules: none of its parts is whole yet
	Held bool `json:"-"`              // the verdict is the one of a result before, and no news
}

// Page holds the latest picture of each camera. Show and ShowRaw may be called
// from each camera's own goroutine.
type Page struct {
	// State tells what the page says beside pictures; nil: nothing. Set it before
	// the page is served.
	State func() State

	title   string
	names   []string
	cameras map[string]*camera
	turn    chan struct{} // one picture is encoded at a time
	stop    context.Context
	cancel  context.CancelFunc

	stateMu sync.Mutex
	stateAt time.Time
	state   []byte // JSON, for all viewers of half a second
}

// New is a page for the cameras named.
func New(title string, cameras []string) *Page {
	p := &Page{title: title, names: cameras, cameras: map[string]*camera{}, turn: make(chan struct{}, 1)}
	p.stop, p.cancel = context.WithCancel(context.Background())
	for _, name := range cameras {
		p.cameras[name] = &camera{name: name, given: make(chan struct{}, 1), changed: make(chan struct{}), full: map[Wish]int{}}
	}
	return p
}

// Close ends what runs for viewers.
func (p *Page) Close() { p.cancel() }

// camera is the latest picture of one camera, and how it comes to be.
type camera struct {
	name        string
	wantedUntil mono.Moment  // pictures are made until then
	wishes      atomic.Int64 // single JPEGs that somebody waits for
	running     atomic.Bool  // the goroutine that makes them
	gap         atomic.Int64 // between two results, nanoseconds, smoothed
	last        mono.Moment  // when the last result came
	lastWall    atomic.Int64 // the same for people: Unix nanoseconds

	// A frame changes hands by ask and given: taken is the encoder's but from
	// asking to given, when it is the camera's.
	ask   atomic.Bool
	given chan struct{}
	taken picture

	// mu is held for a few words at a time, never over work.
	mu      sync.Mutex
	latest  *made
	changed chan struct{}
	full    map[Wish]int // how many want such a JPEG
	keep    bool         // a frame's memory stays between two pictures
	raws    uint64
	verdict string
	open    bool
	seq     uint64

	ngs ngRing
}

// Show offers a result. It returns at once unless the encoder waits for a frame.
func (p *Page) Show(name string, f *edged.Frame, m *edged.Mask, s *Shot) {
	c := p.cameras[name]
	if c == nil {
		return
	}
	now := time.Now()
	c.count(now)
	c.mu.Lock()
	c.verdict, c.open, c.seq = s.Verdict, s.Open, s.Seq
	c.mu.Unlock()
	if IsNG(s.Verdict) && !s.Held {
		c.ngs.note(now, f, m, s)
	}
	if c.ask.CompareAndSwap(true, false) {
		c.taken.fill(now, f, m, s, "")
		c.given <- struct{}{} // one gift for one asking: there is room
	}
}

// ShowRaw offers a frame that led to no result, with the reason.
func (p *Page) ShowRaw(name string, f *edged.Frame, why string) {
	c := p.cameras[name]
	if c == nil || !isWhole(f) || !c.ask.CompareAndSwap(true, false) {
		return
	}
	c.taken.fill(time.Now(), f, nil, &Shot{Time: f.Time}, why)
	c.given <- struct{}{}
}

// isWhole tells whether a frame's bytes make the picture that it says.
func isWhole(f *edged.Frame) bool {
	row := f.W * f.Format.Channels()
	return f.W > 0 && f.H > 0 && f.Stride >= row && len(f.Pix) >= (f.H-1)*f.Stride+row
}

// Wanted tells whether a viewer waits for a picture of the camera.
func (p *Page) Wanted(name string) bool {
	c := p.cameras[name]
	return c != nil && c.ask.Load() && c.isWatched()
}

// IsNG tells a verdict that a rule gave from those that say all is well, or
// that nothing is known.
func IsNG(verdict string) bool { return verdict != "" && verdict != "OK" && verdict != "unsure" }

// smoothing is the weight of a new gap in the mean: the rate follows within
// about ten results.
const smoothing = 0.1

// count notes a result for the rate. One goroutine calls it.
func (c *camera) count(now time.Time) {
	c.lastWall.Store(now.UnixNano())
	last := c.last.Swap(now)
	if last.IsZero() {
		return
	}
	gap, mean := int64(now.Sub(last)), c.gap.Load()
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
