//go:build opencv && cgo

package opencv

import (
	"context"
	"path/filepath"
	"testing"

	"gocv.io/x/gocv"

	"edged"
	"edged/capture/internal/wire"
)

// benchmarkClip is 640x480 motion JPEG, of which a camera on USB sends 30 a second.
func benchmarkClip(b *testing.B) string {
	clip := filepath.Join(b.TempDir(), "clip.avi")
	ffmpeg(b, "-f lavfi -i testsrc2=size=640x480:rate=30 -frames:v 300 -c:v mjpeg -q:v 5", clip)
	return clip
}

// BenchmarkWorker is a frame decoded in another process and lent to this one:
// the whole capture path. Compare BenchmarkInProcess.
func BenchmarkWorker(b *testing.B) {
	cfg := config(benchmarkClip(b))
	cfg.EveryFrame, cfg.Loop = true, true
	src := open(b, cfg)
	next(b, src)
	var f edged.Frame
	b.ReportAllocs()
	for b.Loop() {
		if err := src.Next(context.Background(), &f); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInProcess is OpenCV alone, as a program that links it would use it.
func BenchmarkInProcess(b *testing.B) {
	clip := benchmarkClip(b)
	m := gocv.NewMat()
	defer m.Close()
	var vc *gocv.VideoCapture
	b.ReportAllocs()
	for b.Loop() {
		if vc == nil || !vc.Read(&m) {
			if vc != nil {
				vc.Close()
			}
			var err error
			if vc, err = gocv.VideoCaptureFileWithAPI(clip, gocv.VideoCaptureFFmpeg); err != nil {
				b.Fatal(err)
			}
		}
	}
	vc.Close()
}

// BenchmarkRead is what the worker does for a frame, decoding included: nothing
// of it may leave garbage.
func BenchmarkRead(b *testing.B) {
	c := newCamera()
	defer c.Close()
	o := wire.Open{Kind: "file", Source: benchmarkClip(b), MaxPixels: 640 * 480}
	start := func() {
		c.Close()
		if _, err := c.Open(o); err != nil {
			b.Fatal(err)
		}
		if err := c.Bind(wire.Want{W: 640, H: 480, Ch: 3}, [][]byte{make([]byte, 640*480*3)}); err != nil {
			b.Fatal(err)
		}
	}
	start()
	b.ReportAllocs()
	for b.Loop() {
		p, err := c.Read(0)
		if err != nil {
			b.StopTimer()
			start()
			b.StartTimer()
		} else if !p.InPlace {
			b.Fatal("copied")
		}
	}
}
