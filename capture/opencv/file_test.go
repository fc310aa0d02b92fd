//go:build opencv && cgo

package opencv

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gocv.io/x/gocv"

	"edged"
	"edged/capture"
)

// TestClip reads a real clip through a real worker: every frame comes once, in
// order, and the pictures are those that OpenCV decodes in this process.
func TestClip(t *testing.T) {
	vc, err := gocv.VideoCaptureFileWithAPI(vtest, gocv.VideoCaptureFFmpeg)
	if err != nil {
		t.Fatal(err)
	}
	defer vc.Close()
	want := gocv.NewMat()
	defer want.Close()
	cfg := config(vtest)
	cfg.EveryFrame = true
	src := open(t, cfg)
	for i := uint64(1); i <= 795; i++ {
		f := next(t, src)
		if f.Seq != i || f.W != 768 || f.H != 576 || f.Format != edged.BGR || f.Stride != 768*3 {
			t.Fatalf("frame %d: seq %d, %dx%d", i, f.Seq, f.W, f.H)
		}
		if !vc.Read(&want) {
			t.Fatalf("the clip ends after %d frames", i-1)
		}
		if b, err := want.DataPtrUint8(); err != nil || !bytes.Equal(b, f.Pix) {
			t.Fatalf("frame %d is not the picture that OpenCV decodes: %v", i, err)
		}
	}
	if n, err := drain(t, src); n != 0 || err != io.EOF {
		t.Errorf("after the last frame: %d more, %v", n, err)
	}
	c := balanced(t, src)
	if c.Read != 795 || c.Delivered != 795 || c.Missing != 0 {
		t.Errorf("counts %+v", c)
	}
	if c.Copied != 1 {
		t.Errorf("%d frames were copied: only the first, before its size was known, may be", c.Copied)
	}
}

// TestClipNewest reads it at ten times its speed and lends each frame a while.
func TestClipNewest(t *testing.T) {
	cfg := config(vtest)
	cfg.FPS = 400
	src := open(t, cfg)
	var f edged.Frame
	var sum byte
	for {
		err := src.Next(context.Background(), &f)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			for _, v := range f.Pix {
				sum += v
			}
		}
		balanced(t, src)
	}
	if c := balanced(t, src); c.Read != 795 || c.PassedOver == 0 || f.Seq != 795 {
		t.Errorf("counts %+v, last frame %d: want 795 in all, some passed over, and the last one delivered", c, f.Seq)
	}
}

// TestColourOrder: a file of pure colours comes as BGR, at the right size.
func TestColourOrder(t *testing.T) {
	clip := filepath.Join(t.TempDir(), "clip.avi")
	ffmpeg(t, "-f lavfi -i color=0x2040e0:size=160x90:rate=10 -frames:v 12 -c:v ffv1 -pix_fmt bgr0", clip)
	cfg := config(clip)
	cfg.EveryFrame = true
	src := open(t, cfg)
	f := next(t, src)
	if f.W != 160 || f.H != 90 {
		t.Errorf("size %dx%d", f.W, f.H)
	}
	want := []byte{0xe0, 0x40, 0x20}
	for _, at := range []int{0, 89*f.Stride + 159*3} {
		for c, v := range want {
			if d := int(f.Pix[at+c]) - int(v); d < -2 || d > 2 {
				t.Errorf("pixel at byte %d is %v, want about %v", at, f.Pix[at:at+3], want)
			}
		}
	}
	if n, err := drain(t, src); n != 11 || err != io.EOF {
		t.Errorf("%d more frames, %v", n, err)
	}
}

// TestDamagedFiles: a cut clip gives what it holds and tells what it lacks;
// what is no clip at all is refused by name.
func TestDamagedFiles(t *testing.T) {
	whole, err := os.ReadFile(vtest)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cut := filepath.Join(dir, "cut.avi")
	text := filepath.Join(dir, "text.avi")
	os.WriteFile(cut, whole[:len(whole)*6/10], 0o600)
	os.WriteFile(text, []byte(strings.Repeat("no video\n", 1000)), 0o600)

	cfg := config(cut)
	cfg.EveryFrame, cfg.Once = true, true
	src := open(t, cfg)
	n, err := drain(t, src)
	c := balanced(t, src)
	if err != io.EOF || n < 300 || n > 600 || c.Read+c.Missing != 795 || c.Restarts != 0 {
		t.Errorf("a clip cut at 60%%: %d frames, %v, counts %+v", n, err, c)
	}

	_, err = capture.Probe(context.Background(), config(text))
	if err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") {
		t.Errorf("a text file: %v", err)
	}
	info, err := capture.Probe(context.Background(), config(vtest))
	if err != nil || info.Frames != 795 || info.FPS != 10 || info.Backend != "FFmpeg" || !strings.HasPrefix(info.Library, "OpenCV") {
		t.Errorf("Probe gives %+v, %v", info, err)
	}
}

// TestDamagedInTheMiddle: frames that a decoder complains about are refused.
func TestDamagedInTheMiddle(t *testing.T) {
	clip := filepath.Join(t.TempDir(), "clip.avi")
	ffmpeg(t, "-f lavfi -i testsrc2=size=320x240:rate=25 -frames:v 100 -c:v mjpeg", clip)
	b, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(b) / 2; i < len(b)/2+3000; i++ {
		b[i] ^= 0x5a
	}
	os.WriteFile(clip, b, 0o600)
	cfg := config(clip)
	cfg.EveryFrame = true
	src := open(t, cfg)
	n, err := drain(t, src)
	c := balanced(t, src)
	if err != io.EOF || c.By.Corrupt+c.Missing == 0 || c.By.Corrupt+c.Missing > 8 || n+c.Refused+c.Missing != 100 {
		t.Errorf("3000 bytes of 100 frames overwritten: %d good, %v, counts %+v", n, err, c)
	}
}

func TestDeviceThatIsNone(t *testing.T) {
	_, err := capture.Probe(context.Background(), config("/dev/null?fps=5"))
	if err == nil || !strings.Contains(err.Error(), "/dev/null") {
		t.Errorf("/dev/null as a camera: %v", err)
	}
	_, err = capture.Probe(context.Background(), config("/dev/video77"))
	if err == nil || !strings.Contains(err.Error(), "/dev/video77") {
		t.Errorf("a device that is not there: %v", err)
	}
}

// TestLoopLeavesNothing opens a clip over and over in one worker: its memory
// must not grow with the times.
func TestLoopLeavesNothing(t *testing.T) {
	clip := filepath.Join(t.TempDir(), "clip.avi")
	ffmpeg(t, "-f lavfi -i testsrc2=size=640x480:rate=25 -frames:v 3 -c:v mjpeg", clip)
	cfg := config(clip)
	cfg.EveryFrame, cfg.Loop = true, true
	src := open(t, cfg)
	rss := func(rounds int) int64 {
		for range 3 * rounds {
			next(t, src)
		}
		return residentMemory(t, workers(t)[0])
	}
	rss(40)
	before := rss(10)
	after := rss(120)
	if grown := after - before; grown > 3<<20 { // one leaked Mat a round would be 105 MB
		t.Errorf("the worker grew by %d KiB in 120 rounds", grown>>10)
	}
	if c := balanced(t, src); c.Restarts != 0 || c.Opens < 160 {
		t.Errorf("counts %+v", c)
	}
}
