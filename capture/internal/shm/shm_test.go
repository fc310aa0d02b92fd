package shm

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSegment(t *testing.T) {
	const slots, bytes = 5, 5000 // not a whole number of pages
	parent, f, err := Create(slots, bytes)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	worker, err := Open(f, slots, bytes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range slots {
		b := worker.Slot(i)
		if len(b) != bytes || cap(b) != bytes {
			t.Fatalf("slot %d has %d bytes, room for %d", i, len(b), cap(b))
		}
		for j := range b {
			b[j] = byte(i + 1)
		}
		worker.Seq(i).Store(uint64(100 + i))
	}
	for i := range slots {
		b := parent.Slot(i)
		if b[0] != byte(i+1) || b[bytes-1] != byte(i+1) || parent.Seq(i).Load() != uint64(100+i) {
			t.Errorf("slot %d reads %d..%d, seq %d", i, b[0], b[bytes-1], parent.Seq(i).Load())
		}
	}
	if parent.Slots() != slots || parent.SlotBytes() != bytes {
		t.Errorf("%d slots of %d bytes", parent.Slots(), parent.SlotBytes())
	}
	for _, s := range []*Segment{parent, worker, parent} { // twice is fine
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSealed: no worker can take the memory away under the parent, which would
// die of SIGBUS.
func TestSealed(t *testing.T) {
	s, f, err := Create(3, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer s.Close()
	for _, size := range []int64{0, 1 << 20} {
		if err := unix.Ftruncate(int(f.Fd()), size); err == nil {
			t.Errorf("the segment can be resized to %d", size)
		}
	}
}

func TestLayoutLimits(t *testing.T) {
	for _, c := range [][2]int{{0, 10}, {3, 0}, {MaxSlots + 1, 10}, {3, 1<<30 + 1}, {-1, -1}} {
		if s, f, err := Create(c[0], c[1]); err == nil {
			f.Close()
			s.Close()
			t.Errorf("a segment of %d slots of %d bytes is made", c[0], c[1])
		}
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Open(f, 3, 100); err == nil {
		t.Error("/dev/null is mapped")
	}
}

func TestVitals(t *testing.T) {
	parent, f, err := CreateVitals()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer parent.Close()
	worker, err := OpenVitals(f)
	if err != nil {
		t.Fatal(err)
	}
	now := Now()
	for p := Idle; p <= Closing; p++ {
		worker.SetPhase(p, now)
		if got, since := parent.Phase(); got != p || now-since < 0 || now-since > 8 {
			t.Errorf("phase %v since %v reads %v since %v", p, now, got, since)
		}
		if strings.HasPrefix(p.String(), "phase") {
			t.Errorf("phase %d has no name", p)
		}
	}
	worker.Beat(now)
	worker.CountRead()
	if n := worker.CountRead(); n != 2 || parent.Read() != 2 || parent.Alive() != now {
		t.Errorf("read %d, %d; alive %v, want %v", n, parent.Read(), parent.Alive(), now)
	}
	worker.Close()
	worker.Close()
	if s := Phase(9).String(); s != "phase 9" {
		t.Error(s)
	}
}

func TestNow(t *testing.T) {
	a := Now()
	time.Sleep(2 * time.Millisecond)
	if d := Now() - a; d < 2*time.Millisecond || d > time.Minute {
		t.Errorf("2 ms took %v", d)
	}
	if n := testing.AllocsPerRun(100, func() { Now() }); n != 0 {
		t.Errorf("Now allocates %v times", n)
	}
}
