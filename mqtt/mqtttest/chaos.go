package mqtttest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Chaos stands between a client and a broker and breaks one connection after
// another, each in a way and after a number of bytes that its seed decides: within
// packets as well as between them.
type Chaos struct {
	l      net.Listener
	target string

	mu    sync.Mutex
	rng   *rand.Rand
	calm  bool
	did   map[string]int
	conns map[*chaosConn]bool
	quit  chan struct{}
	wg    sync.WaitGroup
}

// mishaps are what befalls a connection, with how often of 20.
var mishaps = map[string]int{
	"cut":       5, // a packet's beginning passes, then both ends are closed
	"reset":     4, // the same by RST
	"hold":      5, // nothing passes for a while, then everything
	"trickle":   2, // byte by byte for a while
	"hole":      3, // what one end says is not heard any more
	"hole-both": 1, // nor what the other says
}

// NewChaos listens on a loopback port and forwards to target.
func NewChaos(t testing.TB, target string, seed uint64) *Chaos {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Chaos{l: l, target: target, rng: rand.New(rand.NewPCG(seed, 14)), did: map[string]int{}, conns: map[*chaosConn]bool{}, quit: make(chan struct{})}
	c.wg.Go(c.accept)
	t.Cleanup(c.close)
	return c
}

// URL is the address.
func (c *Chaos) URL() string { return "tcp://" + c.l.Addr().String() }

// Calm lets connections alone from now on; the wounded ones are closed.
func (c *Chaos) Calm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calm = true
	for conn := range c.conns {
		conn.close()
	}
}

// Did is how often each mishap has happened.
func (c *Chaos) Did() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.did)
}

func (c *Chaos) accept() {
	for {
		in, err := c.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", c.target)
		if err != nil {
			in.Close()
			continue
		}
		conn := &chaosConn{c: c, up: in, down: out, gone: make(chan struct{})}
		c.mu.Lock()
		conn.next.Store(c.draw())
		c.conns[conn] = true
		c.mu.Unlock()
		c.wg.Go(func() { conn.pump(out, in, true) })
		c.wg.Go(func() { conn.pump(in, out, false) })
	}
}

// fate is what befalls a connection, after how many bytes in which direction, and
// for how long.
type fate struct {
	what  string // empty: nothing
	from  time.Time
	after int
	lasts time.Duration
	onUp  bool // counted from the client
}

// draw decides on the next. c.mu is held.
func (c *Chaos) draw() *fate {
	f := &fate{from: time.Now(), lasts: time.Duration(100+c.rng.IntN(8000)) * time.Millisecond, onUp: c.rng.IntN(3) > 0}
	n := c.rng.IntN(20)
	for _, name := range slices.Sorted(maps.Keys(mishaps)) {
		if n -= mishaps[name]; n < 0 {
			f.what = name
			break
		}
	}
	if c.rng.IntN(2) == 0 { // a link that has lived: what follows is not put off for long
		f.from = f.from.Add(5500 * time.Millisecond)
	}
	f.after = 1 + c.rng.IntN(1<<(4+c.rng.IntN(12))) // mostly while it runs, now and then within CONNECT
	if !f.onUp {
		f.after = 1 + c.rng.IntN(1<<(2+c.rng.IntN(9))) // brokers say little
	}
	if c.calm {
		f.what = ""
	}
	return f
}

// chaosConn is one connection with what befalls it.
type chaosConn struct {
	c        *Chaos
	up, down net.Conn // the client's side, the broker's
	next     atomic.Pointer[fate]

	deaf atomic.Bool // nothing passes in either direction
	once sync.Once
	gone chan struct{}
}

func (x *chaosConn) close() {
	x.once.Do(func() {
		close(x.gone)
		x.up.Close()
		x.down.Close()
	})
}

func (x *chaosConn) pump(dst, src net.Conn, isUp bool) {
	defer x.close()
	buf := make([]byte, 4<<10)
	seen := 0 // bytes since the fate's time began
	for {
		n, err := src.Read(buf)
		if err != nil {
			return
		}
		f := x.next.Load()
		switch b := buf[:n]; {
		case x.deaf.Load():
		case f.what == "" || f.onUp != isUp || time.Now().Before(f.from) || seen+n <= f.after:
			if _, err := dst.Write(b); err != nil {
				return
			}
			if f.onUp == isUp && time.Now().After(f.from) {
				seen += n
			}
		default: // within this piece
			k := max(0, f.after-seen)
			if !x.strikes(f, dst, src, b[:k], b[k:]) {
				return
			}
			seen = 0
			x.c.mu.Lock()
			x.next.Store(x.c.draw())
			x.c.mu.Unlock()
		}
	}
}

// strikes passes on what comes before the mishap, has it happen, and tells whether
// the connection goes on.
func (x *chaosConn) strikes(f *fate, dst, src net.Conn, before, behind []byte) bool {
	x.c.mu.Lock()
	x.c.did[f.what]++
	x.c.mu.Unlock()
	if _, err := dst.Write(before); err != nil {
		return false
	}
	switch f.what {
	case "reset":
		for _, c := range []net.Conn{dst, src} {
			_ = c.(*net.TCPConn).SetLinger(0) // the next close is a reset
		}
		return false
	case "hold":
		x.waits(f.lasts)
		_, err := dst.Write(behind)
		return err == nil
	case "trickle":
		end := time.Now().Add(f.lasts)
		for i := range behind {
			if time.Now().Before(end) && !x.waits(5*time.Millisecond) {
				return false
			}
			if _, err := dst.Write(behind[i : i+1]); err != nil {
				return false
			}
		}
		return true
	case "hole-both":
		x.deaf.Store(true)
		return x.hole(src)
	case "hole":
		return x.hole(src)
	}
	return false // cut
}

// hole takes what comes on and passes nothing on, until an end gives up.
func (x *chaosConn) hole(src net.Conn) bool {
	buf := make([]byte, 4<<10)
	for {
		if _, err := src.Read(buf); err != nil {
			return false
		}
	}
}

// waits tells whether the connection still stands after d.
func (x *chaosConn) waits(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-x.gone:
		return false
	case <-x.c.quit:
		return false
	case <-t.C:
		return true
	}
}

func (c *Chaos) close() {
	c.l.Close()
	close(c.quit)
	c.Calm()
	c.wg.Wait()
}

// String tells what happened.
func (c *Chaos) String() string { return fmt.Sprint(c.Did()) }
