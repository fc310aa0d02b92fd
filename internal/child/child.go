// Package child is the one way to start a process: a trial of a model, a camera
// worker, a script. A child has limits, dies with its parent, is in a process
// group of its own, has no core dump, and may have an alarm that ends it. What it
// says on standard error is kept within bounds.
package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Command says what to start and within which bounds. The zero value of a bound
// is none.
type Command struct {
	Path   string   // of the program
	Args   []string // the first is its name
	Env    []string // nil: Environ()
	Stdin  []byte   // nil: /dev/null
	Stdout io.Writer
	Stderr io.Writer  // gets what Words keeps an extract of; may be nil
	Files  []*os.File // descriptors from 3 on

	// Recall makes standard error a file in memory, which the child can read
	// back: a library tells some things nowhere else. It is the child that must
	// keep it small, by cutting it; Stderr gets nothing.
	Recall bool

	Limits
	Alarm time.Duration // after which it is killed
}

// Limits are what the kernel holds a child to.
type Limits struct {
	Data     int64 // bytes of private writable memory (RLIMIT_DATA)
	Address  int64 // bytes of address space (RLIMIT_AS); programs in Go need a terabyte
	FileSize int64 // bytes of a file that it writes, memfds too (RLIMIT_FSIZE)
	OOMScore int   // added to its badness, 0 to 1000: who goes first when memory is out
}

// ErrAlarm is why a child was killed: it took longer than Command.Alarm.
var ErrAlarm = errors.New("it took too long")

// Process is a child that was started.
type Process struct {
	cmd   *exec.Cmd
	words words
	said  *os.File // where the words are with Command.Recall, until it has been reaped
	gone  chan struct{}
	err   error // how it ended; read after gone

	mu     sync.Mutex
	why    error // why we killed it
	reaped bool  // its number may be another's by now
}

// settleTime is how long the descriptors of a child that is gone may stay open
// in processes it has left behind outside of its group.
const settleTime = time.Second

// Start starts a child; its limits hold before it is fed.
func Start(c Command) (*Process, error) {
	p := &Process{gone: make(chan struct{})}
	p.cmd = &exec.Cmd{
		Path: c.Path, Args: c.Args, Env: c.Env, Stdout: c.Stdout, Stderr: &p.words, ExtraFiles: c.Files, WaitDelay: settleTime,
		// A process group of its own: a terminal's ^C is ours to handle first.
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	if c.Env == nil {
		p.cmd.Env = Environ()
	}
	if c.Stderr != nil {
		p.cmd.Stderr = io.MultiWriter(&p.words, c.Stderr)
	}
	if c.Recall {
		var err error
		if p.said, err = memoryFile(); err != nil {
			return nil, err
		}
		p.cmd.Stderr = p.said
	}
	feed := func() {}
	if c.Stdin != nil {
		pipe, err := p.cmd.StdinPipe()
		if err != nil {
			p.settle()
			return nil, err
		}
		feed = func() { _, _ = io.Copy(pipe, bytes.NewReader(c.Stdin)); pipe.Close() } // a child need not listen
	}
	started := make(chan error)
	go p.live(&c, started)
	if err := <-started; err != nil {
		return nil, err
	}
	go feed()
	if c.Alarm > 0 {
		time.AfterFunc(c.Alarm, func() { p.end(ErrAlarm) }) // on one that is gone it does nothing
	}
	return p, nil
}

// live starts the process and waits for its end on one thread: Linux kills the
// child when the thread that made it ends, which must not be one that Go drops.
func (p *Process) live(c *Command, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	if err != nil {
		p.settle()
		started <- err
		return
	}
	if err = c.apply(p.Pid()); err != nil {
		p.end(err)
	}
	started <- err
	p.reap()
	close(p.gone)
}

// reap waits for the end, takes what the child left in its group along while
// the group's number is still its own, and notes how it ended.
func (p *Process) reap() {
	for {
		err := unix.Waitid(unix.P_PID, p.Pid(), nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.mu.Lock()
	_ = unix.Kill(-p.Pid(), unix.SIGKILL) // it may be empty
	p.reaped = true
	p.mu.Unlock()
	p.err = p.cmd.Wait()
	if errors.Is(p.err, exec.ErrWaitDelay) {
		p.err = nil // the child is well, whatever it left behind
	}
	p.settle()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why != nil && p.err != nil {
		p.err = fmt.Errorf("%w: %w", p.why, p.err)
	}
}

// Run starts a child and waits for its end; when ctx is done before, the child
// is killed. words is what it said on standard error.
func Run(ctx context.Context, c Command) (words string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	p, err := Start(c)
	if err != nil {
		return "", err
	}
	defer context.AfterFunc(ctx, func() { p.end(context.Cause(ctx)) })()
	<-p.gone
	return p.Words(), p.err
}

// Pid is the process's number.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Gone is closed when the process has ended.
func (p *Process) Gone() <-chan struct{} { return p.gone }

// Err tells how the process ended, nil: well. It may be called after Gone.
func (p *Process) Err() error { return p.err }

// Words is what the process has said on standard error so far; the middle of
// much is left out.
func (p *Process) Words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said != nil {
		return readWords(p.said)
	}
	return p.words.String()
}

// settle takes the words out of the file in memory, which is given back.
func (p *Process) settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said != nil {
		_, _ = p.words.Write([]byte(readWords(p.said)))
		p.said.Close()
		p.said = nil
	}
}

// Kill ends the process and its group at once.
func (p *Process) Kill() { p.end(nil) }

// end kills the group for a reason.
func (p *Process) end(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return
	}
	if p.why == nil {
		p.why = why
	}
	_ = unix.Kill(-p.Pid(), unix.SIGKILL) // it may be gone
}

// Signal tells the signal that ended a child with this error, 0: none did.
func Signal(err error) syscall.Signal {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			return s.Signal()
		}
	}
	return 0
}

// Ended tells whether err is how a child ended, and not why none was started.
func Ended(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit)
}

// Code is the exit code of a child that ended with this error by itself, -1: none.
func Code(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// Find looks for a program in PATH and gives its absolute path.
func Find(name string) (string, error) {
	found, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(found)
}
