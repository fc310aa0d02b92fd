package mqtt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	packetPublish = 3

	// maxControl bounds every incoming packet that is no PUBLISH: the longest
	// one a broker sends us is a SUBACK of a few bytes.
	maxControl = 1 << 10

	// slowestWrite is the rate below which a link counts as dead: a write may
	// take WriteTimeout and its length over this rate.
	slowestWrite = 16 << 10 // bytes a second
)

// swallowed is the payload that stands in for one that was too large or too
// much. The wire has counted it already.
const swallowed = "\x00swallowed"

// intake limits what a broker can make this process read. Zero values mean no
// limit.
type intake struct {
	maxPayload int     // bytes of an incoming PUBLISH
	rate       float64 // incoming PUBLISH packets a second ...
	burst      float64 // ... and how many at once
}

// wire is the connection under the MQTT client. It puts a deadline on each
// write, tells when the connection ends and why, and swallows PUBLISH packets
// over the intake before anything is allocated for them: a flood on the command
// topics costs reading and nothing more.
type wire struct {
	net.Conn
	in       *bufio.Reader
	limit    intake
	timeout  time.Duration
	swallow  *atomic.Uint64 // counts what was swallowed
	pending  []byte         // rewritten header that the reader has not taken yet
	pass     int            // bytes of the current packet to hand through
	credit   float64
	credited time.Time

	mu    sync.Mutex
	cause error
	lost  chan struct{}
}

func newWire(conn net.Conn, limit intake, timeout time.Duration, swallow *atomic.Uint64) *wire {
	return &wire{
		Conn: conn, in: bufio.NewReaderSize(conn, 64<<10), limit: limit, timeout: timeout, swallow: swallow,
		credit: limit.burst, credited: time.Now(), lost: make(chan struct{}),
	}
}

// Close ends the connection; the first cause given counts.
func (w *wire) Close() error { return w.fail(net.ErrClosed) }

func (w *wire) fail(cause error) error {
	w.mu.Lock()
	first := w.cause == nil
	if first {
		w.cause = cause
		close(w.lost)
	}
	w.mu.Unlock()
	if !first {
		return nil
	}
	return w.Conn.Close()
}

// why is what ended the connection.
func (w *wire) why() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cause
}

// SetWriteDeadline is the wire's own business.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// Write sends one whole packet, within the time its length allows.
func (w *wire) Write(p []byte) (int, error) {
	allowed := w.timeout + time.Duration(len(p))*time.Second/slowestWrite
	if err := w.Conn.SetWriteDeadline(time.Now().Add(allowed)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Write(p)
	if err != nil {
		w.fail(fmt.Errorf("mqtt: write: %w", err))
	}
	return n, err
}

// Read hands through the stream of packets without those that it swallows.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.read(p)
	if err != nil {
		w.fail(err)
	}
	return n, err
}

func (w *wire) read(p []byte) (int, error) {
	for len(w.pending) == 0 && w.pass == 0 {
		if err := w.nextPacket(); err != nil {
			return 0, err
		}
	}
	if len(w.pending) > 0 {
		n := copy(p, w.pending)
		w.pending = w.pending[n:]
		return n, nil
	}
	n, err := w.in.Read(p[:min(len(p), w.pass)])
	w.pass -= n
	return n, err
}

// nextPacket reads a fixed header and decides what happens to the packet.
func (w *wire) nextPacket() error {
	first, err := w.in.ReadByte()
	if err != nil {
		return err
	}
	length, err := binary.ReadUvarint(w.in) // MQTT's remaining length is a varint of at most four bytes
	if err != nil {
		return err
	}
	if length >= 1<<28 {
		return errors.New("mqtt: malformed packet from the broker: remaining length over four bytes")
	}
	n := int(length)
	switch {
	case first>>4 == packetPublish && w.refuse(n):
		return w.swallowPublish(first, n)
	case first>>4 != packetPublish && n > maxControl:
		return fmt.Errorf("mqtt: malformed packet from the broker: type %d with %d bytes", first>>4, n)
	}
	w.pending = binary.AppendUvarint(append(w.pending[:0], first), length)
	w.pass = n
	return nil
}

// refuse tells whether a PUBLISH of n bytes is too large or one too many.
func (w *wire) refuse(n int) bool {
	if w.limit.maxPayload > 0 && n > w.limit.maxPayload {
		return true
	}
	if w.limit.rate == 0 {
		return false
	}
	now := time.Now()
	w.credit = min(w.limit.burst, w.credit+now.Sub(w.credited).Seconds()*w.limit.rate)
	w.credited = now
	if w.credit < 1 {
		return true
	}
	w.credit--
	return false
}

// swallowPublish drops a QoS 0 packet. One that the broker wants acknowledged
// is handed on with its payload replaced, because the client owes the broker a
// PUBACK; the pause bounds how fast a flood of those can turn, and the broker's
// in-flight window (20 in mosquitto) bounds how long it delays what follows.
func (w *wire) swallowPublish(first byte, n int) error {
	w.swallow.Add(1)
	if first&0x06 == 0 {
		_, err := w.in.Discard(n)
		return err
	}
	time.Sleep(time.Millisecond)
	var topicLen [2]byte
	if _, err := io.ReadFull(w.in, topicLen[:]); err != nil {
		return err
	}
	keep := int(binary.BigEndian.Uint16(topicLen[:])) + 2 // topic and packet id
	if keep > n-2 {
		return errors.New("mqtt: malformed packet from the broker: topic longer than the packet")
	}
	w.pending = binary.AppendUvarint(append(w.pending[:0], first), uint64(2+keep+len(swallowed)))
	w.pending = append(w.pending, topicLen[:]...)
	at := len(w.pending)
	w.pending = append(w.pending, make([]byte, keep)...)
	if _, err := io.ReadFull(w.in, w.pending[at:]); err != nil {
		return err
	}
	w.pending = append(w.pending, swallowed...)
	_, err := w.in.Discard(n - 2 - keep)
	return err
}
