// Package wire is what a camera's worker and its parent say to each other over
// a socket pair: one message a packet, never a stream. What passes for every
// frame (Frame, Release) is fixed binary; the rest is JSON behind one byte.
//
//	worker                parent
//	Hello              ->
//	                   <- Open      source with credentials, and how to read it
//	Opened | Failed    ->
//	Want               ->           the next picture needs other memory
//	                   <- Memory    then one message that carries the memfd
//	Frame              ->           the slot is the parent's
//	                   <- Release   the slot is the worker's again
//	                   <- Ask       of a source that is polled: the caller waits
//	                   <- Enough    from now on pictures may be as coarse
//	Ended              ->           then Open may follow
//
// The parent hangs up to end the worker.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Type is a message's first byte.
type Type byte

// The messages.
const (
	TypeHello Type = iota + 1
	TypeOpen
	TypeOpened
	TypeFailed
	TypeWant
	TypeMemory
	TypeDescriptor // its ancillary data is the memfd that Memory announced
	TypeFrame
	TypeRelease
	TypeEnded
	TypeAsk    // the caller waits for the next picture
	TypeEnough // an Enough
)

// Version of the protocol. Worker and parent must agree.
const Version = 3

// Hello is a worker's first word.
type Hello struct {
	Version int    `json:"version"`
	Library string `json:"library"` // for example OpenCV 4.6.0
}

// Open asks the worker to open a source.
type Open struct {
	Kind       string        `json:"kind"`
	Source     string        `json:"source"`
	Live       bool          `json:"live"`
	EveryFrame bool          `json:"every_frame"` // wait for a slot rather than pass over
	Each       bool          `json:"each"`        // a picture that found no slot takes one that came back meanwhile
	Paced      bool          `json:"paced"`       // a file is read no faster than its own rate
	Skip       uint64        `json:"skip"`        // frames of a file that were read before
	Width      int           `json:"width,omitempty"`
	Height     int           `json:"height,omitempty"`
	FPS        float64       `json:"fps,omitempty"`
	FourCC     string        `json:"fourcc,omitempty"`
	Timeout    time.Duration `json:"timeout"` // for the network, where the library has one
	MaxPixels  int64         `json:"max_pixels"`
	Bits       int           `json:"bits,omitempty"`        // of a grey pixel, over 8; 0: nobody said
	IgnoreEXIF bool          `json:"ignore_exif,omitempty"` // pictures as they lie
	Enough     Enough        `json:"enough"`
}

// Opened describes an open source, as far as it tells.
type Opened struct {
	Backend string  `json:"backend"`
	FourCC  string  `json:"fourcc"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	FPS     float64 `json:"fps"`
	Frames  int64   `json:"frames"` // of a file, 0 when unknown
	Polled  bool    `json:"polled"` // each picture is asked for, when Ask says so
}

// Failed says why a source could not be opened.
type Failed struct {
	Reason string `json:"reason"`
}

// Want asks for memory for pictures of this size.
type Want struct {
	W  int `json:"w"`
	H  int `json:"h"`
	Ch int `json:"ch"`

	Reduced int `json:"reduced,omitempty"` // camera's pixels a side that one of these stands for
}

// Bytes is the size of one picture, without padding.
func (w Want) Bytes() int { return w.W * w.H * w.Ch }

// Memory announces a segment. Its number is repeated in Frame and Release.
type Memory struct {
	Number    uint32 `json:"number"`
	Slots     int    `json:"slots"`
	SlotBytes int    `json:"slot_bytes"`
}

// Ended says that an open source gives no more frames.
type Ended struct {
	Reason string `json:"reason"`
}

// Frame lends slot Slot of segment Memory to the parent.
type Frame struct {
	Memory  uint32
	Slot    uint8
	Ch      uint8 // bytes a pixel: 3 BGR, 1 grey
	Corrupt bool  // it is incomplete, or the decoder complained
	Copied  bool  // OpenCV would not decode into the slot
	W, H    uint32
	Read    uint64        // the worker's count, this frame included
	At      time.Duration // when it was read, shm.Now
	Took    time.Duration // how long the read lasted
	Number  uint64        // the camera's own, 0: it has none
}

// Release gives a slot back.
type Release struct {
	Memory uint32
	Slot   uint8
}

const (
	frameBytes   = 48
	releaseBytes = 8
	maxMessage   = 64 << 10
)

// ErrMalformed marks what the other side should never have sent.
var ErrMalformed = errors.New("wire: malformed message")

// Put appends f's message to b.
func (f Frame) Put(b []byte) []byte {
	flags := byte(0)
	if f.Corrupt {
		flags |= 1
	}
	if f.Copied {
		flags |= 2
	}
	b = append(b, byte(TypeFrame), f.Slot, f.Ch, flags)
	b = binary.LittleEndian.AppendUint32(b, f.Memory)
	b = binary.LittleEndian.AppendUint32(b, f.W)
	b = binary.LittleEndian.AppendUint32(b, f.H)
	b = binary.LittleEndian.AppendUint64(b, f.Read)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.At))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.Took))
	return binary.LittleEndian.AppendUint64(b, f.Number)
}

// ParseFrame reads what Put wrote.
func ParseFrame(b []byte) (Frame, error) {
	if len(b) != frameBytes || Type(b[0]) != TypeFrame || b[3] > 3 {
		return Frame{}, ErrMalformed
	}
	le := binary.LittleEndian
	return Frame{
		Slot: b[1], Ch: b[2], Corrupt: b[3]&1 != 0, Copied: b[3]&2 != 0,
		Memory: le.Uint32(b[4:]), W: le.Uint32(b[8:]), H: le.Uint32(b[12:]),
		Read: le.Uint64(b[16:]), At: time.Duration(le.Uint64(b[24:])), Took: time.Duration(le.Uint64(b[32:])), Number: le.Uint64(b[40:]),
	}, nil
}

// Put appends r's message to b.
func (r Release) Put(b []byte) []byte {
	b = append(b, byte(TypeRelease), r.Slot, 0, 0)
	return binary.LittleEndian.AppendUint32(b, r.Memory)
}

// ParseRelease reads what Put wrote.
func ParseRelease(b []byte) (Release, error) {
	if len(b) != releaseBytes || Type(b[0]) != TypeRelease {
		return Release{}, ErrMalformed
	}
	return Release{Slot: b[1], Memory: binary.LittleEndian.Uint32(b[4:])}, nil
}

// Conn is one end of the pair. Any goroutine may send; one receives.
type Conn struct {
	c   *net.UnixConn
	in  []byte
	mu  sync.Mutex
	out []byte // guarded by mu
}

// Pair makes the two ends. The worker's is a file to inherit.
func Pair() (*Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("wire: socket pair: %w", err)
	}
	worker := os.NewFile(uintptr(fds[1]), "edged-camera")
	c, err := NewConn(os.NewFile(uintptr(fds[0]), "edged"))
	if err != nil {
		worker.Close()
		return nil, nil, err
	}
	return c, worker, nil
}

// NewConn takes over an end of the pair.
func NewConn(f *os.File) (*Conn, error) {
	defer f.Close()
	nc, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("wire: socket: %w", err)
	}
	uc, ok := nc.(*net.UnixConn)
	if !ok {
		nc.Close()
		return nil, fmt.Errorf("wire: socket of kind %T", nc)
	}
	return &Conn{c: uc, in: make([]byte, maxMessage), out: make([]byte, 0, frameBytes)}, nil
}

// Close hangs up. It may be called twice.
func (c *Conn) Close() error { return c.c.Close() }

// HungUp tells whether the other side is gone. It asks the kernel, so that it
// knows before a Receive has said so, and whichever error came of it.
func (c *Conn) HungUp() bool {
	raw, err := c.c.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(poll, 0)
		for err == unix.EINTR {
			n, err = unix.Poll(poll, 0)
		}
		gone = n > 0 && poll[0].Revents&(unix.POLLRDHUP|unix.POLLHUP) != 0
	})
	return gone || err != nil // closed here, there is nobody on the other side
}

// SetReadDeadline bounds the next Receive.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.c.SetReadDeadline(t) }

// Receive waits for a message. Its bytes are valid until the next Receive.
// io.EOF means that the other side hung up.
func (c *Conn) Receive() (Type, []byte, error) {
	n, err := c.c.Read(c.in)
	if errors.Is(err, unix.ECONNRESET) {
		// The other side has left words of ours unread. Its own still wait: the
		// kernel tells of the reset once, before them.
		n, err = c.c.Read(c.in)
	}
	if err != nil {
		return 0, nil, err
	}
	if n == 0 {
		return 0, nil, ErrMalformed
	}
	return Type(c.in[0]), c.in[:n], nil
}

// ReceiveDescriptor waits for the message that follows Memory.
func (c *Conn) ReceiveDescriptor() (*os.File, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := c.c.ReadMsgUnix(c.in, oob)
	if errors.Is(err, unix.ECONNRESET) {
		n, oobn, _, _, err = c.c.ReadMsgUnix(c.in, oob)
	}
	if err != nil {
		return nil, err
	}
	if n != 1 || Type(c.in[0]) != TypeDescriptor {
		return nil, ErrMalformed
	}
	msgs, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(msgs) != 1 {
		return nil, ErrMalformed
	}
	fds, err := unix.ParseUnixRights(&msgs[0])
	if err != nil || len(fds) != 1 {
		return nil, ErrMalformed
	}
	unix.CloseOnExec(fds[0])
	return os.NewFile(uintptr(fds[0]), "edged-frames"), nil
}

// SendAsk asks for a picture.
func (c *Conn) SendAsk() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.c.Write(ask)
	return err
}

var ask = []byte{byte(TypeAsk)}

// Send sends a JSON message.
func (c *Conn) Send(t Type, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("wire: encode: %w", err)
	}
	if len(b) >= maxMessage {
		return fmt.Errorf("wire: message of %d bytes, at most %d", len(b), maxMessage-1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err = c.c.Write(append([]byte{byte(t)}, b...))
	return err
}

// SendFrame lends a slot.
func (c *Conn) SendFrame(f Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = f.Put(c.out[:0])
	_, err := c.c.Write(c.out)
	return err
}

// SendRelease gives a slot back.
func (c *Conn) SendRelease(r Release) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = r.Put(c.out[:0])
	_, err := c.c.Write(c.out)
	return err
}

// SendMemory announces a segment and hands over its file.
func (c *Conn) SendMemory(m Memory, f *os.File) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("wire: encode: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.c.Write(append([]byte{byte(TypeMemory)}, b...)); err != nil {
		return err
	}
	_, _, err = c.c.WriteMsgUnix([]byte{byte(TypeDescriptor)}, unix.UnixRights(int(f.Fd())), nil)
	return err
}

// Decode reads a JSON message.
func Decode(b []byte, v any) error {
	if err := json.Unmarshal(b[1:], v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}
