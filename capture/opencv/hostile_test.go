//go:build opencv && cgo

package opencv

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/capture"
	"edged/capture/cameratest"
)

// most is what a hostile camera may cost: its own worker, and no more of it.
const most = 400 << 20

// TestHostileCamera: a camera's claims cost its worker little and this process
// nothing, and what was too much is said.
func TestHostileCamera(t *testing.T) {
	const answer, part = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n", "--b\r\nContent-Type: image/jpeg\r\n"
	huge := string(cameratest.Claim(32000, 32000))
	good := string(cameratest.Picture(64, 48, 2))
	for _, c := range []struct{ name, source, want string }{
		{"2 GB of a picture", "http://" + cameratest.StartScript(t, answer+part+"\r\n"+good+"\r\n"+part+"Content-Length: 2000000000\r\n\r\n", "\xff\xd8"+strings.Repeat("a", 1<<16)), "2000000000 bytes"},
		{"32000x32000 pixels", "http://" + cameratest.StartScript(t, answer+part+"\r\n"+huge+"\r\n", ""), "32000x32000"},
		{"20000 streams", "rtsp://" + cameratest.StartManyStreams(t, 20000), "held to the memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config(c.source + "/x")
			cfg.OpenTimeout = 30 * time.Second
			told := make(chan string, 100)
			cfg.OnStatus = func(s capture.Status) { told <- s.Reason }
			before := residentMemory(t, os.Getpid())
			src := open(t, cfg)
			peak := int64(0)
			for reason := ""; !strings.Contains(reason, c.want); {
				select {
				case reason = <-told:
				case <-time.After(20 * time.Millisecond):
					peak = max(peak, peakMemory(workers(t)))
				}
				takeOne(src)
			}
			if peak > most {
				t.Errorf("the worker took %d MB", peak>>20)
			}
			if grown := residentMemory(t, os.Getpid()) - before; grown > 64<<20 {
				t.Errorf("this process grew by %d MB", grown>>20)
			}
			balanced(t, src)
		})
	}
}

// takeOne takes a frame if one is there.
func takeOne(src capture.Source) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	var f edged.Frame
	src.Next(ctx, &f)
}

// peakMemory is the largest resident set that one of the processes has had.
func peakMemory(pids []int) (peak int64) {
	for _, pid := range pids {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(b)) {
			var kb int64
			if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
				peak = max(peak, kb<<10)
			}
		}
	}
	return peak
}
