// Package worker is the loop of a camera's worker process, free of OpenCV: it
// opens, reads, lends slots and shows signs of life. What it reads from is a
// Camera, of which capture/opencv has the real one.
package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
)

// The descriptors a worker inherits, after stdin, stdout and stderr.
const (
	SocketFD = 3 + iota
	VitalsFD
)

const (
	beatEvery = 200 * time.Millisecond
	farewell  = 400 * time.Millisecond // for closing the source after the parent hung up
)

// Picture is what Read got.
type Picture struct {
	W, H, Ch int
	Corrupt  bool
	InPlace  bool   // it lies in the slot; else Take fetches it
	Empty    bool   // nothing to show: a frame was there and could not be decoded
	Same     bool   // nothing new: the polled picture has not changed
	Reduced  int    // camera's pixels a side that one stands for; 0: one
	Number   uint64 // the camera's own; 0: it has none
}

// Camera is an open or closed source. One goroutine uses it.
type Camera interface {
	Library() string
	Open(wire.Open) (wire.Opened, error)
	// Bind names the memory of every slot, for pictures of this size.
	Bind(size wire.Want, slots [][]byte) error
	// Read reads the next picture, into slot i if it fits what was bound, else,
	// and for i < 0, into memory of the camera's own. io.EOF means no more.
	Read(i int) (Picture, error)
	// Enough tells how coarse the pictures that follow may be.
	Enough(wire.Enough)
	// Take copies the picture that did not go in place.
	Take(dst []byte) error
	Close()
}

// Main runs a worker on the inherited descriptors until the parent hangs up,
// and returns its exit code.
func Main(cam Camera) int {
	// A terminal's ^C and systemd's SIGTERM are for the parent, which hangs up
	// when it has finished. SIGPIPE comes of writing to a parent that has.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	unix.CloseOnExec(SocketFD)
	unix.CloseOnExec(VitalsFD)
	conn, err := wire.NewConn(os.NewFile(SocketFD, "socket"))
	if err != nil {
		slog.Error("edged-camera is started by edged, not by hand", "err", err)
		return 2
	}
	page := os.NewFile(VitalsFD, "vitals")
	vitals, err := shm.OpenVitals(page)
	page.Close()
	if err != nil {
		slog.Error("edged-camera: no vitals page", "err", err)
		return 2
	}
	if err := Serve(conn, vitals, cam, os.Exit); err != nil {
		slog.Error("edged-camera", "err", err)
		return 1
	}
	return 0
}

type server struct {
	conn    *wire.Conn
	vitals  *shm.Vitals
	cam     Camera
	opens   chan wire.Open
	memory  chan memory
	free    chan wire.Release
	asked   chan struct{}               // the caller waits; once is enough
	enough  atomic.Pointer[wire.Enough] // news; nil: none
	gone    chan struct{}               // closed when the parent has hung up, or broke the protocol
	breach  error                       // how it broke it; read after gone
	stopped atomic.Bool                 // the same, cheap to ask for

	seg    *shm.Segment
	number uint32
	size   wire.Want
	o      wire.Open
	due    time.Time
	period time.Duration
	polled bool // pictures are asked for
	again  bool // without waiting to be asked
	alarm  *time.Timer
}

type memory struct {
	seg    *shm.Segment
	number uint32
}

// Serve talks to the parent until it hangs up, which is no error whatever was
// being said at that moment. When the camera does not let go in time after that,
// exit ends the process.
func Serve(conn *wire.Conn, vitals *shm.Vitals, cam Camera, exit func(int)) error {
	s := &server{
		conn: conn, vitals: vitals, cam: cam,
		opens: make(chan wire.Open, 1), memory: make(chan memory, 1),
		free: make(chan wire.Release, 4*shm.MaxSlots), gone: make(chan struct{}), asked: make(chan struct{}, 1),
	}
	go s.listen(exit)
	go s.beat()
	if err := conn.Send(wire.TypeHello, wire.Hello{Version: wire.Version, Library: cam.Library()}); err != nil {
		return s.ending(fmt.Errorf("worker: hello: %w", err))
	}
	for {
		select {
		case <-s.gone:
			return s.breach
		case s.o = <-s.opens:
			if err := s.session(); err != nil {
				return s.ending(err)
			}
		}
	}
}

// ending is what comes of err: nothing where the parent has hung up, which
// shows itself as a broken pipe to whoever writes before listen has read it.
func (s *server) ending(err error) error {
	switch {
	case s.stopped.Load():
		<-s.gone
		return s.breach
	case s.conn.HungUp():
		return nil
	}
	return err
}

// beat shows that the process is scheduled, whatever its main thread does.
func (s *server) beat() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		s.vitals.Beat(shm.Now())
		select {
		case <-s.gone:
			return
		case <-tick.C:
		}
	}
}

// listen sorts what the parent says. It ends the process when the parent is
// gone and the main thread is stuck.
func (s *server) listen(exit func(int)) {
	for {
		if err := s.hear(); err != nil {
			if !s.conn.HungUp() {
				s.breach = err
			}
			s.stopped.Store(true)
			close(s.gone)
			time.AfterFunc(farewell, func() { exit(0) })
			return
		}
	}
}

func (s *server) hear() error {
	t, b, err := s.conn.Receive()
	if err != nil {
		return err
	}
	switch t {
	case wire.TypeRelease:
		r, err := wire.ParseRelease(b)
		if err != nil {
			return err
		}
		return offer(s.free, r) // there is room for every slot, of memory that was dropped too
	case wire.TypeOpen:
		var o wire.Open
		if err := wire.Decode(b, &o); err != nil {
			return err
		}
		return offer(s.opens, o)
	case wire.TypeEnough:
		var e wire.Enough
		if err := wire.Decode(b, &e); err != nil {
			return err
		}
		s.enough.Store(&e)
		return nil
	case wire.TypeMemory:
		return s.hearMemory(b)
	case wire.TypeAsk:
		_ = offer(s.asked, struct{}{}) // one is there already
		return nil
	}
	return fmt.Errorf("%w: type %d", wire.ErrMalformed, t)
}

// offer hands v over without waiting: a listener that waits hears no hang-up,
// and a parent that keeps to the protocol never says more than there is room for.
func offer[T any](to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	default:
		return fmt.Errorf("%w: one %T too many", wire.ErrMalformed, v)
	}
}

func (s *server) hearMemory(b []byte) error {
	var m wire.Memory
	if err := wire.Decode(b, &m); err != nil {
		return err
	}
	f, err := s.conn.ReceiveDescriptor()
	if err != nil {
		return err
	}
	defer f.Close()
	seg, err := shm.Open(f, m.Slots, m.SlotBytes)
	if err != nil {
		return err
	}
	err = offer(s.memory, memory{seg, m.Number})
	if err != nil {
		seg.Close()
	}
	return err
}

var errGone = errors.New("worker: the parent has hung up")

// session reads one source from its opening to its end.
func (s *server) session() error {
	s.phase(shm.Opening)
	s.cam.Enough(s.o.Enough)
	opened, err := s.cam.Open(s.o)
	defer s.phase(shm.Idle)
	defer s.cam.Close()
	defer s.phase(shm.Closing)
	if err != nil {
		return s.conn.Send(wire.TypeFailed, wire.Failed{Reason: err.Error()})
	}
	if err := s.conn.Send(wire.TypeOpened, opened); err != nil {
		return err
	}
	s.pace(opened)
	reason, err := s.read()
	if err != nil {
		return err
	}
	return s.conn.Send(wire.TypeEnded, wire.Ended{Reason: reason})
}

func (s *server) phase(p shm.Phase) { s.vitals.SetPhase(p, shm.Now()) }
