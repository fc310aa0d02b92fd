package httpcam

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// lenient is a connection to a camera whose answers may have header lines that
// net/http refuses the whole answer for, and browsers pass over: lines without a
// colon, names with blanks around them, a continued line where there is none before.
//
// net/http waits for an answer's first byte before it asks, so what was read tells only
// afterwards that it is a head: something was asked since.
type lenient struct {
	net.Conn
	asked   atomic.Bool // since the latest read
	head    bool        // an answer's head comes
	pending []byte      // what there is of it
	ready   []byte      // cleaned, with what came behind it
}

// maxAnswerHead is what an answer's head may have: more is net/http's to refuse.
const maxAnswerHead = 64 << 10

// Write implements net.Conn.
func (l *lenient) Write(b []byte) (int, error) {
	l.asked.Store(true)
	return l.Conn.Write(b)
}

// Read implements net.Conn.
func (l *lenient) Read(b []byte) (int, error) {
	for len(l.ready) == 0 {
		n, err := l.Conn.Read(b)
		if l.asked.Swap(false) {
			l.head = true
		}
		if !l.head || n == 0 && len(l.pending) == 0 {
			return n, err
		}
		l.take(b[:n], err != nil)
	}
	n := copy(b, l.ready)
	l.ready = l.ready[n:]
	return n, nil
}

// take hands a head on once it is all there, or no more of it comes.
func (l *lenient) take(b []byte, last bool) {
	l.pending = append(l.pending, b...)
	if end := headEnd(l.pending); end > 0 {
		l.ready = append(cleaned(l.pending[:end]), l.pending[end:]...)
	} else if last || len(l.pending) > maxAnswerHead {
		l.ready = l.pending // whoever reads it says what is wrong; an error comes again
	} else {
		return
	}
	l.head, l.pending = false, nil
}

// headEnd is where the empty line behind a head ends, 0: it has not come yet.
func headEnd(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return 0
		}
		if line := bytes.TrimRight(b[at:at+i], "\r"); len(line) == 0 && at > 0 {
			return at + i + 1
		}
		at += i + 1
	}
}

// cleaned is a head without what is no header line. Its first line stays.
func cleaned(head []byte) []byte {
	out := make([]byte, 0, len(head))
	for n := 0; len(head) > 0; n++ {
		i := bytes.IndexByte(head, '\n')
		line := head[:i+1]
		head = head[i+1:]
		name, value, ok := bytes.Cut(line, []byte(":"))
		switch name = bytes.TrimSpace(name); {
		case n == 0 || len(bytes.TrimSpace(line)) == 0:
			out = append(out, line...)
		case ok && len(name) > 0 && bytes.IndexFunc(name, noToken) < 0:
			out = append(append(append(out, name...), ':'), value...)
		}
	}
	return out
}

// noToken tells whether a header's name may not have a rune (RFC 9110, 5.6.2).
func noToken(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

// dial connects as net/http would, leniently.
func dial(d *net.Dialer, t *http.Transport) {
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &lenient{Conn: c}, nil
	}
	t.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&tls.Dialer{NetDialer: d, Config: t.TLSClientConfig}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &lenient{Conn: c}, nil
	}
}
