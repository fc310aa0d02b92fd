// Package capture brings frames from a camera, a file or a folder to the
// caller, newest first, and accounts for every one of them.
//
// OpenCV stays outside of this process. For each camera Open starts a worker,
// edged-camera, which decodes into shared memory that this side lends to the
// caller without a copy. A supervisor watches the worker's deadlines; one that
// is stuck or has crashed is killed and replaced while the caller waits.
// Nothing here needs cgo. A folder of images and test:belt need no worker.
package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"edged"
)

// Source hands out frames. One goroutine at a time calls Next; Counts and
// Close may be called from any.
type Source interface {
	// Next waits for a frame and describes it in f. The memory is lent, read
	// only, until the next call of Next or Close. It returns io.EOF when a file
	// or folder has ended, ErrClosed after Close, and ctx's error when that comes
	// first. A live source never ends: while it is away, Next waits.
	Next(ctx context.Context, f *edged.Frame) error
	Counts() Counts
	// Close ends the worker and takes back the memory. It may be called twice,
	// and while another goroutine waits in Next.
	Close() error
}

// ErrClosed is what Next returns after Close.
var ErrClosed = errors.New("capture: source is closed")

// Status is what a camera's status topic says.
type Status struct {
	Online bool
	Reason string // why it is offline by now, without credentials; empty when online
	Old    bool   // it is still offline, and the reason was told, or differs in its numbers alone
}

// Config describes one source. A zero field takes the value of Default; a
// negative duration switches that check off.
type Config struct {
	Name   string // the camera's name, for logs and the process list
	Source string // a device, an address, a file, a pipeline or test:belt, as sample.toml lists them; may hold credentials
	Worker string // path of edged-camera; empty: beside the program, then PATH

	EveryFrame bool // the source waits for the caller and passes nothing over
	Keep       bool // frames wait in order for the caller; a live source is read on meanwhile, so that what is lost counts
	Once       bool // what cannot be opened is an error of Next, not tried again
	Loop       bool // a file or folder starts again at its end

	// Asked of a device; 0 or empty leaves the device's own choice.
	Width, Height int
	FPS           float64 // for a file or folder: its pace in place of its own
	FourCC        string  // for example MJPG
	Bits          int     // of a grey pixel that is deeper than 8 bits; 0: nobody knows
	IgnoreEXIF    bool    // take pictures as they lie, whatever their EXIF says
	Enough        Enough  // how coarse pictures may be; zero: every pixel is wanted

	// Triggered: somebody decides when this camera takes a picture, so each may be
	// a part's. They are kept in order until asked for, none is refused for having
	// waited, and OnLoss is told of what leads to none.
	Triggered bool
	// Idle is how long silence is no fault, the camera's pauses being its own; 0: it
	// is regular. A triggered camera has DefaultIdle unless told otherwise.
	Idle time.Duration

	OpenTimeout  time.Duration // for opening, and for the first frame, without headway
	ReadTimeout  time.Duration // for every later frame of a regular camera
	AliveTimeout time.Duration // for a worker's sign of life
	RetryMin     time.Duration // first wait before opening again
	RetryMax     time.Duration // longest wait for a source that is away
	CrashMax     time.Duration // longest wait after crash upon crash without a frame

	MaxAge      time.Duration // a live frame that waited longer is stale
	StallAfter  time.Duration // the first live frame after such a pause is stale
	FrozenAfter time.Duration // the same live picture for so long is a fault
	RefuseBlack bool          // refuse live frames without a lit pixel

	Slots     int   // frames of shared memory
	MaxPixels int64 // the largest picture accepted

	Log      *slog.Logger // nil: slog.Default()
	OnStatus func(Status) // told of every change, by one goroutine; must not block
	OnLoss   func(Loss)   // told of a triggered camera's pictures that led to none, and of a folder's, likewise

	Seen string // file in which a watched folder remembers what it has served; empty: it forgets at its end
}

// Loss is pictures of a triggered camera that nobody was handed.
type Loss struct {
	Reason string // as Refusals names it, or passed_over
	N      uint64
	At     time.Time // when the latest was taken, or known to be lost
	File   string    // a folder's file that it was to be read from; empty elsewhere
	Why    string    // what is wrong with the file
}

// Filer is a Source that reads each frame from a file of its own.
type Filer interface {
	Source
	// File is the name of the file that the frame lent last was read from, without
	// its folder; empty where it was none.
	File() string
}

// DefaultIdle is how long a triggered camera may be silent: a break, not a shift.
const DefaultIdle = 10 * time.Minute

// Default is a Config for source with every default filled in.
func Default(source string) Config { return Config{Source: source}.withDefaults() }

func (c Config) withDefaults() Config {
	or := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	or(&c.OpenTimeout, 10*time.Second)
	or(&c.ReadTimeout, 5*time.Second)
	or(&c.AliveTimeout, 2*time.Second)
	or(&c.RetryMin, time.Second)
	or(&c.RetryMax, 3*time.Second) // a camera that is back is found within 5 s
	or(&c.CrashMax, 30*time.Second)
	or(&c.MaxAge, 2*time.Second)
	or(&c.StallAfter, time.Second)
	or(&c.FrozenAfter, 30*time.Second) // longer than a still scene's group of pictures
	if c.Triggered {
		or(&c.Idle, DefaultIdle)
	}
	if c.Slots == 0 {
		c.Slots = 4 // one lent, one waiting, one on its way, one being written
		if c.Triggered || c.Keep {
			c.Slots = 8 // parts may come closer together than the model runs
		}
	}
	if c.MaxPixels == 0 {
		c.MaxPixels = largestPicture(memoryTotal(), c.Slots)
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// Validate reports the first setting that cannot work. It does not look for
// the source itself; Parse does.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.Slots < 3 || c.Slots > maxSlots:
		return fmt.Errorf("capture: %d slots of shared memory: use 3 to %d", c.Slots, maxSlots)
	case c.FourCC != "" && len(c.FourCC) != 4:
		return fmt.Errorf("capture: pixel code %q: use four characters, for example MJPG", c.FourCC)
	case c.Width < 0 || c.Height < 0 || (c.Width == 0) != (c.Height == 0):
		return fmt.Errorf("capture: size %dx%d: give both width and height, or neither", c.Width, c.Height)
	case c.FPS < 0 || c.FPS > 1000:
		return fmt.Errorf("capture: %g frames a second: use 0 (the source's own) to 1000", c.FPS)
	case c.Idle < 0:
		return fmt.Errorf("capture: idle of %v: use a positive time", c.Idle)
	case c.OpenTimeout < 0 || c.ReadTimeout < 0 || c.AliveTimeout < 0:
		return errors.New("capture: a deadline is negative: a stuck camera would never be noticed")
	case c.RetryMin < 0 || c.RetryMax < c.RetryMin || c.CrashMax < c.RetryMin:
		return fmt.Errorf("capture: waits of %v to %v, %v after crashes: the longest is shorter than the first", c.RetryMin, c.RetryMax, c.CrashMax)
	case c.Bits != 0 && (c.Bits < 8 || c.Bits > 16):
		return fmt.Errorf("capture: %d bits a pixel: use 8 to 16", c.Bits)
	case c.MaxPixels < 0:
		return fmt.Errorf("capture: at most %d pixels: use a positive number", c.MaxPixels)
	}
	return nil
}

// keepsAll tells whether frames wait for the caller in order. What has no slot is
// still passed over where the source does not wait.
func (c *Config) keepsAll() bool { return c.EveryFrame || c.Triggered || c.Keep }

// maxSlots bounds the shared memory of one camera.
const maxSlots = 16
