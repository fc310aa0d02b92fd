package capture

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"edged/capture/belt"
	"edged/capture/internal/gige"
	"edged/capture/internal/redact"
	"edged/internal/fault"
)

// Kind is the sort of thing a source string names.
type Kind uint8

// The kinds of source.
const (
	Device   Kind = iota + 1 // a V4L2 device
	RTSP                     // rtsp:// or rtsps://
	HTTP                     // http:// or https://, MJPEG
	File                     // a video file
	Pipeline                 // a GStreamer pipeline
	Folder                   // a folder of PNG and JPEG images
	Belt                     // test:belt
	GigE                     // a GigE Vision camera
)

func (k Kind) String() string {
	names := [...]string{Device: "device", RTSP: "rtsp", HTTP: "http", File: "file",
		Pipeline: "pipeline", Folder: "folder", Belt: "belt", GigE: "gige"}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// wrong is a fault of a camera's source.
func wrong(format string, args ...any) error { return fault.Newf("capture", "source", format, args...) }

// Parse tells what source names. A path that is not there gives its likely
// kind and an error for which errors.Is(err, fs.ErrNotExist) holds: it may yet
// come. Any other error is final. No error repeats a credential.
func Parse(source string) (Kind, error) {
	switch {
	case source == "":
		return 0, wrong("empty source: give a device, URL, file, folder, pipeline or test:belt")
	case strings.HasPrefix(source, belt.Prefix):
		return parseBelt(source)
	case strings.HasPrefix(source, "test:"):
		return 0, wrong("unknown test source %q: there is test:belt", source)
	case strings.Contains(source, " ! ") && !IsFile(source):
		return Pipeline, nil
	case gige.Is(source):
		if _, err := gige.Parse(source); err != nil {
			return 0, wrong("%w", err)
		}
		return GigE, nil
	case strings.Contains(source, "://"):
		return parseURL(source)
	case IsFile(source):
		return parsePath(source)
	case isDevice(source):
		return Device, statDevice(devicePath(source))
	}
	if err := Mistyped(source); err != nil {
		return 0, err
	}
	return parsePath(source)
}

func parseURL(source string) (Kind, error) {
	if strings.TrimSpace(source) != source {
		return 0, wrong("URL %q begins or ends with a blank: take it away", Redact(source))
	}
	u, err := url.Parse(source)
	if err != nil { // url's own error would repeat the password, and where that ends is unclear
		scheme, rest, _ := strings.Cut(source, "://")
		return 0, wrong("malformed URL %s://...%s: percent-encode special characters in user and password",
			scheme, Redact(rest[strings.LastIndexByte(rest, '@')+1:]))
	}
	kinds := map[string]Kind{"rtsp": RTSP, "rtsps": RTSP, "http": HTTP, "https": HTTP}
	kind := kinds[strings.ToLower(u.Scheme)]
	if kind == 0 && strings.EqualFold(u.Scheme, "file") {
		return 0, wrong("URL %q: write the path alone: %s", Redact(source), Redact(u.Path))
	}
	if kind == 0 {
		return 0, wrong("URL scheme %q of %q: use rtsp, rtsps, http or https", u.Scheme, Redact(source))
	}
	if u.Hostname() == "" {
		return 0, wrong("URL %q names no host", Redact(source))
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return 0, wrong("URL %q: port %s: use 1 to 65535", Redact(source), port)
		}
	}
	return kind, nil
}

// loopOption makes a clip or a folder start again at its end.
const loopOption = "?loop"

// cutLoop is the path of a file or folder without its option. A name that ends so
// is itself.
func cutLoop(source string) (path string, loop bool) {
	if before, ok := strings.CutSuffix(source, loopOption); ok {
		if _, err := os.Lstat(source); err != nil {
			return before, true
		}
	}
	return source, false
}

// IsFile tells whether source is the name of a file or folder that is there, which
// may hold anything that else marks a pipeline.
func IsFile(source string) bool {
	path, _ := cutLoop(source)
	st, err := os.Stat(path)
	return err == nil && st.Mode()&os.ModeDevice == 0
}

func parsePath(source string) (Kind, error) {
	path, err := parseOption(source)
	if err != nil {
		return File, err
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(path, "/"):
		return Folder, wrong("no folder %q: %w", Redact(path), fs.ErrNotExist)
	case errors.Is(err, fs.ErrNotExist):
		return File, wrong("no file or folder %q: %w", Redact(path), fs.ErrNotExist)
	case err != nil:
		return File, unreadable("file", path, err)
	case st.IsDir():
		return Folder, nil
	case !st.Mode().IsRegular():
		return File, wrong("source %q is neither a file nor a folder", Redact(path))
	}
	return File, nil
}

// unreadable is err without the path as the system repeats it, which may hold a
// password where a URL lacks its scheme.
func unreadable(what, path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return wrong("source %s %q: %w", what, Redact(path), err)
}

// devicePath is the path of a device source without its options.
func devicePath(source string) string {
	path, _, _ := strings.Cut(source, "?")
	return path
}

func statDevice(path string) error {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return wrong("no camera device %q (%s): %w", Redact(path), presentDevices(), fs.ErrNotExist)
	case err != nil:
		return unreadable("device", path, err)
	case st.Mode()&os.ModeCharDevice == 0:
		return wrong("%q is not a device", Redact(path))
	}
	return nil
}

// presentDevices lists the cameras that could have been meant.
func presentDevices() string {
	found, _ := filepath.Glob("/dev/v4l/by-id/*")
	if len(found) == 0 {
		found, _ = filepath.Glob("/dev/video*")
	}
	if len(found) == 0 {
		return "this machine has none; is it plugged in, and the module uvcvideo loaded?"
	}
	return "present: " + strings.Join(found, ", ")
}

// live tells whether a source goes on for ever: its end is a fault.
func live(kind Kind, source string) bool {
	switch kind {
	case File, Folder:
		return false
	case Pipeline: // one that names its end has one
		return !strings.Contains(source, "filesrc ") && !strings.Contains(source, "num-buffers=")
	}
	return true
}

// Redact hides the credentials in s, a source or a text that may quote one.
func Redact(s string) string { return redact.Text(s) }

// Ends tells whether a source comes to its end by itself, and what would help; a
// folder does not, it is watched.
func Ends(source string) (ends bool, cure string) {
	kind, _ := Parse(source)
	switch kind {
	case File:
		_, loop := cutLoop(source)
		return !loop, "write " + Redact(source) + loopOption + " to play it for ever"
	case Pipeline:
		return !live(kind, source), ""
	case Belt:
		c, err := belt.Parse(source)
		return err == nil && c.Frames > 0, ""
	}
	return false, ""
}
