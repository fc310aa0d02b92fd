// Package shm is the memory that a camera's worker shares with its parent: a
// segment of picture slots, and one page of vital signs. Both live in memfds,
// which the kernel frees with their last user.
//
// Who may touch a slot is settled by messages (package wire), not here: the
// worker owns a slot until it announces a frame in it, the parent from then
// until it gives the slot back. The sequence word of a slot lets the parent
// check that the worker kept to that.
package shm

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const headBytes = 4096 // the slots' sequence words, one per cache line
const lineBytes = 64

// MaxSlots is what the head has room for.
const MaxSlots = headBytes / lineBytes

// Segment is a mapped set of equally large slots.
type Segment struct {
	mem       []byte
	slots     int
	slotBytes int // as asked for
	pitch     int // from one slot to the next, whole pages
}

func layout(slots, slotBytes int) (pitch, total int, err error) {
	if slots < 1 || slots > MaxSlots || slotBytes < 1 || slotBytes > 1<<30 {
		return 0, 0, fmt.Errorf("shm: %d slots of %d bytes", slots, slotBytes)
	}
	page := os.Getpagesize()
	pitch = (slotBytes + page - 1) / page * page
	return pitch, headBytes + slots*pitch, nil
}

// Create makes a segment, mapped read only, and the file to hand to the
// worker. Its size is sealed: no worker can shrink it under the parent's feet.
func Create(slots, slotBytes int) (*Segment, *os.File, error) {
	_, total, err := layout(slots, slotBytes)
	if err != nil {
		return nil, nil, err
	}
	f, err := memfd("edged-frames", total)
	if err != nil {
		return nil, nil, err
	}
	s, err := mapSegment(f, slots, slotBytes, unix.PROT_READ)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return s, f, nil
}

// Open maps a segment that the parent created, for writing.
func Open(f *os.File, slots, slotBytes int) (*Segment, error) {
	return mapSegment(f, slots, slotBytes, unix.PROT_READ|unix.PROT_WRITE)
}

func mapSegment(f *os.File, slots, slotBytes, prot int) (*Segment, error) {
	pitch, total, err := layout(slots, slotBytes)
	if err != nil {
		return nil, err
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, total, prot, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("shm: map %d bytes: %w", total, err)
	}
	return &Segment{mem: mem, slots: slots, slotBytes: slotBytes, pitch: pitch}, nil
}

// memfd makes an anonymous file of size bytes that can neither shrink nor grow.
func memfd(name string, size int) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("shm: memfd: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		f.Close()
		return nil, fmt.Errorf("shm: size %d: %w", size, err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		f.Close()
		return nil, fmt.Errorf("shm: seal: %w", err)
	}
	return f, nil
}

// Slots is the number of slots.
func (s *Segment) Slots() int { return s.slots }

// SlotBytes is the size of one slot.
func (s *Segment) SlotBytes() int { return s.slotBytes }

// Slot is the memory of slot i.
func (s *Segment) Slot(i int) []byte {
	at := headBytes + i*s.pitch
	return s.mem[at : at+s.slotBytes : at+s.slotBytes]
}

// Seq is the number of the frame in slot i, 0 while it is being written.
func (s *Segment) Seq(i int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&s.mem[i*lineBytes]))
}

// Close unmaps the segment. Its slots must not be touched any more.
func (s *Segment) Close() error {
	if s.mem == nil {
		return nil
	}
	err := unix.Munmap(s.mem)
	s.mem = nil
	return err
}
