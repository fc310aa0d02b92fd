package shm

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Phase is what a worker's main thread is doing.
type Phase int64

// The phases. Only Idle and Waiting may last without limit.
const (
	Idle    Phase = iota // no source open
	Opening              // inside OpenCV: opening, or reading the first frame
	Reading              // inside OpenCV: reading a frame
	Waiting              // for a slot, for memory, or for a file's next frame to be due
	Closing              // inside OpenCV: closing
)

func (p Phase) String() string {
	names := [...]string{"idle", "opening", "reading", "waiting", "closing"}
	if p >= 0 && int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("phase %d", int64(p))
}

// Vitals is the page by which a worker shows that it lives and moves. The
// parent reads it without asking; a stopped worker need not cooperate.
type Vitals struct{ mem []byte }

type vitals struct {
	alive atomic.Int64  // Now() of the last sign of life
	phase atomic.Int64  // Now() of the last change of phase, Phase in its low 3 bits
	read  atomic.Uint64 // frames read since the worker started
}

// CreateVitals makes the page and the file to hand to the worker.
func CreateVitals() (*Vitals, *os.File, error) {
	f, err := memfd("edged-vitals", os.Getpagesize())
	if err != nil {
		return nil, nil, err
	}
	v, err := OpenVitals(f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	now := Now()
	v.Beat(now)
	v.SetPhase(Idle, now)
	return v, f, nil
}

// OpenVitals maps a page that CreateVitals made.
func OpenVitals(f *os.File) (*Vitals, error) {
	mem, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("shm: map vitals: %w", err)
	}
	return &Vitals{mem}, nil
}

func (v *Vitals) page() *vitals { return (*vitals)(unsafe.Pointer(&v.mem[0])) }

// Beat says that the worker was alive at now.
func (v *Vitals) Beat(now time.Duration) { v.page().alive.Store(int64(now)) }

// Alive is the time of the last Beat.
func (v *Vitals) Alive() time.Duration { return time.Duration(v.page().alive.Load()) }

// SetPhase says what the worker's main thread does from now on.
func (v *Vitals) SetPhase(p Phase, now time.Duration) {
	v.page().phase.Store(int64(now)&^7 | int64(p))
}

// Phase is what the main thread does, and since when.
func (v *Vitals) Phase() (Phase, time.Duration) {
	w := v.page().phase.Load()
	return Phase(w & 7), time.Duration(w &^ 7)
}

// CountRead counts one more frame and returns how many there are.
func (v *Vitals) CountRead() uint64 { return v.page().read.Add(1) }

// Read is the number of frames counted.
func (v *Vitals) Read() uint64 { return v.page().read.Load() }

// Close unmaps the page.
func (v *Vitals) Close() error {
	if v.mem == nil {
		return nil
	}
	err := unix.Munmap(v.mem)
	v.mem = nil
	return err
}

// Now is the machine's monotonic clock, the same in every process.
func Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic("BUG: no monotonic clock: " + err.Error())
	}
	return time.Duration(t.Nano())
}
