// Package belt is a camera that needs no camera: a seeded, endless conveyor
// belt with brushed-metal parts, rendered with the defects that surface
// inspection looks for (scratch, pit, stain), and with the exact class of every
// pixel. Frame k depends on the Config and k alone, on one kind of processor: where
// another one fuses multiplications and additions, the last bit of a pixel may differ.
package belt

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// The class ids of a truth mask.
const (
	Background uint8 = iota // the belt, seen through holes too
	Metal                   // good metal
	Scratch
	Pit
	Stain
	Classes = iota // their number
)

// Labels names the classes in the order of their ids.
func Labels() []string { return []string{"background", "metal", "scratch", "pit", "stain"} }

// Config chooses one belt. Parse reads it from a source string.
type Config struct {
	Seed    uint64
	W, H    int     // pixels of a frame; a larger frame sees more belt, at the same scale
	FPS     float64 // frames a second; 0: as fast as they are asked for, none passed over
	Every   bool    // keep to FPS but deliver every frame, however late
	Speed   int     // pixels that the belt moves from one frame to the next
	Frames  uint64  // the belt ends after so many frames, 0: never
	Defects float64 // share of the parts that have a defect, 0..1
	Grain   float64 // standard deviation of the sensor noise, grey levels
	Line    bool    // a line camera looks across the belt: a frame is the next H rows of W pixels, without gap or seam
}

// Default is a 640x480 belt at 30 frames a second.
func Default() Config {
	return Config{Seed: 7, W: 640, H: 480, FPS: 30, Speed: 3, Defects: 0.85, Grain: 2.2}
}

// The limits of a frame: 16 pixels is the smallest that shows anything, 8192
// keeps positions in the integer ranges that the compositor uses.
const (
	minSide = 16
	maxSide = 8192
)

// Validate names the first field that is out of its range.
func (c Config) Validate() error {
	switch {
	case c.W < minSide || c.W > maxSide || c.H < minSide || c.H > maxSide:
		return fmt.Errorf("belt: size %dx%d: each side must be %d..%d", c.W, c.H, minSide, maxSide)
	case !(c.FPS >= 0 && c.FPS <= 10000):
		return fmt.Errorf("belt: fps %g: must be 0 (as fast as asked for) to 10000", c.FPS)
	case !c.Line && (c.Speed < 0 || c.Speed > 64):
		return fmt.Errorf("belt: speed %d: must be 0..64 pixels a frame", c.Speed)
	case !(c.Defects >= 0 && c.Defects <= 1):
		return fmt.Errorf("belt: defects %g: must be a share, 0..1", c.Defects)
	case !(c.Grain >= 0 && c.Grain <= 20):
		return fmt.Errorf("belt: grain %g: must be 0..20 grey levels", c.Grain)
	}
	return nil
}

// Prefix is what a source string for this camera starts with.
const Prefix = "test:belt"

// Parse reads "test:belt?seed=7&size=640x480&fps=30&pace=newest|every&speed=3&
// frames=0&defects=0.85&grain=2.2&line=1". What is absent keeps its Default; an unknown
// key is an error.
func Parse(source string) (Config, error) {
	c := Default()
	rest, ok := strings.CutPrefix(source, Prefix)
	if !ok || (rest != "" && rest[0] != '?') {
		return c, fmt.Errorf("belt: source %q: want %s or %s?seed=7&size=640x480&fps=30", source, Prefix, Prefix)
	}
	query, err := url.ParseQuery(strings.TrimPrefix(rest, "?"))
	if err != nil {
		return c, fmt.Errorf("belt: options of %q: %w", source, err)
	}
	for key, values := range query {
		if err := c.set(key, values[len(values)-1]); err != nil {
			return c, fmt.Errorf("belt: option %s=%s of %q: %w", key, values[len(values)-1], source, err)
		}
	}
	return c, c.Validate()
}

func (c *Config) set(key, value string) (err error) {
	switch key {
	case "seed":
		c.Seed, err = strconv.ParseUint(value, 10, 64)
	case "size":
		c.W, c.H, err = parseSize(value)
	case "fps":
		c.FPS, err = parseFloat(value)
	case "pace":
		if value != "newest" && value != "every" {
			return fmt.Errorf("want newest or every")
		}
		c.Every = value == "every"
	case "speed":
		c.Speed, err = strconv.Atoi(value)
	case "frames":
		c.Frames, err = strconv.ParseUint(value, 10, 64)
	case "defects":
		c.Defects, err = parseFloat(value)
	case "line":
		c.Line, err = strconv.ParseBool(value)
	case "grain":
		c.Grain, err = parseFloat(value)
	default:
		return fmt.Errorf("unknown option: want seed, size, fps, pace, speed, frames, defects, grain or line")
	}
	return err
}

func parseFloat(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return 0, fmt.Errorf("not a finite number")
	}
	return v, err
}

func parseSize(s string) (w, h int, err error) {
	ws, hs, ok := strings.Cut(s, "x")
	if !ok {
		return 0, 0, fmt.Errorf("want WIDTHxHEIGHT, for example 640x480")
	}
	if w, err = strconv.Atoi(ws); err != nil {
		return 0, 0, err
	}
	h, err = strconv.Atoi(hs)
	return w, h, err
}
