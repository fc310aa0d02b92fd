//go:build opencv && cgo

package opencv

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"edged/capture"
)

// Names that mean something to FFmpeg, OpenCV, GStreamer or edged itself are names
// all the same, absolute and relative, and ?loop makes each begin again.
func TestClipsOfAnyName(t *testing.T) {
	dir := t.TempDir()
	clip := filepath.Join(dir, "clip.avi")
	ffmpeg(t, "-f lavfi -i testsrc2=size=64x48:rate=25 -frames:v 3 -c:v mjpeg", clip)
	data, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	shm, err := os.MkdirTemp("/dev/shm", "edged-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(shm) })
	t.Chdir(dir)
	for _, name := range []string{"12:30:00.avi", "file:x.avi", "a ! b.avi", "-i.avi", "50%d%03d.avi", "q?.avi", "no extension",
		filepath.Join(shm, "x.avi"), "sub/../sub/-x:y ! z.avi"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		os.Mkdir("sub", 0o700)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if kind, err := capture.Parse(name); kind != capture.File || err != nil {
			t.Errorf("%s: %v, %v", name, kind, err)
			continue
		}
		cfg := config(name)
		cfg.EveryFrame, cfg.Once = true, true
		src := open(t, cfg)
		if n, err := drain(t, src); n != 3 || err != io.EOF {
			t.Errorf("%s: %d frames, %v", name, n, err)
		}
		src.Close()
	}
	cfg := config("-i.avi?loop")
	cfg.EveryFrame = true
	src := open(t, cfg)
	for range 8 {
		next(t, src)
	}
	if c := balanced(t, src); c.Delivered != 8 || c.Opens < 3 {
		t.Errorf("counts %+v", c)
	}
}
