package capture

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "clip.avi")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "gone.avi")
	for _, c := range []struct {
		source string
		kind   Kind
		err    string // part of the error, empty: none
	}{
		{file, File, ""},
		{dir, Folder, ""},
		{missing, File, missing},
		{"rtsp://host/stream", RTSP, ""},
		{"RTSPS://user:pw@host:8554/s?x=1", RTSP, ""},
		{"http://host:8080/mjpeg", HTTP, ""},
		{"https://host/mjpeg", HTTP, ""},
		{"videotestsrc ! appsink", Pipeline, ""},
		{"test:belt", Belt, ""},
		{"test:belt?fps=5", Belt, ""},
		{"test:belt?speed=x", 0, "speed"},
		{"test:cat", 0, "test:belt"},
		{"", 0, "empty"},
		{"0", 0, "/dev/video0"},
		{"ftp://host/clip.avi", 0, "ftp"},
		{"rtsp:///stream", 0, "no host"},
		{" rtsp://host/s", 0, "begins or ends with a blank"},
		{"http://host/s\n", 0, "begins or ends with a blank"},
		{"http://host:99999/s", 0, "port 99999"},
		{"http:/host/s", 0, "write http://host/s"},
		{"RTSP:host/s", 0, "write rtsp://host/s"},
		{"https//host/s", 0, "write https://host/s"},
		{"http/pictures", File, "no file or folder"},
		{"192.168.1.20:8080/mjpeg", 0, "write http:// or rtsp:// before it"},
		{"10.0.0.7", 0, "bare address"},
		{"10.0.0.7.avi", File, "no file or folder"},
		{"file:///data/clip.avi", 0, "write the path alone: /data/clip.avi"},
		{"GigE:21234567", GigE, ""},
		{"/dev/null", Device, ""}, // a character device; opening it fails later
		{"/dev/video99", Device, "/dev/video99"},
		{"/dev/video99?fps=5", Device, `"/dev/video99" (`},
		{"/dev/v4l/by-id/usb-none-index0", Device, "usb-none"},
	} {
		kind, err := Parse(c.source)
		if kind != c.kind || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("Parse(%q) = %v, %v; want %v and an error with %q", c.source, kind, err, c.kind, c.err)
		}
	}
	if _, err := Parse(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gives %v, want fs.ErrNotExist", err)
	}
}

func TestParseHidesCredentials(t *testing.T) {
	for _, source := range []string{
		"ftp://admin:hunter2@host/x", "rtsp://admin:hunter2@/x", "rtsp://admin:hunt%zzer2@host/x",
		"rtsp://admin:hun ter2@host:5x/x", "http://host:5x/?password=hunter2", "http:admin:hunter2@host/x", " http://admin:hunter2@host/x", "file:///admin:hunter2@x", "admin:hunter2@host/x", "/etc/edged/admin:hunter2@host",
	} {
		_, err := Parse(source)
		if err == nil {
			t.Errorf("Parse(%q) = nil", source)
		} else if s := err.Error(); strings.Contains(s, "ter2") || strings.Contains(s, "admin") {
			t.Errorf("Parse(%q) tells the password: %v", source, err)
		}
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"rtsp://u:p@host/s":                         "rtsp://***@host/s",
		"rtsp://u:p@ss/w@host/s":                    "rtsp://***@host/s",
		"rtsp://host/s?user=u&password=p&ch=1":      "rtsp://host/s?user=u&password=***&ch=1",
		`rtspsrc location=rtsp://u:p!@h user-pw=p`:  "rtspsrc location=rtsp://***@h user-pw=***",
		`souphttpsrc user-pw="two words" ! appsink`: "souphttpsrc user-pw=*** ! appsink",
		"rtsp://host/s":                             "rtsp://host/s",
		"u:p@host/s":                                "***@host/s",
		"/dev/video0":                               "/dev/video0",
		"Error opening rtsp://u:p@h/s: 401 denied":  "Error opening rtsp://***@h/s: 401 denied",
	} {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzParse: a source may be anything. It has a kind or an error, and neither
// the error nor the redacted source tells a password that stands where one may.
func FuzzParse(f *testing.F) {
	f.Add("rtsp://", "cam.local:554/h264?x=1")
	f.Add("http://", "[::1%25eth0]:x/")
	f.Add("", "host/stream")
	f.Add("rtspsrc location=rtsp://", "h ! decodebin")
	f.Add("test:belt?size=", "4x4&fps=-1e300")
	f.Add("/dev/video0?fps=1e309&width=", "9223372036854775808")
	f.Fuzz(func(t *testing.T, before, after string) {
		const password = "hunter2hunter2"
		for _, source := range []string{before + after, before + "admin:" + password + "@" + after} {
			kind, err := Parse(source)
			if kind == 0 && err == nil {
				t.Errorf("%q is nothing, without an error", source)
			}
			if kind == Device {
				deviceOptions(&Config{Source: source})
			}
			secret := !strings.HasPrefix(source, "test:") && !strings.ContainsAny(source, " \t\r\n\v\f")
			if err != nil && secret && strings.Contains(err.Error(), password) {
				t.Errorf("%q: the error tells the password: %v", source, err)
			}
			if once := Redact(source); Redact(once) != once {
				t.Errorf("%q is redacted to %q, and that to %q", source, once, Redact(once))
			}
		}
	})
}

func TestDeviceOptions(t *testing.T) {
	c := Config{Source: "/dev/video0?width=1280&height=720&fps=12.5&fourcc=MJPG", FPS: 30}
	if err := deviceOptions(&c); err != nil || c.Width != 1280 || c.Height != 720 || c.FourCC != "MJPG" || c.FPS != 30 {
		t.Errorf("deviceOptions gives %+v, %v", c, err)
	}
	for _, bad := range []string{"width=x", "depth=3", "fps=fast", "%zz"} {
		if err := deviceOptions(&Config{Source: "/dev/video0?" + bad}); err == nil {
			t.Errorf("option %q: no error", bad)
		}
	}
}

func TestLive(t *testing.T) {
	for source, want := range map[string]bool{
		"videotestsrc ! appsink":                true,
		"videotestsrc num-buffers=9 ! appsink":  false,
		"filesrc location=x ! decodebin ! sink": false,
		"rtsp://h/s":                            true,
		"http://h/s":                            true,
		"/dev/null":                             true,
	} {
		kind, err := Parse(source)
		if err != nil || live(kind, source) != want {
			t.Errorf("live(%q) = %v, %v", source, live(kind, source), err)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := Default("test:belt").Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []Config{
		{Slots: 2}, {Slots: 99}, {FourCC: "MJPEG"}, {Width: 640}, {FPS: -1}, {ReadTimeout: -1},
		{RetryMin: 9, RetryMax: 8}, {MaxPixels: -1}, {Width: -4, Height: -4},
	} {
		if c.Validate() == nil {
			t.Errorf("%+v is called valid", c)
		}
		if _, err := Open(c); err == nil {
			t.Errorf("Open(%+v) = nil", c)
		}
	}
}
