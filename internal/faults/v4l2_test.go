//go:build faults && v4l2

package faults

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/capture"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// These run inside of the emulated machine that `make test-v4l2` makes, as root and
// alone, with Debian's virtual camera vivid in place of a real one.

// Names that Debian's udev gives the camera.
const (
	byID   = "/dev/v4l/by-id/usb-Maker_Camera_0123-video-index0"
	byPath = "/dev/v4l/by-path/platform-vivid.0-video-index0"
)

// small is what the emulated processor carries.
const small = "?width=320&height=180&fps=5"

// inTime is how soon a camera must be back: 5 s, and what an emulated processor, which
// others may use too, makes of that: as long again as it takes to start 20 small
// programs.
func inTime(t testing.TB) time.Duration {
	t.Helper()
	begin := time.Now()
	sh(t, "v4l2-ctl", "--version")
	return afterCamera + 20*time.Since(begin)
}

func sh(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func plugIn(t testing.TB) {
	t.Helper()
	sh(t, "modprobe", "-d", os.Getenv("V4L2_KERNEL"), "-S", os.Getenv("V4L2_VERSION"), "vivid", "n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0")
}

// plugOut takes the camera's driver away, which wants everybody to let go of it.
func plugOut(t testing.TB) {
	t.Helper()
	mqtttest.Until(t, time.Minute, "the driver to be free", func() bool { return exec.Command("rmmod", "vivid").Run() == nil })
}

// control sets one of vivid's controls, most of which break something on purpose.
func control(t testing.TB, set string) {
	t.Helper()
	sh(t, "v4l2-ctl", "-d", "/dev/video0", "-c", set)
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func appears(t testing.TB, path string) {
	t.Helper()
	mqtttest.Until(t, time.Minute, path, func() bool { return exists(path) })
}

func TestV4L2(t *testing.T) {
	plugIn(t)
	appears(t, byID)
	appears(t, byPath)
	control(t, "osd_text_mode=2") // which would lie over the colours
	t.Run("formats", testV4L2Formats)
	t.Run("sizes", testV4L2Sizes)
	t.Run("busy", testV4L2Busy)
	t.Run("line", testV4L2Line)
	t.Run("daemon", testV4L2Daemon)
}

// picture is the first picture of a source that may fail to give one, with what the
// log said.
func picture(t *testing.T, cfg capture.Config) (f edged.Frame, said string, err error) {
	t.Helper()
	var log strings.Builder
	cfg.Worker, cfg.Once = Bin(t, "edged-camera"), true
	cfg.OpenTimeout, cfg.ReadTimeout, cfg.AliveTimeout = 2*time.Minute, 30*time.Second, 30*time.Second
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	src, err := capture.Open(cfg)
	if err != nil {
		return f, "", err
	}
	defer func() { src.Close(); said = log.String() }()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	err = src.Next(ctx, &f)
	f.Pix = append([]byte{}, f.Pix...)
	return f, "", err
}

// bars are the colours of vivid's picture from left to right, as blue, green, red.
var bars = [8][3]int{{191, 191, 191}, {0, 191, 191}, {191, 191, 0}, {0, 191, 0}, {191, 0, 191}, {0, 0, 191}, {191, 0, 0}, {0, 0, 0}}

// showsBars looks whether a picture's colours are right, channel by channel.
func showsBars(t *testing.T, f *edged.Frame, grey bool) {
	t.Helper()
	ch := f.Format.Channels()
	for i, want := range bars {
		if grey {
			y := (72*want[0] + 715*want[1] + 213*want[2]) / 1000 // BT.709, as vivid has it
			want = [3]int{y, y, y}
		}
		at := f.H*3/4*f.Stride + (2*i+1)*f.W/16*ch
		got := f.Pix[at:][:ch]
		for k := range got {
			if d := int(got[k]) - want[k]; d < -30 || d > 30 {
				t.Errorf("bar %d is %v, want about %v", i, got, want[:ch])
				break
			}
		}
	}
}

// Each format that a camera may send is a picture with the right colours.
func testV4L2Formats(t *testing.T) {
	for fourcc, c := range map[string]struct {
		bits   int
		format edged.PixelFormat
	}{
		"YUYV": {0, edged.BGR}, "NV12": {0, edged.BGR}, "NV21": {0, edged.BGR}, "YU12": {0, edged.BGR}, "RGB3": {0, edged.BGR}, "GREY": {0, edged.BGR}, "Y16 ": {16, edged.Gray},
	} {
		t.Run(strings.TrimSpace(fourcc), func(t *testing.T) {
			f, said, err := picture(t, capture.Config{Source: byPath + small, FourCC: fourcc, Bits: c.bits})
			if err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			if f.W != 320 || f.H != 180 {
				t.Errorf("%dx%d", f.W, f.H)
			}
			if f.Format != c.format {
				t.Errorf("%v, want %v", f.Format, c.format)
			}
			showsBars(t, &f, fourcc == "GREY" || fourcc == "Y16 ")
		})
	}
	t.Run("MJPG, which it has not", func(t *testing.T) {
		f, said, err := picture(t, capture.Config{Source: byID + small, FourCC: "MJPG"})
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		showsBars(t, &f, false)
		if !strings.Contains(said, "MJPG") {
			t.Errorf("that the camera sends another format is not said:\n%s", said)
		}
	})
}

// A size that the camera has is what comes; of another the nearest comes, and that
// is said.
func testV4L2Sizes(t *testing.T) {
	f, said, err := picture(t, capture.Config{Source: byID + "?width=640&height=360&fps=2"})
	if err != nil || f.W != 640 || f.H != 360 || strings.Contains(said, "WARN") {
		t.Errorf("%dx%d, %v\n%s", f.W, f.H, err, said)
	}
	f, said, err = picture(t, capture.Config{Source: byID + "?width=330&height=333&fps=2"})
	if err != nil || !strings.Contains(said, fmt.Sprintf("%dx%d", f.W, f.H)) || !strings.Contains(said, "330x333") {
		t.Errorf("%dx%d, %v: that it is another size is not said:\n%s", f.W, f.H, err, said)
	}
}

// A camera that another program reads is said to be in use, and taken afterwards.
func testV4L2Busy(t *testing.T) {
	other := exec.Command("v4l2-ctl", "-d", "/dev/video0", "--stream-mmap", "--stream-count=0")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Process.Kill()
	mqtttest.Until(t, time.Minute, "another program to read", func() bool {
		return strings.Contains(sh(t, "v4l2-ctl", "-d", "/dev/video0", "--all"), "v4l2-ctl") || busy()
	})
	_, said, err := picture(t, capture.Config{Source: byID + small})
	if err == nil || !strings.Contains(err.Error(), "another program reads from it") {
		t.Errorf("%v\n%s", err, said)
	}
	other.Process.Kill()
	other.Wait()
	if _, said, err = picture(t, capture.Config{Source: byID + small}); err != nil {
		t.Errorf("after the other program has ended: %v\n%s", err, said)
	}
}

// busy tells whether somebody has the camera's buffers.
func busy() bool {
	err := exec.Command("v4l2-ctl", "-d", "/dev/video0", "-v", "width=320,height=180").Run()
	return err != nil
}

// testV4L2Line reads a device as a line camera: its pictures are strips, the plug that is
// pulled is a hole, and the account of rows is exact.
func testV4L2Line(t *testing.T) {
	r := NewRig(t, Setup{Sources: []string{byID + small}, Camera: "engine = \"go\"\n" + lineTable, Later: true})
	r.Record()
	r.Daemon.Start()
	mqtttest.Until(t, 5*time.Minute, "the first rows", func() bool { return r.Rec.Pictures("c0") == 1 && r.Rec.Latest("c0").Seq > 10 })
	control(t, "disconnect=1")
	plugOut(t)
	r.goesOffline(time.Minute)
	plugIn(t)
	mqtttest.Until(t, 5*time.Minute, "rows behind the hole", func() bool { return r.Rec.Pictures("c0") > 1 })
	r.Close()
	if s, _ := r.Rec.Stats(); s.Cameras["c0"].Line.Holes < 1 {
		t.Errorf("the account of rows: %+v", s.Cameras["c0"].Line)
	}
}

// testV4L2Daemon has the daemon live through what happens to cameras.
func testV4L2Daemon(t *testing.T) {
	control(t, "osd_text_mode=0") // the time is written on each picture: one that stands still is a fault
	r := NewRig(t, Setup{Sources: []string{byID + small}, Camera: `engine = "go"`, Later: true})
	r.Record()
	r.Daemon.Start()
	mqtttest.Until(t, 5*time.Minute, "the first result", func() bool { return r.Rec.Latest("c0").Seq > 0 })
	for _, fault := range append(injections(t), "disconnect=1", "percentage_of_dropped_buffers=50") {
		t.Run(fault, func(t *testing.T) {
			control(t, fault)
			if strings.Contains(fault, "reqbufs") || strings.Contains(fault, "streamon") {
				control(t, "disconnect=1") // it is met when the camera is opened anew
			}
			r.resumes(t)
			r.lasts(t)
		})
	}
	t.Run("no buffer comes", func(t *testing.T) {
		control(t, "percentage_of_dropped_buffers=100")
		r.goesOffline(time.Minute)
		control(t, "percentage_of_dropped_buffers=0")
		r.resumes(t)
		r.lasts(t)
	})
	t.Run("the driver is gone and comes back", func(t *testing.T) {
		control(t, "disconnect=1")
		plugOut(t)
		r.goesOffline(time.Minute)
		plugIn(t)
		r.resumes(t)
		r.lasts(t)
	})
	t.Run("its name comes late", func(t *testing.T) { r.withoutName(t) })
	if !strings.Contains(r.Daemon.Log(), "the device gives no picture any more") {
		t.Error("why the camera went away is not said")
	}
	r.Close()
}

// injections are the faults that the camera's driver has a control for.
func injections(t *testing.T) (all []string) {
	for _, m := range regexp.MustCompile(`\binject_\w+`).FindAllString(sh(t, "v4l2-ctl", "-d", "/dev/video0", "--list-ctrls"), -1) {
		all = append(all, m+"=1")
	}
	for _, known := range []string{"vidioc_reqbufs", "vidioc_qbuf", "vidioc_streamon", "fatal_streaming", "v4l2_buf_flag"} {
		if !slices.Contains(all, "inject_"+known+"_error=1") {
			t.Errorf("the driver cannot inject %s: %v", known, all)
		}
	}
	return all
}

// resumes waits for results of pictures from now on.
func (r *Rig) resumes(t *testing.T) {
	t.Helper()
	began, limit, said := time.Now(), inTime(t), len(r.Daemon.Log())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the daemon has said meanwhile:\n%s", tail(r.Daemon.Log()[said:], 3000))
		}
	})
	took := r.Rec.Resumes(t, "c0", began, limit)
	t.Logf("a result after %v, deadline %v", took.Round(time.Millisecond), limit)
}

// lasts lets the camera run for as long as it takes that the next fault is one of its
// own, and no stream that ends soon after each opening: those are one absence.
func (r *Rig) lasts(t *testing.T) {
	t.Helper()
	time.Sleep(11 * time.Second)
	mqtttest.Until(t, time.Minute, "online on the camera's status topic", func() bool { return r.Rec.Last("edged/n/c0/status") == mqtt.Online })
}

// withoutName brings the camera back without its link below /dev/v4l/by-id: the
// daemon says which are there, and goes on when it comes.
func (r *Rig) withoutName(t *testing.T) {
	pid := strings.Fields(sh(t, "pidof", "systemd-udevd"))
	for _, p := range pid {
		sh(t, "kill", "-STOP", p)
	}
	control(t, "disconnect=1")
	plugOut(t)
	os.Remove(byID)
	os.Remove(byPath)
	r.goesOffline(time.Minute)
	plugIn(t)
	appears(t, "/dev/video0")
	mqtttest.Until(t, time.Minute, "the reason to name the device that is there", func() bool {
		return strings.Contains(r.Daemon.Log(), "present: /dev/video0")
	})
	if err := os.MkdirAll(filepath.Dir(byID), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/video0", byID); err != nil {
		t.Fatal(err)
	}
	r.resumes(t)
	for _, p := range pid {
		sh(t, "kill", "-CONT", p)
	}
}
