package worker

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
)

// still is a camera whose pictures are all the same, n of them or without end.
type still struct {
	n      int
	read   int
	closed atomic.Int32
	enough atomic.Pointer[wire.Enough]
	slots  [][]byte
}

func (c *still) Library() string                        { return "still" }
func (c *still) Open(o wire.Open) (wire.Opened, error)  { return wire.Opened{FPS: 1e9}, c.fail(o) }
func (c *still) Bind(_ wire.Want, slots [][]byte) error { c.slots = slots; return nil }
func (c *still) Take(dst []byte) error                  { clear(dst); return nil }
func (c *still) Close()                                 { c.closed.Add(1) }
func (c *still) Enough(e wire.Enough)                   { c.enough.Store(&e) }

func (c *still) fail(o wire.Open) error {
	if o.Source == "bad" {
		return errors.New("no such camera")
	}
	c.read = 0
	return nil
}

func (c *still) Read(i int) (Picture, error) {
	if c.read++; c.n > 0 && c.read > c.n {
		return Picture{}, io.EOF
	}
	return Picture{W: 4, H: 2, Ch: 3, InPlace: i >= 0}, nil
}

// parent is the other end of a worker that runs in this process.
type parent struct {
	testing.TB
	*wire.Conn
	vitals *shm.Vitals
	seg    *shm.Segment
	exit   chan int
	served chan error

	process *os.Process // where the worker is one
}

func serve(t testing.TB, cam Camera) *parent {
	t.Helper()
	conn, f, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := wire.NewConn(f)
	if err != nil {
		t.Fatal(err)
	}
	vitals, page, err := shm.CreateVitals()
	if err != nil {
		t.Fatal(err)
	}
	page.Close()
	p := &parent{TB: t, Conn: conn, vitals: vitals, exit: make(chan int, 1), served: make(chan error, 1)}
	go func() { p.served <- Serve(theirs, vitals, cam, func(code int) { p.exit <- code }) }()
	t.Cleanup(func() {
		conn.Close()
		if err := <-p.served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		<-p.exit // the farewell, which nothing stops in a test
		theirs.Close()
	})
	var hello wire.Hello
	p.expect(wire.TypeHello, &hello)
	if hello.Version != wire.Version || hello.Library != "still" {
		t.Errorf("hello %+v", hello)
	}
	return p
}

// expect receives a JSON message of type typ.
func (p *parent) expect(typ wire.Type, v any) {
	p.Helper()
	p.SetReadDeadline(time.Now().Add(10 * time.Second))
	got, b, err := p.Receive()
	if err != nil || got != typ {
		p.Fatalf("received type %d, %v, want %d", got, err, typ)
	}
	if err := wire.Decode(b, v); err != nil {
		p.Fatal(err)
	}
}

func (p *parent) frame() wire.Frame {
	p.Helper()
	p.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, b, err := p.Receive()
	if err != nil {
		p.Fatal(err)
	}
	f, err := wire.ParseFrame(b)
	if err != nil {
		p.Fatal(err)
	}
	return f
}

// start opens source and grants memory.
func (p *parent) start(o wire.Open) {
	p.Helper()
	p.Send(wire.TypeOpen, o)
	var opened wire.Opened
	p.expect(wire.TypeOpened, &opened)
	var want wire.Want
	p.expect(wire.TypeWant, &want)
	seg, f, err := shm.Create(4, want.Bytes())
	if err != nil {
		p.Fatal(err)
	}
	defer f.Close()
	p.seg = seg
	if err := p.SendMemory(wire.Memory{Number: 1, Slots: 4, SlotBytes: want.Bytes()}, f); err != nil {
		p.Fatal(err)
	}
}

// TestWaitsForSlots: with EveryFrame the worker reads no further than it has
// slots, and says that it waits rather than reads.
func TestWaitsForSlots(t *testing.T) {
	p := serve(t, &still{n: 10})
	p.start(wire.Open{EveryFrame: true})
	seen := map[uint8]bool{}
	for i := range uint64(4) {
		f := p.frame()
		if f.Read != i+1 || seen[f.Slot] || p.seg.Seq(int(f.Slot)).Load() != f.Read {
			t.Fatalf("frame %+v, slots lent %v", f, seen)
		}
		seen[f.Slot] = true
	}
	for phase := shm.Idle; phase != shm.Waiting; phase, _ = p.vitals.Phase() {
		time.Sleep(time.Millisecond)
	}
	if n := p.vitals.Read(); n != 4 {
		t.Errorf("%d frames were read into 4 slots", n)
	}
	p.SendRelease(wire.Release{Memory: 7, Slot: 1}) // of memory it has no more
	p.SendRelease(wire.Release{Memory: 1, Slot: 2})
	if f := p.frame(); f.Slot != 2 || f.Read != 5 {
		t.Errorf("frame %+v: slot 2 was given back", f)
	}
}

// TestPassesOver: without slots and without EveryFrame the worker goes on and
// counts; the account tells.
func TestPassesOver(t *testing.T) {
	p := serve(t, &still{n: 1000})
	p.start(wire.Open{})
	for range 4 {
		p.frame()
	}
	var ended wire.Ended
	p.expect(wire.TypeEnded, &ended)
	if n := p.vitals.Read(); n != 1000 || ended.Reason == "" {
		t.Errorf("%d frames read, ended %+v", n, ended)
	}
	p.start(wire.Open{Skip: 990, EveryFrame: true}) // the same worker again
	for i := range uint64(4) {
		if f := p.frame(); f.Read != 1001+i {
			t.Errorf("frame %+v: skipped frames are not counted again", f)
		}
	}
}

func TestOpenFails(t *testing.T) {
	cam := &still{}
	p := serve(t, cam)
	for range 3 {
		p.Send(wire.TypeOpen, wire.Open{Source: "bad"})
		var failed wire.Failed
		p.expect(wire.TypeFailed, &failed)
		if failed.Reason != "no such camera" {
			t.Errorf("failed: %q", failed.Reason)
		}
	}
	for phase := shm.Closing; phase != shm.Idle; phase, _ = p.vitals.Phase() {
		time.Sleep(time.Millisecond)
	}
	if n := cam.closed.Load(); n != 3 {
		t.Errorf("closed %d times", n)
	}
}

// BenchmarkServe is the worker's own work for a frame, and the sockets'.
func BenchmarkServe(b *testing.B) {
	p := serve(b, &still{})
	p.start(wire.Open{EveryFrame: true})
	b.ReportAllocs()
	for b.Loop() {
		f := p.frame()
		p.SendRelease(wire.Release{Memory: f.Memory, Slot: f.Slot})
	}
}
