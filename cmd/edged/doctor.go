package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"edged/capture"
	"edged/internal/config"
	"edged/internal/page"
	"edged/internal/pipeline"
	"edged/internal/stage"
	"edged/mqtt"
	"edged/train/nets"
)

func newDoctorCmd() *cobra.Command {
	var path, good, camera string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Is this machine ready? Libraries, model, camera, broker, clock, disk",
		Long: `doctor looks at what edged needs and tells of each whether it is ok, and what to
do where it is not. With a config it looks at that config's models, cameras,
broker and folders too. Exit 0 unless something has failed.

With --learn-quality it does something else: it measures the good pictures in a
folder and prints limits for [camera.quality], outside of which a verdict is
"unsure". With a config it measures the part that the camera's model sees.`,
		Example: `  edged doctor
  edged doctor -c /etc/edged/edged.toml
  edged doctor --learn-quality good/ -c edged.toml --camera cam1
  edged doctor --json | jq '.checks[] | select(.state != "ok")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if camera != "" && good == "" {
				return exitf(exitUsage, "--camera goes with --learn-quality DIR")
			}
			if good != "" {
				l, err := learnQuality(cmd.Context(), good, path, camera)
				if err != nil {
					return fmt.Errorf("doctor: %w", err)
				}
				if asJSON {
					return writeJSON(cmd.OutOrStdout(), l)
				}
				return l.print(cmd.OutOrStdout())
			}
			r := examine(cmd.Context(), path)
			if asJSON {
				if err := writeJSON(cmd.OutOrStdout(), r); err != nil {
					return err
				}
			} else {
				r.print(cmd.OutOrStdout())
			}
			if !r.OK {
				return &exitError{code: exitFailed}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "look at the things this `FILE` names too")
	cmd.Flags().StringVar(&good, "learn-quality", "", "find limits of the picture from the good ones in folder `DIR`")
	cmd.Flags().StringVar(&camera, "camera", "", "with --learn-quality: the config's camera of this `NAME`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// finding is one line of the doctor.
type finding struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ok, warn or FAIL
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

// report is what doctor --json prints.
type report struct {
	OK     bool      `json:"ok"`
	Checks []finding `json:"checks"`
}

func (r *report) add(name, state, detail, fix string) {
	if state == "ok" {
		fix = ""
	}
	r.OK = r.OK && state != "FAIL"
	r.Checks = append(r.Checks, finding{name, state, detail, fix})
}

func (r *report) print(w io.Writer) {
	for _, c := range r.Checks {
		fmt.Fprintf(w, "%-4s  %s: %s\n", c.State, c.Name, strings.ReplaceAll(c.Detail, "\n", "\n      "))
		if c.Fix != "" {
			fmt.Fprintf(w, "      -> %s\n", c.Fix)
		}
	}
}

// examine runs every check, with the things of the config at path when there
// is one.
func examine(ctx context.Context, path string) *report {
	r := &report{OK: true}
	root := os.DirFS("/")
	r.checkLibraries()
	r.checkBoard(root)
	r.checkMemory()
	r.checkCanaries(ctx)
	if path == "" {
		r.checkCameras()
		r.add("broker", "ok", "not looked at without a config", "")
		r.checkDisk(os.TempDir())
	} else if c, err := config.Load(path, configEngines); err != nil {
		r.add("config", "FAIL", err.Error(), "correct the lines named; 'edged check --sample' shows every key")
	} else {
		r.add("config", "ok", fmt.Sprintf("%s, %d camera(s)", path, len(c.Cameras)), "")
		r.checkConfigured(ctx, c)
		r.checkWear(root, stateOr(c.StateDir()), uptime())
	}
	r.checkClock()
	r.checkBattery(root)
	return r
}

func (r *report) checkLibraries() {
	b := thisBuild()
	r.add("program", "ok", fmt.Sprintf("edged %s on %s, %d processors", b.Version, b.Platform, runtime.NumCPU()), "")
	if slices.Contains(linkedEngines(), engineTFLite) {
		r.add("library TensorFlow Lite", "ok", "linked; "+kernelsDiffer, "")
	} else {
		r.add("library TensorFlow Lite", "warn", "not linked: the engine in Go does all the work",
			"build with 'make build' where TFLite exists (amd64, arm64)")
	}
	worker, err := capture.FindWorker("")
	if err != nil {
		r.add("library OpenCV", "warn", bare(err),
			"'make build' makes edged-camera; without it only folders and test:belt work")
		return
	}
	r.add("library OpenCV", "ok", "in "+worker, "")
}

// checkCanaries has a child of each engine run a bundled net.
func (r *report) checkCanaries(ctx context.Context) {
	data, err := nets.Read(nets.Valid)
	if err != nil {
		r.add("model canary", "FAIL", err.Error(), "the program is damaged: install it again")
		return
	}
	for _, engine := range linkedEngines() {
		name := "model canary " + engine
		if err := engines.Canary(ctx, data, engine, 0); err != nil {
			r.add(name, "FAIL", err.Error(), "do not use engine = \""+engine+"\" on this machine; run 'edged infer' by hand to see more")
			continue
		}
		r.add(name, "ok", "runs "+nets.Valid, "")
	}
}

// checkCameras looks for any camera at all.
func (r *report) checkCameras() {
	found, _ := filepath.Glob("/dev/v4l/by-id/*")
	if len(found) == 0 {
		found, _ = filepath.Glob("/dev/video*")
	}
	network := capture.GigECameras(gigeTime)
	r.addGigE(network)
	if len(found) == 0 && len(network) > 0 {
		return
	}
	if len(found) == 0 {
		r.add("camera", "warn", "no camera device on this machine",
			"plug one in; is the module videodev loaded ('modprobe uvcvideo')? Network cameras and files need none")
		return
	}
	for _, device := range found {
		if err := unix.Access(device, unix.R_OK|unix.W_OK); err != nil {
			r.add("camera", "FAIL", fmt.Sprintf("%s: %v", device, err), "add the user to the group video")
			continue
		}
		r.add("camera", "ok", device, "")
	}
}

// addGigE lists GigE Vision cameras that have answered.
func (r *report) addGigE(all []string) {
	for _, found := range all {
		r.add("camera", "ok", found, "")
	}
}

// gigeTime is how long GigE cameras have to answer.
const gigeTime = 500 * time.Millisecond

// checkConfigured looks at what a config names.
func (r *report) checkConfigured(ctx context.Context, c *config.Config) {
	if slices.ContainsFunc(c.Cameras, func(cam config.Camera) bool { kind, _ := capture.Parse(cam.Source); return kind == capture.GigE }) {
		r.addGigE(capture.GigECameras(gigeTime))
	}
	for i := range c.Cameras {
		cam := &c.Cameras[i]
		file := r.addModel(ctx, cam, c)
		r.addCamera(ctx, cam, c, file)
	}
	r.checkBroker(ctx, c)
	r.checkPage(ctx, c)
	dir := c.StateDir()
	if dir == "" {
		r.add("state", "warn", "no mqtt.spool_dir: events and the last good model do not survive a restart", "set mqtt.spool_dir")
		dir = os.TempDir()
	} else {
		r.checkWritable("state", dir, "mqtt.spool_dir")
	}
	if kept := c.Evidence.Dir; kept != "" {
		r.checkWritable("evidence", kept, "evidence.dir")
	}
	r.checkDisk(dir)
}

// pageCure is what to do about a page that others see.
const pageCure = `set node.http = "` + config.DefaultHTTP + `" and use an SSH tunnel, or a proxy with TLS and a password on this machine`

// pageWarning is what is to be said of who can see the page; empty: nothing.
func pageWarning(c *config.Config) string {
	switch {
	case c.Node.HTTP == "" || !page.Beyond(c.Node.HTTP):
		return ""
	case c.Node.HTTPUser != "":
		return c.Node.HTTP + " is reached from other machines, which get 403: a password is taken over loopback or TLS alone"
	}
	return c.Node.HTTP + " can be seen from other machines, pictures included, without a password"
}

// addCamera takes a picture and compares it with the config and the model.
func (r *report) addCamera(ctx context.Context, cam *config.Camera, c *config.Config, file *stage.File) {
	name := "camera " + cam.Name
	if element, fix := missingPlugin(os.DirFS("/"), cam.Source); element != "" {
		r.add(name, "FAIL", "GStreamer's element "+element+" is not on this machine", fix)
		return
	}
	seen, err := checkCamera(ctx, cam, c, file)
	switch {
	case errors.Is(err, pipeline.ErrROI) || errors.Is(err, pipeline.ErrTooSmall):
		r.add(name, "FAIL", bare(err), "correct roi and fit, or rewrite the model for this camera's size")
	case err != nil:
		r.add(name, "FAIL", bare(err), "is it plugged in, reachable and free? The daemon would wait for it")
	case len(seen.warnings) > 0:
		r.add(name, "warn", seen.detail+"\n"+strings.Join(seen.warnings, "\n"), "'edged snap' shows what the camera sees")
	default:
		r.add(name, "ok", seen.detail, "")
	}
}

func (r *report) checkPage(ctx context.Context, c *config.Config) {
	w := pageWarning(c)
	if taken := pageTaken(ctx, c); taken != "" {
		r.add("page", "warn", taken, "choose another node.http, or end the other program")
		return
	}
	if _, err := c.HTTPPassword(); err != nil {
		r.add("page", "FAIL", err.Error(), "until then there is no page: make the file, with the password as its first line")
	} else if w != "" {
		r.add("page", "warn", w, pageCure)
	} else if c.Node.HTTP != "" {
		r.add("page", "ok", c.Node.HTTP+", for this machine alone", "")
	}
}

// addModel looks at a camera's model, and returns it unless it cannot be read.
func (r *report) addModel(ctx context.Context, cam *config.Camera, c *config.Config) *stage.File {
	name := "model of " + cam.Name
	m, err := checkModel(ctx, cam, c)
	switch {
	case m.damaged:
		r.add(name, "FAIL", bare(err), "no verdict would come out of this model: restore the file, or train it again")
	case err != nil:
		r.add(name, "FAIL", bare(err), "'edged inspect' and 'edged manifest' show what the model has")
	case len(m.warnings) > 0:
		r.add(name, "warn", m.detail+"\n"+strings.Join(m.warnings, "\n"), "look at the model with 'edged infer' on a picture whose answer you know")
	default:
		r.add(name, "ok", m.detail, "")
	}
	return m.file
}

func (r *report) checkBroker(ctx context.Context, c *config.Config) {
	if c.MQTT.Broker == "" {
		r.add("broker", "warn", "none configured: results go to the page alone", "set mqtt.broker")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	tried := mqtt.Try(ctx, c.Client())
	if tried.Err != nil {
		r.add("broker", "FAIL", bare(tried.Err), tried.Cure+"; until then the daemon would wait for it")
		return
	}
	for _, w := range tried.Warnings {
		r.add("broker", "warn", w.Text, w.Cure)
	}
	if len(tried.Warnings) == 0 {
		r.add("broker", "ok", c.MQTT.Broker+" takes us in and delivers what we publish", "")
	}
}

func (r *report) checkWritable(what, dir, key string) {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".doctor-*"); err == nil {
			f.Close()
			err = os.Remove(f.Name())
		}
	}
	if err != nil {
		r.add(what, "FAIL", err.Error(), "give the daemon's user the right to write there, or set "+key+" elsewhere")
		return
	}
	r.add(what, "ok", dir+" can be written", "")
}

// The daemon itself writes little: events within spool_bytes, a model per camera.
const (
	diskLow  = 256 << 20
	diskFull = 16 << 20
)

func (r *report) checkDisk(dir string) {
	var s unix.Statfs_t
	for unix.Statfs(dir, &s) != nil && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir) // it may not be there yet
	}
	free := int64(s.Bavail) * int64(s.Bsize)
	state := "ok"
	if free < diskLow {
		state = "warn"
	}
	if free < diskFull {
		state = "FAIL"
	}
	r.add("disk", state, fmt.Sprintf("%d MB free at %s", free/1e6, dir), "make room: journals, old models, saved masks")
}

// checkClock asks the kernel whether somebody keeps its clock right: the times
// in results are worth no more than that.
func (r *report) checkClock() {
	const built = 2026 // a clock before this program is wrong
	now := time.Now()
	if now.Year() < built {
		r.add("clock", "FAIL", "it says "+now.UTC().Format(time.RFC3339), "set the time; a board without a battery needs NTP")
		return
	}
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err == nil && t.Status&unix.STA_UNSYNC == 0 {
		r.add("clock", "ok", now.UTC().Format(time.RFC3339)+", kept by NTP", "")
		return
	}
	r.add("clock", "warn", now.UTC().Format(time.RFC3339)+", not kept by NTP", "run systemd-timesyncd or chrony")
}
