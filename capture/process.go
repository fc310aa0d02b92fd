package capture

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
	"edged/capture/internal/worker"
	"edged/internal/child"
)

// process is a running worker and what it shares with us.
type process struct {
	*child.Process
	conn   *wire.Conn
	vitals *shm.Vitals
}

// expendable is how readily the kernel ends a worker when memory is out: before
// the daemon, which starts another.
const expendable = 500

// largestOutput bounds the files that a worker's libraries write: what it says,
// and a list of plugins.
const largestOutput = 64 << 20

// limits are what a worker is held to: a camera that makes it take more than its
// largest picture needs ends it, and nothing else.
func limits(cfg Config) child.Limits {
	return child.Limits{Data: worker.MemoryFor(cfg.MaxPixels), FileSize: largestOutput, OOMScore: expendable}
}

// FindWorker is the path of the worker's program: path itself when it is not
// empty, else edged-camera beside the running program, else in PATH.
func FindWorker(path string) (string, error) {
	if path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("capture: camera worker: %w: build it with `make build`", err)
		}
		return filepath.Abs(path)
	}
	self, err := os.Executable()
	if err == nil {
		beside := filepath.Join(filepath.Dir(self), "edged-camera")
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	if found, err := child.Find("edged-camera"); err == nil {
		return found, nil
	}
	return "", fmt.Errorf("capture: no edged-camera beside %s nor in PATH: cameras and video files need it: build it with `make build`: %w", self, fs.ErrNotExist)
}

// startProcess starts a worker. Nothing secret is in its arguments or its
// environment.
func startProcess(cfg Config, kind Kind) (*process, error) {
	path, err := FindWorker(cfg.Worker)
	if err != nil {
		return nil, err
	}
	conn, theirs, err := wire.Pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	vitals, page, err := shm.CreateVitals()
	if err != nil {
		conn.Close()
		return nil, err
	}
	defer page.Close()
	p := &process{conn: conn, vitals: vitals}
	p.Process, err = child.Start(child.Command{
		Path: path, Args: []string{"edged-camera", cfg.Name}, Env: environment(cfg, kind),
		Files: []*os.File{theirs, page}, Recall: true, Limits: limits(cfg),
	})
	if err != nil {
		p.free()
		return nil, fmt.Errorf("capture: start the camera worker: %w", err)
	}
	return p, nil
}

// environment is a child's, with OpenCV told to keep to one thread and to give
// up on a silent peer.
func environment(cfg Config, kind Kind) []string {
	const threads, v4l, ffmpeg = "OPENCV_FOR_THREADS_NUM", "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "OPENCV_FFMPEG_CAPTURE_OPTIONS"
	env := append(child.Environ(threads, v4l, ffmpeg),
		threads+"=1",
		fmt.Sprint(v4l, "=", max(1, int(networkTimeout(cfg).Seconds()))))
	if o := ffmpegOptions(cfg, kind); o != "" {
		env = append(env, ffmpeg+"="+o)
	}
	return env
}

// networkTimeout lets the library give up by itself before the deadline does.
func networkTimeout(cfg Config) time.Duration { return max(cfg.ReadTimeout*3/5, cfg.Idle) }

// readDeadline is how long the next picture may take.
func readDeadline(cfg Config) time.Duration { return max(cfg.ReadTimeout, cfg.Idle*5/3) }

func ffmpegOptions(cfg Config, kind Kind) string {
	timeout := fmt.Sprintf("timeout;%d", networkTimeout(cfg).Microseconds())
	switch kind {
	case RTSP:
		// TCP: UDP loses packets, and a picture with holes looks like a defect.
		// No frames to measure the rate by: opening takes 0.7 s in place of 1.5 s,
		// and 7 frames in place of 27 are old by then (25 a second, loopback).
		// UDP is the user's choice, or the worker's when the camera knows no other.
		_, transport := worker.Transport(cfg.Source)
		return "rtsp_transport;" + transport + "|fpsprobesize;0|" + timeout
	case HTTP:
		return timeout
	}
	return ""
}

// hangUp asks the worker to end and waits for it; one that does not is killed.
func (p *process) hangUp(patience time.Duration) {
	p.conn.Close()
	select {
	case <-p.Gone():
	case <-time.After(patience):
		p.kill()
	}
}

// kill ends the worker at once. One that even SIGKILL does not end is stuck in
// the kernel; it is left to its waiting goroutine.
func (p *process) kill() {
	p.Kill()
	select {
	case <-p.Gone():
	case <-time.After(5 * time.Second):
	}
}

// lastWords is what the worker wrote to standard error, without
// credentials.
func (p *process) lastWords(source string) string {
	return Redact(strings.ReplaceAll(p.Words(), source, Redact(source)))
}

// ending says how a reaped process ended.
func (p *process) ending() string {
	select {
	case <-p.Gone():
	default:
		return "is still stuck in the kernel"
	}
	switch err := p.Err(); {
	case err == nil:
		return "exited"
	case child.Ended(err):
		return "ended by " + err.Error()
	default:
		return err.Error()
	}
}

// free gives back what was shared. The worker is gone or never was.
func (p *process) free() {
	p.conn.Close()
	p.vitals.Close()
}
