package mqtt

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// script is a broker that says what a fuzzer wants: right answers, answers that
// are nearly right, and bytes. A zero byte answers the client's next packet.
type script struct {
	conn net.Conn
	said chan []byte // the client's packets
	text []byte
}

// hear reads the client's packets, so that none of its writes waits.
func (s *script) hear() {
	defer close(s.said)
	in := bufio.NewReader(s.conn)
	for {
		head, err := in.ReadByte()
		if err != nil {
			return
		}
		n, err := binary.ReadUvarint(in)
		if err != nil {
			return
		}
		p := append([]byte{head}, make([]byte, n)...)
		if _, err := io.ReadFull(in, p[1:]); err != nil {
			return
		}
		select {
		case s.said <- p:
		default: // more than the script has answers for
		}
	}
}

// answer is what an orderly broker says to p.
func answer4(p []byte) []byte {
	switch p[0] >> 4 {
	case typeConnect:
		return []byte{0x20, 2, 0, 0}
	case typeSubscribe:
		return append([]byte{0x90, byte(2 + filtersIn(p[3:])), p[1], p[2]}, bytes.Repeat([]byte{1}, filtersIn(p[3:]))...)
	case typeUnsubscribe:
		return []byte{0xb0, 2, p[1], p[2]}
	case typePublish:
		if at := 3 + int(binary.BigEndian.Uint16(p[1:])); p[0]&6 == 2 {
			return []byte{0x40, 2, p[at], p[at+1]}
		}
	case typePingreq:
		return []byte{0xd0, 0}
	}
	return nil
}

func (s *script) next() (b byte) {
	if len(s.text) > 0 {
		b, s.text = s.text[0], s.text[1:]
	}
	return b
}

// play says everything and hangs up.
func (s *script) play() {
	defer s.conn.Close()
	s.conn.SetWriteDeadline(time.Now().Add(time.Second))
	for len(s.text) > 0 {
		switch op := s.next(); {
		case op == 0:
			select {
			case p, ok := <-s.said:
				if !ok {
					return
				}
				s.conn.Write(answer4(p))
			case <-time.After(20 * time.Millisecond):
			}
		case op < 16: // a packet of any type with any flags, of its right length
			body := s.text[:min(len(s.text), int(op))]
			s.text = s.text[len(body):]
			s.conn.Write(append([]byte{s.next(), byte(len(body))}, body...))
		default:
			s.conn.Write([]byte{op})
		}
	}
	time.Sleep(time.Millisecond)
}

// FuzzLink: whatever a broker says, in whatever order, neither the wire nor the
// client behind it panics, waits for ever or keeps what it was told.
func FuzzLink(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0})
	f.Add([]byte{0, 0x90, 5, 0, 1, 1, 1, 1})
	f.Add([]byte{0, 0, 0x90, 6, 0, 1, 1, 1, 1, 1})
	f.Add([]byte{0, 4, 0, 1, 1, 1, 0x90})
	f.Add([]byte{0, 0, 0x32, 7, 0, 1, 'a', 0, 1, 'x', 'x', 0, 0x40, 2, 0, 2, 0x40, 2, 0, 2})
	f.Add([]byte{0x20, 2, 0, 0, 0x20, 2, 0, 0})
	f.Add([]byte{0, 0, 0x34, 7, 0, 1, 'a', 0, 1, 'x', 'x'})
	f.Add([]byte{0, 0, 2, 0, 2, 0x40, 2, 0, 3, 0x50, 2, 0, 3, 0x62, 2, 0, 3, 0x70})
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 300 {
			return
		}
		near, far := net.Pipe()
		s := &script{conn: far, said: make(chan []byte, 64), text: text}
		go s.hear()
		go s.play()
		cfg := Default()
		cfg.Node, cfg.Broker, cfg.ConnectTimeout = "n", "tcp://broker", 500*time.Millisecond
		d := &dialer{cfg: cfg, id: "fuzz", swallow: new(atomic.Uint64), limit: intake{maxPayload: 100},
			receive: func(topic string, payload []byte, _ bool) {
				if len(topic) > maxTopic || len(payload) > 100 || foreign([]byte(topic)) {
					t.Errorf("%q with %d bytes came through", topic, len(payload))
				}
			},
			tcp: func(context.Context, string) (net.Conn, error) { return near, nil }}
		done := make(chan struct{})
		go func() { defer close(done); converse(d) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatal("the client does not come back")
		}
		near.Close()
	})
}

// converse does what a client does with a link, to its end.
func converse(d *dialer) {
	l, err := d.dial(context.Background())
	if err != nil {
		return
	}
	defer l.drop(net.ErrClosed)
	if _, err := l.subscribe(100*time.Millisecond, []string{"a", "b", "c"}, []string{"d"}); err != nil {
		return
	}
	for range 3 {
		l.publish(&message{topic: "t", payload: []byte("x"), qos: 1})
	}
	l.unsubscribe([]string{"d"})
	_, _ = l.subscribe(50*time.Millisecond, []string{"d"}) // a link that is gone, or not
	select {
	case <-l.wire.lost:
	case <-time.After(100 * time.Millisecond):
	}
}
