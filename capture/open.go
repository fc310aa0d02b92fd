package capture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"time"

	"edged"
)

// Open starts bringing frames from cfg.Source. It returns at once: a camera
// that is away is looked for until Close, and Next waits for it; Config.OnStatus
// tells of it. An error means that this can never work: a malformed source or
// setting or, with Config.Once, a file or folder that is not there.
func Open(cfg Config) (Source, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	kind, err := Parse(cfg.Source)
	if err != nil && (cfg.Once || !errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	if kind == Device {
		if err := deviceOptions(&cfg); err != nil {
			return nil, err
		}
		if err := cfg.Validate(); err != nil {
			return nil, err
		}
	}
	if cfg.Keep && !live(kind, cfg.Source) {
		cfg.EveryFrame = true // it waits for its reader, and loses nothing
	}
	switch kind {
	case File, Folder:
		return openPath(cfg, kind, err)
	case Belt:
		return openBelt(cfg)
	}
	return openCamera(cfg, kind), nil
}

// openPath opens a clip or a folder. One that is not there is waited for; which it
// is shows when it comes.
func openPath(cfg Config, kind Kind, missing error) (Source, error) {
	path, loop := cutLoop(cfg.Source)
	cfg.Loop = cfg.Loop || loop
	if abs, err := filepath.Abs(path); err == nil {
		path = abs // a name may begin with a dash, or hold a colon
	}
	cfg.Source = path
	switch {
	case kind == Folder:
		return openFolder(cfg)
	case missing != nil:
		return newLate(cfg), nil
	}
	return openCamera(cfg, kind), nil
}

func openCamera(cfg Config, kind Kind) *camera {
	ctx, cancel := context.WithCancel(context.Background())
	c := &camera{
		cfg: cfg, kind: kind, live: live(kind, cfg.Source), enough: cfg.Enough,
		wake: make(chan struct{}, 1), taken: make(chan struct{}, 1),
		cancel: cancel, done: make(chan struct{}),
	}
	go c.supervise(ctx)
	return c
}

// Info is what Probe learnt of a source.
type Info struct {
	Kind    string  `json:"kind"`
	Width   int     `json:"width"` // of its first frame, in pixels
	Height  int     `json:"height"`
	Format  string  `json:"format"`            // BGR, RGB or Gray
	FPS     float64 `json:"fps,omitempty"`     // as the source claims
	Backend string  `json:"backend,omitempty"` // FFmpeg, V4L2 or GStreamer
	FourCC  string  `json:"fourcc,omitempty"`
	Frames  int64   `json:"frames,omitempty"` // of a file, as its index claims
	Library string  `json:"library,omitempty"`
	Opened  bool    `json:"-"` // it was, whether or not a frame came
}

// Excuse remembers why a source is away, for who gives up waiting for it.
type Excuse struct{ latest atomic.Pointer[string] }

// Note is for Config.OnStatus.
func (e *Excuse) Note(s Status) { e.latest.Store(&s.Reason) }

// Add is err, with the reason before it where it is that the time is over.
func (e *Excuse) Add(err error) error {
	if r := e.latest.Load(); r != nil && *r != "" && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s (%w)", *r, err)
	}
	return err
}

// Probe opens a source, reads one frame, closes it again, and says what it is
// or why it does not work.
func Probe(ctx context.Context, cfg Config) (Info, error) {
	var why Excuse
	cfg.Once, cfg.OnStatus = true, why.Note
	src, err := Open(cfg)
	if err != nil {
		return Info{}, err
	}
	defer src.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*cfg.withDefaults().OpenTimeout+time.Second)
	defer cancel()
	kind, _ := Parse(cfg.Source)
	info := Info{Kind: kind.String()}
	var f edged.Frame
	if err := src.Next(ctx, &f); err != nil {
		if c, ok := src.(*camera); ok {
			c.describe(&info)
		}
		return info, fmt.Errorf("capture: no frame from %s: %w", Redact(cfg.Source), why.Add(err))
	}
	if c, ok := src.(*camera); ok {
		c.describe(&info)
	}
	info.Width, info.Height, info.Format = f.W, f.H, f.Format.String()
	return info, nil
}
