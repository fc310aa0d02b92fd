package capture

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged"
)

// parentMain is a process that opens a camera and never closes it.
func parentMain() int {
	os.Setenv("EDGED_TEST_ROLE", "worker")
	src, err := Open(fake("fps=50"))
	var f edged.Frame
	if err == nil {
		err = src.Next(context.Background(), &f)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(children(os.Getpid())[0])
	time.Sleep(time.Minute)
	return 0
}

// children are the processes whose parent is pid.
func children(pid int) (found []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, _ := os.ReadFile(path)
		// pid (name) state ppid ...; a name may hold spaces and brackets
		head, tail, _ := strings.Cut(string(b), " (")
		fields := strings.Fields(tail[strings.LastIndexByte(tail, ')')+1:])
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) && fields[0] != "Z" {
			child, _ := strconv.Atoi(head)
			found = append(found, child)
		}
	}
	return found
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// TestWorkerDiesWithParent kills a parent; its worker must go too, even one
// that is stopped and cannot notice that its socket was closed.
func TestWorkerDiesWithParent(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		self, _ := os.Executable()
		parent := exec.Command(self)
		parent.Env = append(os.Environ(), "EDGED_TEST_ROLE=parent")
		out, err := parent.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := parent.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		worker, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("the parent said %q", line)
		}
		if stopped {
			syscall.Kill(worker, syscall.SIGSTOP)
		}
		parent.Process.Kill()
		parent.Wait()
		for i := 0; alive(worker); i++ {
			if i == 500 {
				syscall.Kill(worker, syscall.SIGKILL)
				t.Fatalf("stopped %v: the worker outlives its parent", stopped)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// TestCredentials: the password is in the source alone, not where other users
// or logs could show it.
func TestCredentials(t *testing.T) {
	const secret = "hunter2"
	var log strings.Builder
	var told statuses
	cfg := fake("fps=100&openfail=wrong+password+for+rtsp://admin:" + secret + "@fake/&" + mark(t))
	cfg.Source = strings.Replace(cfg.Source, "fake/", "admin:"+secret+"@fake/", 1)
	cfg.Log, cfg.OnStatus = textLog(&log), told.tell
	src := mustOpen(t, cfg)
	for src.Counts().Failures < 2 {
		time.Sleep(5 * time.Millisecond)
	}
	for _, pid := range children(os.Getpid()) {
		for _, file := range []string{"cmdline", "environ", "comm"} {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
			if err != nil || strings.Contains(string(b), secret) {
				t.Errorf("/proc/%d/%s: %v, tells the password: %v", pid, file, err, err == nil)
			}
		}
	}
	reason := told.are(t, "-")
	src.Close()
	if !strings.Contains(log.String(), "wrong password") || strings.Contains(log.String()+reason, secret) {
		t.Errorf("log %s\nreason %q", &log, reason)
	}
	if _, err := Probe(context.Background(), cfg); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("Probe: %v", err)
	}
}

// TestLeavesNothing opens, breaks and closes cameras, and then wants no more
// descriptors, mappings and processes than before. (goleak looks for
// goroutines, in TestMain.)
func TestLeavesNothing(t *testing.T) {
	var before [3]int
	for round := range 12 {
		script := []string{"fps=300", "fps=300&grow=5", "fps=300&crash=7", "fps=300&end=4", "openfail=x", "fps=200&huge=3"}[round%6]
		cfg := fake(script)
		cfg.EveryFrame = round%2 == 0
		src := mustOpen(t, cfg)
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		var f edged.Frame
		for src.Next(ctx, &f) == nil {
		}
		cancel()
		src.Close()
		balanced(t, src)
		if round == 5 {
			before = holdings(t)
		}
	}
	if after := holdings(t); after != before {
		t.Errorf("descriptors, mappings of frames, processes: %v after 12 rounds, %v after 6", after, before)
	}
}

// holdings counts what must not grow.
func holdings(t *testing.T) (n [3]int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return [3]int{len(fds), strings.Count(string(maps), "memfd:"), len(children(os.Getpid()))}
}

func TestFindWorker(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "edged-camera")
	if _, err := FindWorker(path); !contains(err, path) || !contains(err, "make build") {
		t.Errorf("a missing worker: %v", err)
	}
	t.Setenv("PATH", dir)
	if _, err := FindWorker(""); !contains(err, "edged-camera") || !contains(err, "make build") {
		t.Errorf("no worker in PATH: %v", err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho libopencv is not there >&2; exit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := FindWorker(""); err != nil || got != path {
		t.Errorf("worker in PATH: %q, %v", got, err)
	}
	cfg := fake("")
	cfg.Once, cfg.Worker = true, path
	if _, err := Probe(context.Background(), cfg); !contains(err, "libopencv is not there") {
		t.Errorf("a worker that cannot work: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/run/x")
	t.Setenv("GST_DEBUG", "2")
	env := strings.Join(environment(Default("rtsp://h/s"), RTSP), "\n") + "\n"
	for _, want := range []string{"GST_DEBUG=2\n", "OPENCV_FOR_THREADS_NUM=1\n", "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT=3\n",
		"OPENCV_FFMPEG_CAPTURE_OPTIONS=rtsp_transport;tcp|fpsprobesize;0|timeout;3000000\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("no %q in %q", want, env)
		}
	}
	if strings.Contains(env, "NOTIFY_SOCKET") {
		t.Error("a worker could speak to systemd in our name")
	}
}
