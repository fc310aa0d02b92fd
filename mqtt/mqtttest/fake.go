package mqtttest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Fake is a broker that misbehaves in one chosen way, for clients of node n1
// with camera cam. It ends with the test.
type Fake struct {
	l    net.Listener
	does behaviour
	wg   sync.WaitGroup
	quit chan struct{}

	Connections atomic.Int64
	Published   atomic.Int64 // QoS 1 PUBLISH packets that came
	Acked       atomic.Int64 // those it has answered with a PUBACK
}

// behaviour is what a fake does otherwise than a broker. Nil fields are right.
type behaviour struct {
	connack []byte
	suback  func(id []byte, filters int) []byte
	after   func(id []byte) []byte // follows the SUBACK
	flood   func(i int) []byte     // follows it again and again
	every   time.Duration          // between two of the flood
	puback  func(c *fakeConn, id []byte)
}

// FakeModes are the names of everything that a Fake can do wrong.
func FakeModes() []string { return slices.Sorted(maps.Keys(behaviours())) }

// NewFake starts a broker on a loopback port.
func NewFake(t testing.TB, mode string) *Fake {
	t.Helper()
	does, ok := behaviours()[mode]
	if !ok {
		t.Fatalf("no mode %q", mode)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &Fake{l: l, does: does, quit: make(chan struct{})}
	f.wg.Add(1)
	go f.accept()
	t.Cleanup(func() { close(f.quit); l.Close(); f.wg.Wait() })
	return f
}

// URL is the broker's address.
func (f *Fake) URL() string { return "tcp://" + f.l.Addr().String() }

func (f *Fake) accept() {
	defer f.wg.Done()
	for {
		conn, err := f.l.Accept()
		if err != nil {
			return
		}
		f.Connections.Add(1)
		c := &fakeConn{f: f, conn: conn, in: bufio.NewReader(conn), done: make(chan struct{})}
		f.wg.Add(2)
		go func() { defer f.wg.Done(); defer close(c.done); defer conn.Close(); c.serve() }()
		go func() {
			defer f.wg.Done()
			select {
			case <-f.quit:
				conn.Close()
			case <-c.done:
			}
		}()
	}
}

// fakeConn is one connection to a Fake.
type fakeConn struct {
	f    *Fake
	conn net.Conn
	in   *bufio.Reader
	done chan struct{}
	held [][]byte // ids that wait to be acknowledged
	mu   sync.Mutex
}

func (c *fakeConn) send(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.conn.Write(b)
	return err
}

// packet reads one of the client's.
func (c *fakeConn) packet() (head byte, body []byte, err error) {
	if head, err = c.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(c.in)
	if err != nil || n > 1<<22 {
		return 0, nil, errors.Join(err, errors.New("too long"))
	}
	body = make([]byte, n)
	_, err = io.ReadFull(c.in, body)
	return head, body, err
}

func (c *fakeConn) serve() {
	for {
		head, body, err := c.packet()
		if err != nil {
			return
		}
		switch head >> 4 {
		case 1:
			c.send(or(c.f.does.connack, "\x20\x02\x00\x00"))
		case 3:
			c.publish(head, body)
		case 8:
			c.subscribe(body)
		case 12:
			c.send([]byte("\xd0\x00"))
		case 14:
			return
		}
	}
}

func or(b []byte, right string) []byte {
	if b != nil {
		return b
	}
	return []byte(right)
}

func (c *fakeConn) subscribe(body []byte) {
	id, filters := body[:2], 0
	for b := body[2:]; len(b) >= 2; filters++ {
		b = b[min(len(b), 3+int(binary.BigEndian.Uint16(b))):]
	}
	if f := c.f.does.suback; f != nil {
		c.send(f(id, filters))
	} else {
		c.send(suback(id, filters))
	}
	if c.f.does.after != nil {
		c.send(c.f.does.after(id))
	}
	if c.f.does.flood != nil {
		c.f.wg.Add(1)
		go c.flood()
	}
}

func (c *fakeConn) flood() {
	defer c.f.wg.Done()
	for i := 1; ; i++ {
		if b := c.f.does.flood(i); c.send(b) != nil {
			return
		}
		select {
		case <-c.done:
			return
		case <-time.After(c.f.does.every):
		}
	}
}

func (c *fakeConn) publish(head byte, body []byte) {
	if head&6 == 0 {
		return
	}
	c.f.Published.Add(1)
	at := 2 + int(binary.BigEndian.Uint16(body))
	id := body[at : at+2 : at+2]
	if c.f.does.puback != nil {
		c.f.does.puback(c, id)
		return
	}
	c.ack(id)
}

func (c *fakeConn) ack(id []byte) {
	c.f.Acked.Add(1)
	c.send(append([]byte{0x40, 2}, id...))
}

// hold keeps ids back and acknowledges six at a time in any order.
func (c *fakeConn) hold(id []byte) {
	if c.held = append(c.held, id); len(c.held) < 6 {
		return
	}
	rand.Shuffle(len(c.held), func(i, j int) { c.held[i], c.held[j] = c.held[j], c.held[i] })
	for _, id := range c.held {
		c.ack(id)
	}
	c.held = nil
}
