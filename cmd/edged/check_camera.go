package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"edged"
	"edged/capture"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/internal/stage"
)

// checkedCamera is what there is to say of a camera and the picture that it has just
// given.
type checkedCamera struct {
	detail   string
	warnings []string
}

func (c *checkedCamera) warn(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

// checkCamera takes a picture and compares it with what the config says is seen of
// it, and with the model, which may be nil.
func checkCamera(ctx context.Context, cam *config.Camera, c *config.Config, file *stage.File) (checkedCamera, error) {
	var out checkedCamera
	out.checkSource(cam, c)
	ctx, cancel := context.WithTimeout(ctx, 2*checkTime+time.Second)
	defer cancel()
	if cam.Triggered() || cam.Idle > 0 {
		ctx, cancel = context.WithTimeout(ctx, checkTime)
		defer cancel()
	}
	info, err := capture.Probe(ctx, capture.Config{
		Name: cam.Name, Source: cam.Source, Log: slog.New(slog.DiscardHandler), OpenTimeout: checkTime,
		Triggered: cam.Triggered(), Idle: time.Duration(cam.Idle),
	})
	if why := waits(cam, info, err); why != "" {
		out.detail = why
		out.warn("%s: what it sees could not be compared with the model", why)
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.detail = fmt.Sprintf("%s, %dx%d %s", info.Kind, info.Width, info.Height, info.Format)
	if capture.IsGigE(cam.Source) {
		out.checkReceive(os.DirFS("/"), &info)
	}
	if file == nil {
		return out, nil
	}
	return out, out.compare(cam, file, &info)
}

// waits says why a source that is well has given no picture; empty: it should have.
func waits(cam *config.Camera, info capture.Info, err error) string {
	pathLike := info.Kind == capture.Folder.String() || filepath.Ext(cam.Source) == ""
	kind, _ := capture.Parse(cam.Source)
	switch {
	case errors.Is(err, capture.ErrEmpty):
		return "a folder without pictures as yet: the daemon waits for them"
	case (kind == capture.Folder || kind == capture.File && pathLike) && errors.Is(err, fs.ErrNotExist):
		return "a folder that is not there as yet: the daemon waits for it"
	case errors.Is(err, context.DeadlineExceeded) && info.Opened && (cam.Triggered() || cam.Idle > 0):
		return fmt.Sprintf("it is open, and gave no picture in %v: let a part pass, and look again", checkTime)
	}
	return ""
}

// checkSource says what a restart will make of the source.
func (c *checkedCamera) checkSource(cam *config.Camera, cfg *config.Config) {
	if ends, cure := capture.Ends(cam.Source); ends {
		if cure != "" {
			cure = "; " + cure
		}
		c.warn("it ends: each start of the daemon plays it and publishes it again, then it rests%s", cure)
	}
	if kind, _ := capture.Parse(cam.Source); kind == capture.Folder && cfg.StateDir() == "" {
		c.warn("which pictures were served is forgotten at the daemon's end, and all of them are served again: set mqtt.spool_dir")
	}
}

// checkReceive looks whether the kernel keeps a whole frame of a GigE camera for a
// reader that is not scheduled for a moment: what does not fit is lost.
func (c *checkedCamera) checkReceive(root fs.FS, info *capture.Info) {
	b, err := fs.ReadFile(root, "proc/sys/net/core/rmem_max")
	most, bad := strconv.Atoi(strings.TrimSpace(string(b)))
	if frame := info.Width * info.Height; err == nil && bad == nil && most < frame {
		c.warn("the network's receive buffer takes %d bytes, a frame has %d: on a busy machine parts of frames are lost; "+
			"write net.core.rmem_max = %d to /etc/sysctl.d/60-gige.conf, then run sysctl --system", most, frame, 4*frame)
	}
}

// compare holds the model's input and the config's view against the picture.
func (c *checkedCamera) compare(cam *config.Camera, file *stage.File, info *capture.Info) error {
	f := edged.Frame{W: info.Width, H: info.Height, Format: edged.BGR}
	if info.Format == edged.Gray.String() {
		f.Format = edged.Gray
	}
	f.Stride = f.W * f.Format.Channels()
	seen, err := stage.Sight(file, cam, &f)
	switch {
	case errors.Is(err, pipeline.ErrROI):
		return fmt.Errorf("%w: its frames would all be refused; give x, y, width, height within %dx%d", err, f.W, f.H)
	case errors.Is(err, pipeline.ErrTooSmall):
		return fmt.Errorf("%w: its frames would all be refused", err)
	case err != nil:
		return err
	}
	c.detail += fmt.Sprintf(", of which the model sees %dx%d at %d, %d", seen.W, seen.H, seen.X, seen.Y)
	c.compareFit(cam, file, seen, &f)
	return c.compareZones(cam, file, &f)
}

// compareZones holds the config's zones against the picture and what the model sees
// of it. A rule on a zone in which there is nothing to see would always be content.
func (c *checkedCamera) compareZones(cam *config.Camera, file *stage.File, f *edged.Frame) error {
	all, err := stage.ZonesSeen(file, cam, f)
	if err != nil {
		return err
	}
	var faults []error
	for _, z := range all {
		switch {
		case z.Blind != "" && z.Ruled:
			faults = append(faults, fmt.Errorf("zone %q: %s: the rules on it would never see anything; give its corners in pixels of the whole picture", z.Name, z.Blind))
		case z.Blind != "":
			c.warn("zone %q: %s", z.Name, z.Blind)
		case z.Partly != "":
			c.warn("zone %q: %s", z.Name, z.Partly)
		}
	}
	return errors.Join(faults...)
}

const (
	// smallPart is the share of a picture below which a crop is likely a mistake.
	smallPart = 0.25
	// tooOblong is by how much the sides may be scaled differently.
	tooOblong = 1.2
)

// compareFit warns where little of the picture is seen, or it is distorted.
func (c *checkedCamera) compareFit(cam *config.Camera, file *stage.File, seen pipeline.Rect, f *edged.Frame) {
	w, h := f.W, f.H
	if len(cam.ROI) == 4 {
		w, h = cam.ROI[2], cam.ROI[3]
	}
	if share := float64(seen.W*seen.H) / float64(w*h); cam.Fit == "crop" && share < smallPart {
		c.warn("the model sees the middle %dx%d of %dx%d, %.1f %% of it: a roi, fit = \"tile\", fit = \"resize\" or a model of the camera's size sees more",
			seen.W, seen.H, w, h, 100*share)
	}
	shape := file.Model.Subgraphs[0].Tensors[file.Model.Subgraphs[0].Inputs[0]].Shape
	if cam.Fit != "resize" || len(shape) != 4 {
		return
	}
	if cam.Rotate == 90 || cam.Rotate == 270 {
		w, h = h, w
	}
	x, y := float64(w)/float64(shape[2]), float64(h)/float64(shape[1])
	if oblong := math.Max(x/y, y/x); oblong > tooOblong {
		c.warn("fit = \"resize\" makes %dx%d into %dx%d: shapes are distorted by %.2f; a roi of the model's proportions keeps them", w, h, shape[2], shape[1], oblong)
	}
}

// pageTaken says that the page's address cannot be had; empty: it can, or an edged
// that runs has it.
func pageTaken(ctx context.Context, c *config.Config) string {
	if c.Node.HTTP == "" {
		return ""
	}
	l, err := net.Listen("tcp", c.Node.HTTP)
	if err == nil {
		l.Close()
		return ""
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		if servedByEdged(ctx, c.Node.HTTP) {
			return ""
		}
		return c.Node.HTTP + " is taken by another program: there would be no page and no metrics"
	}
	return fmt.Sprintf("%v: there would be no page and no metrics", err)
}

// servedByEdged tells whether an edged answers at address.
func servedByEdged(ctx context.Context, address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return false
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized {
		return resp.Header.Get("WWW-Authenticate") == `Basic realm="edged", charset="UTF-8"`
	}
	var health struct {
		Checks map[string]string `json:"checks"`
	}
	err = json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 64<<10)).Decode(&health)
	return err == nil && health.Checks != nil
}
