//go:build opencv && cgo

package opencv

import (
	"strings"
	"testing"
	"time"

	"edged/capture"
	"edged/capture/cameratest"
)

// reasonOf waits for a reason of a source's failing that holds want, and tells the
// others otherwise.
func reasonOf(t *testing.T, cfg capture.Config, want string) {
	t.Helper()
	reasons := make(chan string, 100)
	cfg.OnStatus = func(s capture.Status) {
		if !s.Online {
			reasons <- s.Reason
		}
	}
	src := open(t, cfg)
	defer src.Close()
	var all []string
	for timeout := time.After(40 * time.Second); ; {
		select {
		case reason := <-reasons:
			if strings.Contains(reason, want) {
				return
			}
			all = append(all, reason)
		case <-timeout:
			t.Fatalf("no reason says %q: %q", want, all)
		}
	}
}

// What OpenCV does not say of a device that it cannot open.
func TestWhyNotDevice(t *testing.T) {
	for path, want := range map[string]string{"/dev/null": "it is no camera", "/dev/nothing": "no such file"} {
		if why := whyNotDevice(path); !strings.Contains(why, want) {
			t.Errorf("%s: %q, want %q", path, why, want)
		}
	}
}

// TestRTSPTransports: packets come over TCP, over UDP where that is asked for, or
// where the camera knows nothing else.
func TestRTSPTransports(t *testing.T) {
	for name, c := range map[string]struct {
		manner cameratest.Manner
		query  string
		reason string // of failing; empty: pictures come
	}{
		"as it is":               {cameratest.OverTCP, "", ""},
		"UDP asked for":          {cameratest.OverUDP, "?transport=udp", ""},
		"UDP after 461":          {cameratest.OverUDP, "", ""},
		"UDP after 461, a query": {cameratest.OverUDP, "?channel=1&transport=tcp", ""},
		"UDP asked for, refused": {cameratest.OverTCP, "?transport=udp", "461"},
		"no key frames":          {cameratest.Keyless, "", "no key frame"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := cameratest.FreeAddress(t)
			url := "rtsp://" + address + "/cam"
			cameratest.StartRTSPAs(t, address, c.manner)
			cameratest.Publish(t, url, "320x240")
			cameratest.AwaitPublished(t, url)
			cfg := config(url + c.query)
			if c.reason != "" {
				cfg.OpenTimeout = 6 * time.Second
				reasonOf(t, cfg, c.reason)
				return
			}
			src := open(t, cfg)
			for range 10 {
				if f := next(t, src); f.W != 320 || f.H != 240 {
					t.Fatalf("%dx%d", f.W, f.H)
				}
			}
			balanced(t, src)
		})
	}
}
