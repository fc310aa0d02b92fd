//go:build opencv && cgo

package opencv

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"edged"
	"edged/capture"
)

// BenchmarkHTTP1080p is a picture of a 1080p camera over HTTP as a worker decodes it:
// whole, and where 640x480 and 480x270 are enough. cpu-ms/frame is the worker's time
// on a processor, which at 30 pictures a second is what the camera costs.
func BenchmarkHTTP1080p(b *testing.B) {
	file := filepath.Join(b.TempDir(), "picture.jpg")
	ffmpeg(b, "-f lavfi -i testsrc2=size=1920x1080 -frames:v 1 -pix_fmt yuvj420p -q:v 5", file)
	picture, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	camera := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
		for r.Context().Err() == nil {
			fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", len(picture))
			w.Write(picture)
			fmt.Fprint(w, "\r\n")
		}
	}))
	defer camera.Close()
	for name, enough := range map[string]capture.Enough{"whole": {}, "half": {W: 640, H: 480}, "quarter": {W: 480, H: 270}} {
		b.Run(name, func(b *testing.B) {
			cfg := config(camera.URL + "/")
			cfg.EveryFrame, cfg.FrozenAfter, cfg.Enough = true, -1, enough
			before := childrenTime()
			src := open(b, cfg)
			var f edged.Frame
			for b.Loop() {
				if err := src.Next(context.Background(), &f); err != nil {
					b.Fatal(err)
				}
			}
			src.Close()
			b.ReportMetric((childrenTime()-before).Seconds()*1e3/float64(b.N), "cpu-ms/frame")
		})
	}
}

// childrenTime is the processor's time of workers that have ended.
func childrenTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_CHILDREN, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
