package daemon

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A mark says which model is at work, in a file that is mapped into memory: it
// costs a store a frame, and the page outlives whatever ends the process.

// working is what a camera's model is at.
type working uint32

const (
	idle working = iota
	loading
	inferring

	stuck working = 1 << 8 // beside one of them: for longer than it may take
)

func (w working) String() string {
	if w&^stuck == loading {
		return "loaded"
	}
	return "run"
}

const (
	maxMarks   = 64 // cameras; more than a board carries
	markBytes  = 256
	markHeader = 64 // start in Unix nanoseconds, oom kills so far, boot id
)

// marks is the mapped file, which stays mapped: a loop may still write when the
// daemon ends. Without a file it is memory that is forgotten.
type marks struct{ mem []byte }

// openMarks maps the file at path. What stands in it is the run's before.
func openMarks(path string) (*marks, error) {
	size := markHeader + maxMarks*markBytes
	m := &marks{mem: make([]byte, size)}
	if path == "" {
		return m, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return m, fmt.Errorf("marks: %w", err)
	}
	defer f.Close()
	if err := f.Truncate(int64(size)); err != nil {
		return m, fmt.Errorf("marks: %w", err)
	}
	// A page that a full disk has no room for would be a SIGBUS when it is written.
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, int64(size)); err != nil {
		return m, fmt.Errorf("marks: %w", err)
	}
	mem, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return m, fmt.Errorf("marks: %w", err)
	}
	return &marks{mem}, nil
}

// begin forgets the run before and notes this one.
func (m *marks) begin(now time.Time, k kills) {
	clear(m.mem)
	binary.LittleEndian.PutUint64(m.mem, uint64(now.UnixNano()))
	binary.LittleEndian.PutUint64(m.mem[8:], k.n)
	copy(m.mem[16:markHeader], k.boot)
}

// begun is what begin noted.
func (m *marks) begun() (time.Time, kills) {
	boot := string(bytes.TrimRight(m.mem[16:markHeader], "\x00"))
	return time.Unix(0, int64(binary.LittleEndian.Uint64(m.mem))), kills{binary.LittleEndian.Uint64(m.mem[8:]), boot}
}

// slot is one camera's part.
type slot []byte

// of finds or makes a camera's slot; nil where there are too many.
func (m *marks) of(camera string) slot {
	for i := range maxMarks {
		s := m.at(i)
		if s.camera() == "" {
			copy(s[80:markBytes-1], camera)
		}
		if s.camera() == camera {
			return s
		}
	}
	return nil
}

func (m *marks) at(i int) slot { return slot(m.mem[markHeader+i*markBytes:][:markBytes]) }

func (s slot) camera() string { return string(bytes.TrimRight(s[80:], "\x00")) }

func (s slot) sha256() string { return string(bytes.TrimRight(s[16:80], "\x00")) }

func (s slot) goroutine() uint64 { return binary.LittleEndian.Uint64(s[8:]) }

func (s slot) word() *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&s[0])) }

func (s slot) state() working { return working(s.word().Load()) }

// set notes what the model of that hash is at; idle clears it.
func (s slot) set(w working, sha256 string) {
	if s == nil {
		return
	}
	if w != idle {
		clear(s[16:80])
		copy(s[16:80], sha256)
		binary.LittleEndian.PutUint64(s[8:], goroutineID())
	}
	s.word().Store(uint32(w))
}

// stick notes that what is at work now does not come back.
func (s slot) stick() {
	if s == nil {
		return
	}
	if w := s.word().Load(); w != uint32(idle) {
		s.word().CompareAndSwap(w, w|uint32(stuck))
	}
}

// goroutineID is the number under which a crash would list the caller.
func goroutineID() uint64 {
	var buf [64]byte
	text := strings.TrimPrefix(string(buf[:runtime.Stack(buf[:], false)]), "goroutine ")
	n, _, _ := strings.Cut(text, " ")
	id, err := strconv.ParseUint(n, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// kills counts the processes that the kernel has ended for want of memory since
// this boot.
type kills struct {
	n    uint64
	boot string
}

func readKills() kills {
	var k kills
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // absent: no kill is ever seen
	k.boot = strings.TrimSpace(string(boot))
	text, _ := os.ReadFile("/proc/vmstat")
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			k.n, _ = strconv.ParseUint(strings.TrimSpace(n), 10, 64)
		}
	}
	return k
}
