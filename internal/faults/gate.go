package faults

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Gate is an address on which nobody listens until it is opened, as a broker
// that is switched on later.
type Gate struct {
	t       testing.TB
	address string
	l       net.Listener
	wg      sync.WaitGroup
	mu      sync.Mutex
	target  string
	conns   []net.Conn
}

// NewGate chooses a loopback address.
func NewGate(t testing.TB) *Gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &Gate{t: t, address: l.Addr().String()}
}

// URL is the address.
func (g *Gate) URL() string { return "tcp://" + g.address }

// Addr is the address without a scheme.
func (g *Gate) Addr() string { return g.address }

// Turn makes later connections go to target.
func (g *Gate) Turn(target string) {
	g.mu.Lock()
	g.target = target
	g.mu.Unlock()
}

// Open listens from now on, and forwards to target.
func (g *Gate) Open(target string) {
	g.t.Helper()
	g.Turn(target)
	l, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.l = l
	g.t.Cleanup(g.close)
	g.wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			g.mu.Lock()
			to := g.target
			g.mu.Unlock()
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			g.mu.Lock()
			g.conns = append(g.conns, in, out)
			g.mu.Unlock()
			g.wg.Go(func() { pump(out, in) })
			g.wg.Go(func() { pump(in, out) })
		}
	})
}

// pump copies until either side ends; the end of one is the end of both.
func pump(dst, src net.Conn) {
	_, _ = io.Copy(dst, src)
	dst.Close()
	src.Close()
}

func (g *Gate) close() {
	g.l.Close()
	g.mu.Lock()
	for _, c := range g.conns {
		c.Close()
	}
	g.mu.Unlock()
	g.wg.Wait()
}
