//go:build opencv && cgo

package opencv

import (
	"context"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/capture"
	"edged/capture/cameratest"
)

// TestHTTPForms reads the forms of streams that are hardest through the built
// worker, and a scheme in capitals; httpcam's own test reads them all.
func TestHTTPForms(t *testing.T) {
	server := cameratest.StartForms(t, 320, 240)
	for _, name := range []string{"nofirst", "nodash", "parttype", "clfirst", "raw"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(strings.Replace(server.URL, "http:", "HTTP:", 1) + "/" + name)
			src := open(t, cfg)
			for range 4 {
				if f := next(t, src); f.W != 320 || f.H != 240 || f.Format != edged.BGR {
					t.Fatalf("%dx%d", f.W, f.H)
				}
			}
			if c := balanced(t, src); c.Opens != 1 || c.Refused != 0 {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

// TestHTTPReduced: pictures are decoded as coarse as is enough, whenever that
// changes, without another opening, and say so.
func TestHTTPReduced(t *testing.T) {
	server := cameratest.StartForms(t, 320, 240)
	cfg := config(server.URL + "/std")
	cfg.Enough = capture.Enough{W: 100, H: 60}
	src := open(t, cfg)
	comes := func(w, h, k int) {
		t.Helper()
		for range 20 {
			f := next(t, src)
			if fullW, fullH := f.Full(); fullW != 320 || fullH != 240 {
				t.Fatalf("%dx%d, reduced by %d, of a picture of 320x240", f.W, f.H, f.Reduced)
			}
			if f.W == w && f.H == h && f.Scale() == k {
				return
			}
		}
		t.Fatalf("no picture of %dx%d", w, h)
	}
	comes(160, 120, 2)
	capture.SetEnough(src, capture.Enough{W: 40, H: 30})
	comes(40, 30, 8)
	capture.SetEnough(src, capture.Enough{W: 40, H: 30, ROI: [4]int{4, 4, 160, 120}})
	comes(80, 60, 4)
	capture.SetEnough(src, capture.Enough{})
	comes(320, 240, 1)
	if c := balanced(t, src); c.Opens != 1 || c.Refused != 0 || c.SizeChanges != 0 {
		t.Errorf("counts %+v", c)
	}
}

// TestHTTPReasons: what is wrong is the status, the type, the certificate.
func TestHTTPReasons(t *testing.T) {
	server := cameratest.StartForms(t, 64, 48)
	signed := cameratest.StartFormsTLS(t, 64, 48)
	for address, want := range map[string]string{
		strings.Replace(server.URL, "://", "://admin:hunter2@", 1) + "/digest": "401 Unauthorized: it does not take this user",
		server.URL + "/html": "text/html",
		signed.URL + "/std":  "#insecure",
	} {
		_, err := capture.Probe(context.Background(), config(address))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", capture.Redact(address), err, want)
		}
	}
	if info, err := capture.Probe(context.Background(), config(signed.URL+"/std#insecure")); err != nil || info.Backend != "HTTP" {
		t.Errorf("a certificate that is not to be verified: %+v, %v", info, err)
	}
}

// TestHTTPSnap: a single picture is asked for when somebody wants one, again
// while it has not changed, and not when nobody does.
func TestHTTPSnap(t *testing.T) {
	server := cameratest.StartSnap(t, 320, 240, true)
	server.Number.Store(-1) // each another one
	src := open(t, config(server.URL()))
	for range 3 {
		next(t, src)
	}
	asked := server.Asked.Load()
	time.Sleep(300 * time.Millisecond) // three times what a storm's next request would take
	if n := server.Asked.Load(); n > asked+1 {
		t.Errorf("%d requests for 3 pictures, then %d more with nobody waiting", asked, n-asked)
	}
	server.Number.Store(1_000_000)
	next(t, src)
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	var f edged.Frame
	if err := src.Next(ctx, &f); err == nil {
		t.Error("the same picture is served twice")
	}
	if n := server.Unchanged.Load(); n < 1 || n > 8 {
		t.Errorf("%d requests found the picture unchanged in half a second", n)
	}
	server.Number.Store(1_000_001)
	next(t, src)
	server.Status.Store(503)
	eventually(t, src, "its failure is noticed", func(c capture.Counts) bool { return c.Failures > 0 })
	server.Status.Store(0)
	server.Number.Store(-1)
	next(t, src)
	balanced(t, src)
}
