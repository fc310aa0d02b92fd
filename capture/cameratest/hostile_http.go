package cameratest

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// Hostile is a camera over HTTP that misbehaves in one manner after the other.
type Hostile struct {
	address string
	jpeg    []byte

	mu    sync.Mutex
	mode  string
	conns map[net.Conn]bool
	turn  chan struct{} // closed when the mode changes
}

// StartHostile starts one, which behaves until told otherwise.
func StartHostile(t testing.TB, w, h int) *Hostile {
	t.Helper()
	s := &Hostile{jpeg: Picture(w, h, 3), conns: map[net.Conn]bool{}, turn: make(chan struct{})}
	s.address = serve(t, func(c net.Conn, in *bufio.Reader) {
		mode, turn := s.enter(c)
		defer s.leave(c)
		if request(in) != "" {
			behaviour(mode)(&hostility{Hostile: s, Conn: c, turn: turn, rand: rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))})
		}
	})
	t.Cleanup(func() { s.Become("close") })
	return s
}

// URL is the camera's address.
func (s *Hostile) URL() string { return "http://" + s.address + "/x" }

// Become ends every connection; later ones meet mode.
func (s *Hostile) Become(mode string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = mode
	close(s.turn)
	s.turn = make(chan struct{})
	for c := range s.conns {
		c.Close()
	}
}

func (s *Hostile) enter(c net.Conn) (mode string, turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = true
	return s.mode, s.turn
}

func (s *Hostile) leave(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// hostility is one connection of it.
type hostility struct {
	*Hostile
	net.Conn
	turn chan struct{}
	rand *rand.Rand
	dead bool
}

const hostileHead = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"

// say sends what there is; it tells whether anybody listens still.
func (x *hostility) say(b ...[]byte) bool {
	for _, part := range b {
		if x.dead {
			return false
		}
		_, err := x.Write(part)
		x.dead = err != nil
	}
	return !x.dead
}

// rests waits; it tells whether anybody listens still.
func (x *hostility) rests(d time.Duration) bool {
	select {
	case <-x.turn:
		x.dead = true
	case <-time.After(d):
	}
	return !x.dead
}

// ever says the same for ever, with a pause after each time.
func (x *hostility) ever(pause time.Duration, what func() []byte) {
	for x.say(what()) && (pause == 0 || x.rests(pause)) {
	}
}

func part(j []byte, length any) []byte {
	return fmt.Appendf(nil, "--b\r\nContent-Type: image/jpeg\r\nContent-Length: %v\r\n\r\n%s\r\n", length, j)
}

func (x *hostility) good() []byte { return part(x.jpeg, len(x.jpeg)) }

func (x *hostility) noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(x.rand.Uint32())
	}
	return b
}

func same(b []byte) func() []byte { return func() []byte { return b } }

// claims is the good picture with another size in its header.
func (x *hostility) claims(w, h int) []byte {
	j := bytes.Clone(x.jpeg)
	at := bytes.Index(j, []byte{0xff, 0xc0})
	j[at+5], j[at+6], j[at+7], j[at+8] = byte(h>>8), byte(h), byte(w>>8), byte(w)
	return part(j, len(j))
}
