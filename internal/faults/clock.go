package faults

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A wall clock that a test can set, for one program alone: the kernel hands
// each reading of CLOCK_REALTIME to the test (a seccomp user notification),
// which answers with the time that it likes. The monotonic clock is the real
// one, as it is when somebody sets a machine's clock.
//
// Programs read clocks without asking the kernel, from the vDSO. The copy of
// edged that such a test runs is the built one but for the name of that
// function, which is then not found, so that it asks.
const clockRole = "EDGED_FAULTS_CLOCK"

// clockListener is the descriptor that the kernel's questions come from, in the
// process that is asked about.
const clockListener = 100

// Clock is the wall clock of one daemon.
type Clock struct {
	ahead atomic.Int64 // nanoseconds before the real time
	asked atomic.Int64
}

// Jump moves the clock by d.
func (c *Clock) Jump(d time.Duration) { c.ahead.Add(int64(d)) }

// Asked is how often the program has read it.
func (c *Clock) Asked() int64 { return c.asked.Load() }

// vdsoNames are what the Go runtime looks for, by architecture.
var vdsoNames = []string{"__vdso_clock_gettime\x00", "__kernel_clock_gettime\x00", "__vdso_clock_gettime", "__kernel_clock_gettime"}

// askingCopy is the built edged with the vDSO's name spoilt. It finds the
// TFLite library through LD_LIBRARY_PATH, as make sets it.
func askingCopy(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(Bin(t, "edged"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, name := range vdsoNames {
		if at := bytes.Index(data, []byte(name)); at >= 0 {
			found = true
			data[at+2] = 'X'
		}
	}
	if !found {
		t.Fatal("the built edged holds no name of a vDSO clock: the Go runtime has changed")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "edged")
	if err := os.Symlink(Bin(t, "edged-camera"), filepath.Join(dir, "edged-camera")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// clockMain makes a child of the test binary the launcher of a program whose
// clock is asked for; elsewhere it returns.
func clockMain() {
	program := os.Getenv(clockRole)
	if program == "" {
		return
	}
	runtime.LockOSThread() // the filter is this thread's, and exec keeps it
	fd, err := filterClock()
	if err == nil {
		if err = unix.Dup3(fd, clockListener, 0); err == nil {
			unix.CloseOnExec(fd)
			err = unix.Exec(program, append([]string{"edged"}, os.Args[1:]...), os.Environ())
		}
	}
	fmt.Fprintln(os.Stderr, "faults: clock:", err)
	os.Exit(1)
}

// filterClock has the kernel ask about CLOCK_REALTIME and about nothing else.
func filterClock() (listener int, err error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("no_new_privs: %w", err)
	}
	const nr, arg0 = 0, 16 // offsets in struct seccomp_data
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	unless := func(v uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: skip, K: v}
	}
	give := func(v uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: v} }
	program := []unix.SockFilter{
		load(nr), unless(unix.SYS_CLOCK_GETTIME, 3),
		load(arg0), unless(unix.CLOCK_REALTIME, 1),
		give(unix.SECCOMP_RET_USER_NOTIF),
		give(unix.SECCOMP_RET_ALLOW),
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return 0, fmt.Errorf("seccomp: %w", errno)
	}
	return int(fd), nil
}

// StartWithClock starts the daemon with a wall clock of its own.
func (d *Daemon) StartWithClock() *Clock {
	d.t.Helper()
	self, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	d.Env = append(d.Env, clockRole+"="+askingCopy(d.t))
	d.program = self
	d.Start()
	c := &Clock{}
	fd := d.listener()
	go c.answer(fd)
	return c
}

// listener fetches the kernel's questions from the launcher.
func (d *Daemon) listener() int {
	d.t.Helper()
	pidfd, err := unix.PidfdOpen(d.PID(), 0)
	if err != nil {
		d.t.Fatal(err)
	}
	defer unix.Close(pidfd)
	for range 1000 {
		if fd, err := unix.PidfdGetfd(pidfd, clockListener, 0); err == nil {
			return fd
		}
		time.Sleep(5 * time.Millisecond)
	}
	d.t.Fatal("the launcher offers no clock")
	return 0
}

// The kernel's structures, seccomp_notif and seccomp_notif_resp.
type clockQuestion struct {
	id         uint64
	pid, flags uint32
	nr         int32
	arch       uint32
	ip         uint64
	args       [6]uint64
}

type clockAnswer struct {
	id    uint64
	val   int64
	err   int32
	flags uint32
}

// answer answers until the program has ended.
func (c *Clock) answer(fd int) {
	defer unix.Close(fd)
	for {
		waiting := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(waiting, -1); err == nil && waiting[0].Revents&unix.POLLIN == 0 {
			return // nobody is left who could ask
		}
		var q clockQuestion
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&q)))
		if errors.Is(errno, unix.EINTR) || errors.Is(errno, unix.ENOENT) {
			continue // who asked was interrupted and will ask again
		}
		if errno != 0 {
			return
		}
		c.asked.Add(1)
		now := unix.NsecToTimespec(time.Now().UnixNano() + c.ahead.Load())
		b := unsafe.Slice((*byte)(unsafe.Pointer(&now)), unsafe.Sizeof(now))
		a := clockAnswer{id: q.id}
		local := []unix.Iovec{{Base: &b[0]}}
		local[0].SetLen(len(b))
		if _, err := unix.ProcessVMWritev(int(q.pid), local, []unix.RemoteIovec{{Base: uintptr(q.args[1]), Len: len(b)}}, 0); err != nil {
			a.err = -int32(unix.EFAULT)
		}
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&a)))
	}
}
