//go:build opencv && cgo

package opencv

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/capture"
	"edged/capture/cameratest"
)

// rounds is how often each fault is tried: three times in `make test-faults`,
// which also keeps edged's own deadlines, once with short ones in `make test`.
func rounds() int {
	if os.Getenv("EDGED_FAULTS") != "" {
		return 3
	}
	return 1
}

func faultConfig(source string) capture.Config {
	cfg := config(source)
	if os.Getenv("EDGED_FAULTS") != "" {
		cfg.OpenTimeout, cfg.ReadTimeout, cfg.RetryMin, cfg.RetryMax, cfg.CrashMax = 0, 0, 0, 0, 0
	}
	return cfg
}

// recovery is how soon frames must come again once the camera is back; the
// worker's start and ffmpeg's are in it.
const recovery = 5 * time.Second

// comesBack waits for a frame taken after now, which is when the camera is back.
func comesBack(t *testing.T, src capture.Source) {
	t.Helper()
	comesBackFrom(t, src, time.Now())
}

func comesBackFrom(t *testing.T, src capture.Source, back time.Time) {
	t.Helper()
	for {
		f := next(t, src)
		if f.Time.After(back) {
			break
		}
	}
	took := time.Since(back)
	t.Logf("frames %v after the camera was back", took.Round(time.Millisecond))
	if took > recovery && os.Getenv("EDGED_FAULTS") != "" {
		t.Errorf("frames came %v after the camera was back, want at most %v", took, recovery)
	}
	balanced(t, src)
}

// holdings are what a source must have given back once it is closed.
type holdings struct{ descriptors, mappings, workers int }

func held(t *testing.T) holdings {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return holdings{len(fds), strings.Count(string(maps), "memfd:edged"), len(workers(t))}
}

// givesBack closes src and compares with what was held before it was opened.
func givesBack(t *testing.T, src capture.Source, before holdings) {
	t.Helper()
	src.Close()
	if c := balanced(t, src); c.Waiting != 0 {
		t.Errorf("counts after Close: %+v", c)
	}
	if after := held(t); after.workers > before.workers || after.mappings > before.mappings || after.descriptors > before.descriptors {
		t.Errorf("held after Close %+v, before Open %+v", after, before)
	}
}

func TestFaultWorkerSignals(t *testing.T) {
	server := cameratest.StartMJPEG(t, "", 320, 240, 25)
	before := held(t)
	src := open(t, faultConfig(server.URL()))
	next(t, src)
	for range rounds() {
		for _, sig := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGSTOP, syscall.SIGKILL, syscall.SIGABRT} {
			was, killed := src.Counts(), time.Now()
			syscall.Kill(workers(t)[0], sig)
			eventually(t, src, sig.String()+" is noticed", func(c capture.Counts) bool { return c.Restarts > was.Restarts })
			comesBackFrom(t, src, killed) // the camera was never away
			if c := src.Counts(); c.Crashes+c.Stuck != was.Crashes+was.Stuck+1 || (sig == syscall.SIGSTOP) != (c.Stuck > was.Stuck) {
				t.Errorf("after %v: counts %+v, before %+v", sig, c, was)
			}
		}
	}
	givesBack(t, src, before)
}

func TestFaultRTSPServerStopped(t *testing.T) {
	address := cameratest.FreeAddress(t)
	url := "rtsp://" + address + "/cam"
	server := cameratest.StartRTSP(t, address)
	cameratest.Publish(t, url, "320x240")
	before := held(t)
	src := open(t, faultConfig(url))
	next(t, src)
	for range rounds() {
		was := src.Counts()
		server.Signal(syscall.SIGSTOP)
		eventually(t, src, "a silent server is noticed", func(c capture.Counts) bool { return c.Failures+c.Stuck > was.Failures+was.Stuck })
		server.Signal(syscall.SIGCONT)
		comesBack(t, src)
	}
	givesBack(t, src, before)
}

func TestFaultRTSPPublisherKilled(t *testing.T) {
	address := cameratest.FreeAddress(t)
	url := "rtsp://" + address + "/cam"
	cameratest.StartRTSP(t, address)
	before := held(t)
	src := open(t, faultConfig(url))
	for i := range rounds() + 1 {
		publisher := cameratest.Publish(t, url, []string{"320x240", "400x304", "176x144", "320x240"}[i])
		comesBack(t, src)
		was := src.Counts()
		publisher.Kill()
		eventually(t, src, "the lost publisher is noticed", func(c capture.Counts) bool { return c.Failures > was.Failures+1 })
	}
	if c := src.Counts(); c.SizeChanges != uint64(rounds()) {
		t.Errorf("counts %+v: want %d changes of size", c, rounds())
	}
	givesBack(t, src, before)
}

// TestFaultBlackHole: an address that takes connections and never answers, and
// then is a camera.
func TestFaultBlackHole(t *testing.T) {
	for _, scheme := range []string{"http", "rtsp"} {
		t.Run(scheme, func(t *testing.T) {
			before := held(t)
			address := cameratest.FreeAddress(t)
			for range rounds() {
				stop := cameratest.StartBlackHole(t, address)
				src := open(t, faultConfig(scheme+"://"+address+"/cam"))
				eventually(t, src, "the silence is noticed", func(c capture.Counts) bool { return c.Failures+c.Stuck > 0 })
				stop()
				var end func()
				if scheme == "http" {
					end = cameratest.StartMJPEG(t, address, 320, 240, 25).Stop
				} else {
					server := cameratest.StartRTSP(t, address)
					publisher := cameratest.Publish(t, "rtsp://"+address+"/cam", "320x240")
					end = func() { publisher.Kill(); server.Kill() }
				}
				comesBack(t, src)
				src.Close()
				end()
				balanced(t, src)
			}
			if after := held(t); after != before {
				t.Errorf("held after %+v, before %+v", after, before)
			}
		})
	}
}

// TestFaultStreamStalls: the connection stands, nothing comes.
func TestFaultStreamStalls(t *testing.T) {
	server := cameratest.StartMJPEG(t, "", 320, 240, 25)
	src := open(t, faultConfig(server.URL()))
	next(t, src)
	for range rounds() {
		was := src.Counts()
		server.Silent.Store(true)
		eventually(t, src, "the silence is noticed", func(c capture.Counts) bool { return c.Failures+c.Stuck > was.Failures+was.Stuck })
		server.Silent.Store(false)
		comesBack(t, src)
		server.HangUp.Store(true)
		was = src.Counts()
		eventually(t, src, "the refusal is noticed", func(c capture.Counts) bool { return c.Failures > was.Failures+1 })
		server.HangUp.Store(false)
		comesBack(t, src)
	}
}

// TestFaultSizeChange: pictures of another size in the middle of a stream,
// larger and smaller.
func TestFaultSizeChange(t *testing.T) {
	server := cameratest.StartMJPEG(t, "", 320, 240, 25)
	src := open(t, faultConfig(server.URL()))
	next(t, src)
	for i := range 2 * rounds() {
		w, h := 320, 240
		if i%2 == 0 {
			w, h = 640, 360
		}
		server.Width.Store(int64(w))
		server.Height.Store(int64(h))
		f := next(t, src)
		for f.W != w || f.H != h {
			f = next(t, src)
		}
	}
	if c := balanced(t, src); c.SizeChanges < uint64(2*rounds()) || c.Restarts != 0 {
		t.Errorf("counts %+v", c)
	}
}

// TestFaultClipCrash: a worker that is killed in the middle of a clip costs no
// frame of it that had not been read.
func TestFaultClipCrash(t *testing.T) {
	clip := filepath.Join(t.TempDir(), "clip.avi")
	ffmpeg(t, "-f lavfi -i testsrc2=size=320x240:rate=25 -frames:v 200 -c:v mjpeg", clip)
	for range rounds() {
		cfg := faultConfig(clip)
		cfg.EveryFrame = true
		src := open(t, cfg)
		for range 60 {
			next(t, src)
		}
		syscall.Kill(workers(t)[0], syscall.SIGSEGV)
		n, _ := drain(t, src)
		c := balanced(t, src)
		if c.Read != 200 || 60+n != c.Delivered || c.By.Lost != c.Refused || c.Crashes != 1 {
			t.Errorf("%d frames after the crash, counts %+v", n, c)
		}
		src.Close()
	}
}

// TestFaultRTSPSizeChange: a camera that is told to send another size, while its
// readers stay connected: larger, then smaller.
func TestFaultRTSPSizeChange(t *testing.T) {
	address := cameratest.FreeAddress(t)
	url := "rtsp://" + address + "/cam/seamless"
	cameratest.StartRTSP(t, address)
	publisher := cameratest.Publish(t, url, "320x240")
	src := open(t, faultConfig(url))
	next(t, src)
	for i := range 2 * rounds() {
		size, w := "320x240", 320
		if i%2 == 0 {
			size, w = "640x368", 640
		}
		before := publisher
		publisher = cameratest.Publish(t, url, size)
		eventually(t, src, "the new size "+size, func(c capture.Counts) bool { return c.SizeChanges > uint64(i) })
		before.Kill()
		if f := next(t, src); f.W != w {
			t.Errorf("frame %dx%d, want %s", f.W, f.H, size)
		}
	}
	balanced(t, src)
}
