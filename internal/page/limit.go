package page

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// busy is all that a connection too many is told.
const busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 27\r\n\r\ntoo many viewers: try later"

// Limit is l with at most n connections open at a time. One more is answered 503
// and closed; turned counts those.
func Limit(l net.Listener, n int, turned *atomic.Uint64) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, n), turned: turned}
}

type limited struct {
	net.Listener
	slots  chan struct{}
	turned *atomic.Uint64
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &counted{Conn: c, slots: l.slots}, nil
		default:
			l.turned.Add(1)
			// Fits the socket's buffer: nobody can hold this up.
			_ = c.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
			_, _ = c.Write([]byte(busy))
			_ = c.Close()
		}
	}
}

// counted gives its slot back once.
type counted struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

func (c *counted) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.slots })
	return err
}
