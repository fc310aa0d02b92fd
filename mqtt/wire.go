package mqtt

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxControl bounds every incoming packet that is no PUBLISH: the longest
	// one a broker sends us is a SUBACK of a few bytes.
	maxControl = 1 << 10

	// maxTopic bounds an incoming PUBLISH's topic: all of ours are shorter.
	maxTopic = 1 << 10

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
// write, tells when the connection ends and why, ends it itself when the broker
// says what does not fit the dialogue, and swallows PUBLISH packets over the
// intake before anything is allocated for them: a flood on the command topics
// costs reading and nothing more.
type wire struct {
	net.Conn
	in       *bufio.Reader
	limit    intake
	timeout  time.Duration
	swallow  *atomic.Uint64 // counts what was swallowed
	pending  []byte         // checked bytes that the reader has not taken yet
	pass     int            // bytes of the current packet to hand through
	credit   float64
	credited time.Time

	talk sync.Mutex
	said dialogue // guarded by talk

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

// ended tells whether the connection ends within a time.
func (w *wire) ended(within time.Duration) bool {
	if within > 0 {
		t := time.NewTimer(within)
		defer t.Stop()
		select {
		case <-w.lost:
		case <-t.C:
		}
	}
	select {
	case <-w.lost:
		return true
	default:
		return false
	}
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
	if err := w.locked(func(d *dialogue) error { return d.sent(p) }); err != nil { // before it is out: the answer may be quick
		w.fail(err)
		return 0, err
	}
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

// Read hands through the packets that fit, without those that it swallows.
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

// nextPacket reads a fixed header and decides what happens to the packet. What is
// left in the buffer of a link that has ended, a flood perhaps, is not looked at.
func (w *wire) nextPacket() error {
	if w.ended(0) {
		return w.why()
	}
	head, err := w.in.ReadByte()
	if err != nil {
		return err
	}
	n, err := w.length()
	if err != nil {
		return err
	}
	if err := w.locked(func(d *dialogue) error { return d.admits(head, n) }); err != nil {
		return err
	}
	w.pending = binary.AppendUvarint(append(w.pending[:0], head), uint64(n))
	if head>>4 == typePublish {
		return w.nextPublish(head, n)
	}
	body := len(w.pending)
	if err := w.take(n); err != nil {
		return err
	}
	return w.locked(func(d *dialogue) error { return d.takes(head, w.pending[body:]) })
}

func (w *wire) locked(do func(*dialogue) error) error {
	w.talk.Lock()
	defer w.talk.Unlock()
	return do(&w.said)
}

// length reads a remaining length, a varint of at most four bytes.
func (w *wire) length() (n int, err error) {
	for shift := 0; shift < 28; shift += 7 {
		b, err := w.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if n |= int(b&0x7f) << shift; b < 0x80 {
			return n, nil
		}
	}
	return 0, breach("a remaining length of more than four bytes")
}

// take appends the next n bytes to pending.
func (w *wire) take(n int) error {
	at := len(w.pending)
	w.pending = append(w.pending, make([]byte, n)...)
	_, err := io.ReadFull(w.in, w.pending[at:])
	return err
}

// nextPublish reads the topic of a PUBLISH of n bytes. The payload passes as it
// comes, if the packet is not swallowed.
func (w *wire) nextPublish(head byte, n int) error {
	ids := int(head & 0x06) // QoS 1: two bytes of packet id
	at := len(w.pending)
	if n < 2+ids {
		return breach("PUBLISH of %d bytes", n)
	}
	if err := w.take(2); err != nil {
		return err
	}
	topic := int(binary.BigEndian.Uint16(w.pending[at:]))
	switch {
	case topic == 0:
		return breach("PUBLISH without a topic")
	case 2+topic+ids > n:
		return breach("PUBLISH of %d bytes with a topic of %d", n, topic)
	case w.refuse(n):
		return w.swallowPublish(head, topic, n-2)
	case topic > maxTopic:
		return w.swallowPublish(head, topic, n-2)
	}
	if err := w.take(topic); err != nil {
		return err
	}
	if foreign(w.pending[at+2:]) {
		return w.swallowPublish(head, 0, n-2-topic)
	}
	w.pass = n - 2 - topic
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

// swallowPublish drops the rest of a PUBLISH, n bytes that begin with what is
// left of its topic. For one that the broker wants acknowledged a short packet
// takes its place, because the client owes the broker a PUBACK; the pause bounds
// how fast a flood of those can turn, and the broker's in-flight window (20 in
// mosquitto) bounds how long it delays what follows.
func (w *wire) swallowPublish(head byte, topic, n int) error {
	w.swallow.Add(1)
	w.pending = w.pending[:0]
	if head&0x06 == 0 {
		_, err := w.in.Discard(n)
		return err
	}
	w.ended(time.Millisecond)
	if _, err := w.in.Discard(topic); err != nil {
		return err
	}
	w.pending = append(w.pending, head, byte(2+len(swallowed)+2+len(swallowed)), 0, byte(len(swallowed)))
	w.pending = append(w.pending, swallowed...) // a topic that is nobody's
	if err := w.take(2); err != nil {
		return err
	}
	w.pending = append(w.pending, swallowed...)
	_, err := w.in.Discard(n - topic - 2)
	return err
}
