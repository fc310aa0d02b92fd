package httpcam

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"edged/capture/cameratest"
)

// answers is a server that gives the same answer to each request, whatever it is, byte
// for byte.
func answers(t *testing.T, answer string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := bufio.NewReader(c); ; {
					for line := "x"; strings.TrimSpace(line) != ""; {
						if line, err = r.ReadString('\n'); err != nil {
							return
						}
					}
					if _, err := c.Write([]byte(answer)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/"
}

// Answers with lines that are no header lines are read, on a connection that is used
// again too, as browsers read them.
func TestOddHeads(t *testing.T) {
	picture := string(cameratest.Picture(64, 48, 3))
	for name, head := range map[string]string{
		"a line without a colon":  "HTTP/1.1 200 OK\r\nServer v1\r\nContent-Type: image/jpeg\r\n",
		"blanks around a name":    "HTTP/1.1 200 OK\r\nContent-Type : image/jpeg\r\n X-Y: z\r\n",
		"a continuation at first": "HTTP/1.1 200 OK\r\n folded\r\nContent-Type: image/jpeg\r\n",
		"bare line feeds":         "HTTP/1.1 200 OK\nContent-Type: image/jpeg\n",
		"no reason":               "HTTP/1.1 200\r\n: nothing\r\nContent Type: x\r\n",
	} {
		c, err := Open(answers(t, fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(picture), picture)), 5*time.Second)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for range 3 {
			if file, torn, err := c.Next(); err != nil || torn || string(file) != picture {
				t.Errorf("%s: %d bytes, torn %v, %v", name, len(file), torn, err)
			}
		}
		c.Close()
	}
}

// A head that never ends is refused, within bounds.
func TestEndlessHead(t *testing.T) {
	for _, line := range []string{"X-A: " + strings.Repeat("a", 4000) + "\r\n", strings.Repeat("a", 1000)} {
		_, err := Open(answers(t, "HTTP/1.1 200 OK\r\n"+strings.Repeat(line, 1000)), 5*time.Second)
		if err == nil || !strings.Contains(err.Error(), "over 64 kB") {
			t.Errorf("a head of megabytes: %v", err)
		}
	}
}

// FuzzHead: whatever comes in whatever pieces, what is handed on is no longer, what is
// behind the head stays as it was, and a head that is right does too.
func FuzzHead(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nA: b\r\nc\r\n\r\nbody\n\n")
	f.Add("\n\n")
	f.Add("HTTP/1.1 200 OK\r\nA: b\r\n\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		end := headEnd([]byte(s))
		if end == 0 {
			return
		}
		got := string(cleaned([]byte(s[:end])))
		if len(got) > end || headEnd([]byte(got)) != len(got) {
			t.Errorf("%q of %q", got, s[:end])
		}
		if again := string(cleaned([]byte(got))); again != got {
			t.Errorf("%q, cleaned again %q", got, again)
		}
	})
}
