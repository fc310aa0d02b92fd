package worker

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
)

// asWorker makes this test binary a worker.
const asWorker = "EDGED_TEST_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(asWorker) != "" {
		os.Exit(Main(&still{}))
	}
	goleak.VerifyTestMain(m)
}

// workerProcess is a worker that is not started yet; files become its
// descriptors from 3 on.
func workerProcess(t *testing.T, files ...*os.File) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd, stderr = exec.Command(exe), &bytes.Buffer{}
	cmd.Env = append(os.Environ(), asWorker+"=1")
	cmd.ExtraFiles, cmd.Stderr = files, stderr
	return cmd, stderr
}

// Started by hand there is no parent: it says so and ends with 2.
func TestMainWithoutAParent(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	conn, theirs, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	defer theirs.Close()
	for want, files := range map[string][]*os.File{
		"edged-camera is started by edged, not by hand": {null, null},
		"no vitals page": {theirs, null},
	} {
		cmd, stderr := workerProcess(t, files...)
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%v, want exit 2 and %q: %s", err, want, stderr)
		}
	}
}

// Signals are the parent's business: the worker outlives them, and ends with 0
// and without a word when the parent hangs up, whatever it is doing then.
func TestMainEndsWithItsParentAlone(t *testing.T) {
	signals := func(p *parent) {
		for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE} {
			if err := p.process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, until := range map[string]func(p *parent){
		"at once":     func(*parent) {},
		"after hello": func(p *parent) { p.expect(wire.TypeHello, &wire.Hello{}); signals(p) },
		"while it opens": func(p *parent) {
			p.expect(wire.TypeHello, &wire.Hello{})
			p.Send(wire.TypeOpen, wire.Open{Source: "any"})
		},
		"while it reads": func(p *parent) {
			p.expect(wire.TypeHello, &wire.Hello{})
			signals(p)
			p.start(wire.Open{Source: "any"})
			p.frame()
			p.seg.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn, theirs, err := wire.Pair()
			if err != nil {
				t.Fatal(err)
			}
			vitals, page, err := shm.CreateVitals()
			if err != nil {
				t.Fatal(err)
			}
			defer vitals.Close()
			cmd, stderr := workerProcess(t, theirs, page)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			theirs.Close()
			page.Close()
			until(&parent{TB: t, Conn: conn, vitals: vitals, process: cmd.Process})
			conn.Close()
			if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
				t.Errorf("%v: %s", err, stderr)
			}
		})
	}
}

// A worker that waits for a paced file's next frame, which is minutes away,
// hears the parent hang up. That serve's clean-up returns at all is the test.
func TestHangUpEndsTheWaitForAPacedFrame(t *testing.T) {
	p := serve(t, &still{})
	p.start(wire.Open{Source: "any", Paced: true, FPS: 0.01})
	p.frame()
	for phase := shm.Closing; phase != shm.Waiting; phase, _ = p.vitals.Phase() {
		time.Sleep(time.Millisecond)
	}
	if n := p.vitals.Read(); n != 1 {
		t.Errorf("%d frames were read before the second was due", n)
	}
}
