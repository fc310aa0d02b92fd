package cameratest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// Claim is a picture whose header says w x h, whatever it holds.
func Claim(w, h int) []byte {
	b := Picture(64, 48, 1)
	at := strings.Index(string(b), "\xff\xc0")
	b[at+5], b[at+6], b[at+7], b[at+8] = byte(h>>8), byte(h), byte(w>>8), byte(w)
	return b
}

// StartScript answers each connection, after its request, with head and then with
// fill for ever.
func StartScript(t testing.TB, head, fill string) (address string) {
	return serve(t, func(c net.Conn, in *bufio.Reader) {
		if request(in) == "" {
			return
		}
		_, err := io.WriteString(c, head)
		for fill != "" && err == nil {
			_, err = io.WriteString(c, fill)
		}
		io.Copy(io.Discard, in) // until the other side leaves
	})
}

// StartManyStreams is an RTSP server whose description has n streams.
func StartManyStreams(t testing.TB, n int) (address string) {
	var b strings.Builder
	b.WriteString("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n")
	for i := range n {
		fmt.Fprintf(&b, "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:t%d\r\n", i)
	}
	return serve(t, func(c net.Conn, in *bufio.Reader) {
		for {
			r := request(in)
			if r == "" {
				return
			}
			body := ""
			head := "RTSP/1.0 200 OK\r\nSession: 1\r\n" + line(r, "cseq:")
			switch {
			case strings.HasPrefix(r, "DESCRIBE"):
				body = b.String()
				head += fmt.Sprintf("Content-Type: application/sdp\r\nContent-Length: %d\r\n", len(body))
			case strings.HasPrefix(r, "SETUP"):
				head += line(r, "transport:")
			}
			if _, err := io.WriteString(c, head+"\r\n"+body); err != nil {
				return
			}
		}
	})
}

// serve runs a server on loopback whose connections end with the test.
func serve(t testing.TB, each func(c net.Conn, in *bufio.Reader)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				each(c, bufio.NewReader(c))
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// request reads up to an empty line.
func request(in *bufio.Reader) string {
	var b strings.Builder
	for {
		l, err := in.ReadString('\n')
		if err != nil {
			return ""
		}
		if l == "\r\n" {
			return b.String()
		}
		b.WriteString(l)
	}
}

// line is the header line of a request that begins with name.
func line(request, name string) string {
	for l := range strings.Lines(request) {
		if strings.HasPrefix(strings.ToLower(l), name) {
			return l
		}
	}
	return ""
}
