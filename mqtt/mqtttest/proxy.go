package mqtttest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands between a client and a broker and can break the connection in
// the ways that networks do.
type Proxy struct {
	l      net.Listener
	target string

	mu    sync.Mutex
	hole  bool
	conns []net.Conn
	wake  *sync.Cond
	wg    sync.WaitGroup
}

// NewProxy listens on a loopback port and forwards to target.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{l: l, target: target}
	p.wake = sync.NewCond(&p.mu)
	p.wg.Add(1)
	go p.accept()
	t.Cleanup(p.close)
	return p
}

// URL is the proxy's address.
func (p *Proxy) URL() string { return "tcp://" + p.l.Addr().String() }

func (p *Proxy) accept() {
	defer p.wg.Done()
	for {
		in, err := p.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.target)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.wg.Add(2)
		go p.pump(in, out)
		go p.pump(out, in)
	}
}

func (p *Proxy) pump(dst, src net.Conn) {
	defer p.wg.Done()
	defer dst.Close()
	defer src.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := src.Read(buf)
		if err != nil && err != io.EOF || n == 0 {
			return
		}
		p.mu.Lock()
		for p.hole {
			p.wake.Wait()
		}
		p.mu.Unlock()
		if _, err := dst.Write(buf[:n]); err != nil {
			return
		}
	}
}

// Hole makes the connection half-open: both ends stand, nothing passes and
// nobody is told.
func (p *Proxy) Hole() { p.set(true) }

// Heal lets bytes pass again on new connections; those that fell into the hole
// are cut.
func (p *Proxy) Heal() {
	p.Cut()
	p.set(false)
}

func (p *Proxy) set(hole bool) {
	p.mu.Lock()
	p.hole = hole
	p.mu.Unlock()
	p.wake.Broadcast()
}

// Cut closes every connection.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *Proxy) close() {
	p.l.Close()
	p.Heal()
	p.wg.Wait()
}
