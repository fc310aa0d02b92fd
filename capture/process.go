package capture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
)

// process is a running worker and what it shares with us.
type process struct {
	cmd    *exec.Cmd
	conn   *wire.Conn
	vitals *shm.Vitals
	stderr *os.File      // a memfd: it outlives the worker, and no worker blocks on it
	gone   chan struct{} // closed when the process has been reaped
	err    error         // how it ended; read after gone
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
	if found, err := exec.LookPath("edged-camera"); err == nil {
		return filepath.Abs(found)
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
	p := &process{gone: make(chan struct{})}
	conn, theirs, err := wire.Pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	p.conn = conn
	vitals, page, err := shm.CreateVitals()
	if err != nil {
		conn.Close()
		return nil, err
	}
	defer page.Close()
	p.vitals = vitals
	if p.stderr, err = stderrFile(); err != nil {
		p.free()
		return nil, err
	}
	p.cmd = &exec.Cmd{
		Path: path, Args: []string{"edged-camera", cfg.Name}, Env: environment(cfg, kind),
		Stderr: p.stderr, ExtraFiles: []*os.File{theirs, page},
		// A process group of its own: a terminal's ^C is ours to handle first.
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	started := make(chan error)
	go p.live(started)
	if err := <-started; err != nil {
		p.free()
		return nil, fmt.Errorf("capture: start the camera worker: %w", err)
	}
	return p, nil
}

// live starts the process and waits for its end on one thread: Linux kills the
// child when the thread that made it ends, which must not be one that Go drops.
func (p *process) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.gone)
}

func stderrFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("edged-camera-stderr", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("capture: memfd: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_APPEND); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("capture: memfd: %w", err)
	}
	return os.NewFile(uintptr(fd), "edged-camera-stderr"), nil
}

// environment is ours without what is meant for a service's main process, and
// with OpenCV told to keep to one thread and to give up on a silent peer.
func environment(cfg Config, kind Kind) []string {
	ours := map[string]string{
		"OPENCV_FOR_THREADS_NUM":            "1",
		"OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": fmt.Sprint(max(1, int(networkTimeout(cfg).Seconds()))),
		"OPENCV_FFMPEG_CAPTURE_OPTIONS":     ffmpegOptions(cfg, kind),
	}
	drop := []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}
	for _, name := range drop {
		ours[name] = ""
	}
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if _, replaced := ours[name]; !replaced {
			env = append(env, kv)
		}
	}
	for name, value := range ours {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// networkTimeout lets the library give up by itself before the deadline does.
func networkTimeout(cfg Config) time.Duration { return cfg.ReadTimeout * 3 / 5 }

func ffmpegOptions(cfg Config, kind Kind) string {
	timeout := fmt.Sprintf("timeout;%d", networkTimeout(cfg).Microseconds())
	switch kind {
	case RTSP:
		// TCP: UDP loses packets, and a picture with holes looks like a defect.
		// No frames to measure the rate by: opening takes 0.7 s in place of 1.5 s,
		// and 7 frames in place of 27 are old by then (25 a second, loopback).
		return "rtsp_transport;tcp|fpsprobesize;0|" + timeout
	case HTTP:
		return timeout
	}
	return ""
}

// hangUp asks the worker to end and waits for it; one that does not is killed.
func (p *process) hangUp(patience time.Duration) {
	p.conn.Close()
	select {
	case <-p.gone:
	case <-time.After(patience):
		p.kill()
	}
}

// kill ends the worker at once. One that even SIGKILL does not end is stuck in
// the kernel; it is left to its waiting goroutine.
func (p *process) kill() {
	p.cmd.Process.Kill()
	select {
	case <-p.gone:
	case <-time.After(5 * time.Second):
	}
}

// lastWords is the end of what the worker wrote to standard error, without
// credentials.
func (p *process) lastWords(source string) string {
	st, err := p.stderr.Stat()
	if err != nil {
		return ""
	}
	b := make([]byte, min(st.Size(), 16<<10))
	n, _ := p.stderr.ReadAt(b, st.Size()-int64(len(b)))
	text := strings.ReplaceAll(string(b[:n]), source, Redact(source))
	return Redact(text)
}

// ending says how a reaped process ended.
func (p *process) ending() string {
	select {
	case <-p.gone:
	default:
		return "is still stuck in the kernel"
	}
	var exit *exec.ExitError
	switch {
	case p.err == nil:
		return "exited"
	case errors.As(p.err, &exit):
		return "ended by " + exit.String()
	}
	return p.err.Error()
}

// free gives back what was shared. The worker is gone or never was.
func (p *process) free() {
	p.conn.Close()
	p.vitals.Close()
	if p.stderr != nil {
		p.stderr.Close()
	}
}
