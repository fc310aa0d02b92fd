package opencv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFetch reads what is new, once, and keeps the file small.
func TestFetch(t *testing.T) {
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "stderr"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := complaints{fd: int(f.Fd())}
	if b := c.fetch(); len(b) != 0 {
		t.Errorf("an empty file reads %q", b)
	}
	for _, said := range []string{"one\n", "two\n", strings.Repeat("long\n", 20000), "after\n"} {
		f.WriteString(said)
		if got := string(c.fetch()); got != said[:min(len(said), len(got))] || len(got) < min(len(said), maxComplaints) {
			t.Errorf("wrote %d bytes, read %d", len(said), len(got))
		}
	}
	if st, _ := f.Stat(); st.Size() > maxComplaints {
		t.Errorf("the file has grown to %d bytes", st.Size())
	}
	none := complaints{fd: -1}
	if b := none.fetch(); len(b) != 0 {
		t.Errorf("no file reads %q", b)
	}
	if n := testing.AllocsPerRun(100, func() { c.fetch() }); n != 0 {
		t.Errorf("fetch allocates %v times", n)
	}
}

// A pipe, and a file that is open for writing alone, keep what was said to
// themselves: no worker runs with them.
func TestComplaintsMustBeReadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stderr")
	deaf, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	whole, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	for f, want := range map[*os.File]bool{deaf: false, w: false, whole: true} {
		c := complaints{fd: int(f.Fd())}
		if err := c.readable(); (err == nil) != want {
			t.Errorf("%v: %v", f.Name(), err)
		}
	}
}

func TestDecodeError(t *testing.T) {
	for said, want := range map[string]bool{
		"": false,
		"[mjpeg @ 0x5620810ff640] error y=7 x=19\n":                       true,
		"x\n[h264 @ 0x5620810ff640] [error] error while decoding MB 3\n":  true,
		"[h264 @ 0x5620810ff640] [verbose] Reinit context to 320x240\n":   false,
		"[h264 @ 0x5620810ff640] [warning] co located POCs unavailable\n": false,
		"[swscaler @ 0x1] deprecated pixel format used\n":                 false,
		"Corrupt JPEG data: premature end of data segment\n":              true,
	} {
		if got := decodeError([]byte(said)); got != want {
			t.Errorf("decodeError(%q) = %v", said, got)
		}
	}
}

func TestResized(t *testing.T) {
	for said, want := range map[string]bool{
		"": false,
		"[h264 @ 0x1] [verbose] Reinit context to 320x192, pix_fmt: yuv420p\n":              false, // 180 rows are 12 macroblocks
		"[h264 @ 0x1] [verbose] Reinit context to 640x368, pix_fmt: yuv420p\n":              true,
		"[h264 @ 0x1] [verbose] Reinit context to 320x96, pix_fmt: yuv420p\n":               true,
		"[swscaler @ 0x5620810ff640] Slice parameters 0, 360 are invalid\n":                 true,
		"x\n[swscaler @ 0x5620810ff640] [error] Slice parameters 0, 360 are invalid\n":      true,
		"[swscaler @ 0x5620810ff640] [warning] deprecated pixel format used, make sure y\n": false,
	} {
		if got := resized([]byte(said), 320, 180); got != want {
			t.Errorf("resized(%q) = %v", said, got)
		}
	}
}

func TestReason(t *testing.T) {
	var c complaints
	c.hide("rtsp://admin:hunter2@h/s?token=abc")
	for said, want := range map[string]string{
		"": "",
		"[rtsp @ 0x55] method DESCRIBE failed: 404 Not Found\n":                                     "rtsp: method DESCRIBE failed: 404 Not Found",
		"[rtsp @ 0x55] [error] method DESCRIBE failed\n[tcp @ 0x5] [verbose] Starting connection\n": "rtsp: method DESCRIBE failed",
		"first\n\nsecond\nthird\n": "second; third",
		"[ WARN:0@0.034] global ./modules/videoio/src/cap_gstreamer.cpp (1127) open no element \"x\"\n": `open no element "x"`,
		"cannot open rtsp://admin:hunter2@h/s?token=abc\n":                                              "cannot open rtsp://***@h/s?token=***",
		strings.Repeat("y", 999): strings.Repeat("y", 300),
	} {
		if got := c.reason([]byte(said)); got != want {
			t.Errorf("reason(%q) = %q, want %q", said, got, want)
		}
	}
}
