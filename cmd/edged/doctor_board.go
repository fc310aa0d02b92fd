package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"edged/internal/board"
)

// tight is the memory of boards on which a model and OpenCV only just fit.
const tight = 600 << 20

// muchWritten is a day's bytes at which a cheap SD card of 32 GB, written over a
// thousand times, lasts less than three years.
const muchWritten = 30e9

// checkBoard tells what the machine says of itself: what it is, heat, supply, memory.
func (r *report) checkBoard(root fs.FS) {
	name := strings.Join(nonempty(board.Name(root), board.Processor(root)), ", ")
	if name == "" {
		name = "it does not say what it is"
	}
	t := board.Read(root)
	if t.Celsius > 0 {
		name += fmt.Sprintf(", %.0f °C", t.Celsius)
	}
	if t.MaxMHz > 0 {
		name += fmt.Sprintf(", %.0f of %.0f MHz", t.MHz, t.MaxMHz)
	}
	switch {
	case len(t.Causes) > 0:
		r.add("board", "warn", name+"; the processor is slowed: "+strings.Join(t.Causes, ", "), boardCure(t.Causes))
	case len(t.Past) > 0:
		r.add("board", "warn", name+"; the processor was slowed since the start: "+strings.Join(t.Past, ", "), boardCure(t.Past))
	default:
		r.add("board", "ok", name, "")
	}
}

// boardCure is what to do about a processor that is held down.
func boardCure(causes []string) string {
	cures := map[string]string{board.Heat: "a heat sink, a fan or a cooler place", board.Voltage: "the board's own supply and a short cable"}
	var all []string
	for _, c := range causes {
		all = append(all, cures[c])
	}
	return "give it " + strings.Join(all, "; and ")
}

func nonempty(all ...string) (kept []string) {
	for _, s := range all {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

// checkMemory tells what there is for models.
func (r *report) checkMemory() {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return
	}
	total := uint64(info.Totalram) * uint64(info.Unit)
	detail := fmt.Sprintf("%d MB", total>>20)
	if total < tight {
		r.add("memory", "warn", detail+": little for a camera's worker and a model", "int8 nets, one camera, output stride 4; docs/5-boards.md tells more")
		return
	}
	r.add("memory", "ok", detail, "")
}

// checkWear tells where the state folder's bytes go, and how many the machine writes
// in a day: SD cards end by being written.
func (r *report) checkWear(root fs.FS, dir string, up time.Duration) {
	if whole, err := filepath.EvalSymlinks(dir); err == nil {
		dir = whole
	}
	d := board.DiskOf(root, dir, up)
	detail := dir
	if d.Device != "" {
		detail += " on " + strings.Join(nonempty(d.Kind, d.Device), " ")
	}
	if d.PerDay > 0 {
		detail += fmt.Sprintf(", on which this machine writes %.1f GB a day", d.PerDay/1e9)
	}
	if d.Worn != "" {
		detail += ", " + d.Worn + " of its life used"
	}
	const cheap = "journal in memory (Storage=volatile), no swap on the card, evidence elsewhere; see docs/5-boards.md"
	switch {
	case d.ReadOnly:
		r.add("storage", "FAIL", detail+": read-only", "mount a folder that can be written there, or set mqtt.spool_dir elsewhere: the last good model is kept there too")
	case d.Volatile:
		r.add("storage", "warn", detail+", in memory: events and the last good model do not survive the power", "set mqtt.spool_dir to a folder on a disk, or live with that on purpose")
	case d.PerDay > muchWritten && d.Kind != "":
		r.add("storage", "warn", detail, cheap)
	case strings.HasPrefix(d.Worn, "more"), strings.HasPrefix(d.Worn, "90"):
		r.add("storage", "warn", detail, "replace it, or put mqtt.spool_dir elsewhere")
	default:
		r.add("storage", "ok", detail, "")
	}
}

// uptime is how long the machine has run; 0: not known.
func uptime() time.Duration {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return time.Duration(info.Uptime) * time.Second
}

// stateOr is where the daemon keeps its state, and where it would.
func stateOr(dir string) string {
	if dir == "" {
		return os.TempDir()
	}
	return dir
}

// checkBattery tells what a machine without a clock of its own does after a power cut.
func (r *report) checkBattery(root fs.FS) {
	if clocks, _ := fs.Glob(root, "sys/class/rtc/rtc*"); len(clocks) > 0 {
		return
	}
	r.add("clock battery", "warn", "this machine has no clock of its own: after a power cut results bear an old time until NTP answers",
		"systemctl enable systemd-time-wait-sync: the service waits for the right time then; or fit a clock (RTC)")
}

// elements are what pipelines of cameras begin with, the plugin that has it, and how
// to have that.
var elements = map[string]struct{ plugin, fix string }{
	"libcamerasrc": {"libgstlibcamera.so", "apt install gstreamer1.0-libcamera; and open its devices to the service: docs/2-cameras.md"},
	"v4l2src":      {"libgstvideo4linux2.so", "apt install gstreamer1.0-plugins-good"},
	"aravissrc":    {"libgstaravis.0.8.so", "apt install libaravis-0.8-0"},
	"videoconvert": {"libgstvideoconvert*.so", "apt install gstreamer1.0-plugins-base"},
	"rtspsrc":      {"libgstrtsp.so", "apt install gstreamer1.0-plugins-good"},
	"appsink":      {"libgstapp.so", "apt install gstreamer1.0-plugins-base"},
}

// missingPlugin is the first element of a GStreamer pipeline that this machine lacks,
// of those that edged knows; empty: none, or no pipeline.
func missingPlugin(root fs.FS, source string) (element, fix string) {
	if !strings.Contains(source, " ! ") {
		return "", ""
	}
	for part := range strings.SplitSeq(source, " ! ") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		e, known := elements[words[0]]
		if !known {
			continue
		}
		found, _ := fs.Glob(root, "usr/lib/*/gstreamer-1.0/"+e.plugin)
		local, _ := fs.Glob(root, "usr/local/lib/*/gstreamer-1.0/"+e.plugin)
		if len(found)+len(local) == 0 {
			return words[0], e.fix
		}
	}
	return "", ""
}
