package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"edged"
	"edged/capture"
	"edged/internal/config"
	"edged/internal/quality"
	"edged/internal/stage"
)

// fewPictures is below how many good pictures limits are worth little: light and
// focus have not had the time to change.
const fewPictures = 20

// learnt is what doctor --learn-quality prints as JSON.
type learnt struct {
	Camera   string         `json:"camera,omitempty"`
	Pictures int            `json:"pictures"`
	Least    edged.Quality  `json:"least"`
	Most     edged.Quality  `json:"most"`
	Limits   map[string]any `json:"limits"` // by key of [camera.quality]
	Warnings []string       `json:"warnings,omitempty"`
}

// learnQuality measures the good pictures in dir, of the part that the camera's
// model sees where path names a config, and finds limits for them.
func learnQuality(ctx context.Context, dir, path, camera string) (*learnt, error) {
	part, name, err := measuredPart(path, camera)
	if err != nil {
		return nil, err
	}
	src, err := capture.Open(capture.Config{Name: "learn", Source: dir, Once: true, EveryFrame: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	var m quality.Meter
	var seen quality.Range
	for {
		var f edged.Frame
		if err := src.Next(ctx, &f); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		r, err := part(&f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.PartID, err)
		}
		seen.Add(m.Measure(&f, r))
	}
	return newLearnt(name, &seen, src.Counts())
}

func newLearnt(camera string, seen *quality.Range, c capture.Counts) (*learnt, error) {
	if seen.Pictures == 0 {
		return nil, errors.New("no picture could be read: name a folder of PNG or JPEG pictures that are good")
	}
	l := seen.Limits()
	out := &learnt{Camera: camera, Pictures: seen.Pictures, Least: seen.Min, Most: seen.Max,
		Limits: map[string]any{"dark": *l.Dark, "bright": *l.Bright, "contrast": *l.Contrast, "blur": *l.Blur}}
	if seen.Pictures < fewPictures {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d pictures are few: take %d or more, over a day's light and parts", seen.Pictures, fewPictures))
	}
	if c.Refused > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d files did not decode", c.Refused))
	}
	if camera == "" {
		out.Warnings = append(out.Warnings, "measured on whole pictures; with -c FILE and --camera NAME on the part that its model sees")
	}
	return out, nil
}

// measuredPart tells which part of a frame is measured: all of it, or what the
// camera's model sees.
func measuredPart(path, camera string) (part func(*edged.Frame) (quality.Rect, error), name string, err error) {
	if path == "" {
		return func(f *edged.Frame) (quality.Rect, error) { return quality.Rect{W: f.W, H: f.H}, nil }, "", nil
	}
	c, err := config.Load(path, configEngines)
	if err != nil {
		return nil, "", err
	}
	cam, err := cameraOf(c, camera)
	if err != nil {
		return nil, "", err
	}
	file, err := stage.Read(cam.Model)
	if err != nil {
		return nil, "", err
	}
	return func(f *edged.Frame) (quality.Rect, error) {
		r, err := stage.Sight(file, cam, f)
		return quality.Rect(r), err
	}, cam.Name, nil
}

// cameraOf is the camera of that name, or the only one.
func cameraOf(c *config.Config, name string) (*config.Camera, error) {
	for i := range c.Cameras {
		if c.Cameras[i].Name == name || name == "" && len(c.Cameras) == 1 {
			return &c.Cameras[i], nil
		}
	}
	return nil, exitf(exitUsage, "which camera? Name it with --camera: %s", strings.Join(c.Names(), ", "))
}

// print writes the table for the config.
func (l *learnt) print(w io.Writer) error {
	var b strings.Builder
	for _, warning := range l.Warnings {
		fmt.Fprintf(&b, "# warning: %s\n", warning)
	}
	fmt.Fprintf(&b, "# learnt from %d pictures\n[camera.quality]\n", l.Pictures)
	for _, k := range []struct {
		key       string
		low, high float64
		what      string
	}{
		{"dark", l.Least.Dark, l.Most.Dark, "largest share of black pixels"}, {"bright", l.Least.Bright, l.Most.Bright, "largest share of white pixels"},
		{"contrast", l.Least.Contrast, l.Most.Contrast, "least standard deviation of brightness"}, {"blur", l.Least.Blur, l.Most.Blur, "least variance of the Laplacian"},
	} {
		fmt.Fprintf(&b, "%-8s = %-8s # %s; they have %s to %s\n", k.key, tomlFloat(l.Limits[k.key].(float64)), k.what, fewDigits(k.low), fewDigits(k.high))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func fewDigits(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// tomlFloat writes a number that TOML takes for a float.
func tomlFloat(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
