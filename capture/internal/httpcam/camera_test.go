package httpcam

import (
	"bytes"
	"errors"
	"image/jpeg"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"edged/capture/cameratest"
	"edged/capture/internal/redact"
)

func open(t *testing.T, address string) *Camera {
	t.Helper()
	c, err := Open(address, 5*time.Second)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	t.Cleanup(c.Close)
	return c
}

// whole reads a file as another decoder does.
func whole(t *testing.T, name string, file []byte) {
	t.Helper()
	if _, err := jpeg.Decode(bytes.NewReader(file)); err != nil && name != "noend" {
		t.Errorf("%s: a file of %d bytes: %v", name, len(file), err)
	}
}

// TestForms reads every form in which cameras send streams.
func TestForms(t *testing.T) {
	server := cameratest.StartForms(t, 160, 120)
	for _, name := range append(cameratest.Streams, "redir", "cookie") {
		c := open(t, server.URL+"/"+name)
		for n := range 6 {
			file, torn, err := c.Next()
			if err != nil || torn || c.Single() {
				t.Fatalf("%s: picture %d: torn %v, single %v, %v", name, n, torn, c.Single(), err)
			}
			whole(t, name, file)
		}
		c.Close()
	}
}

func TestWhoMaySee(t *testing.T) {
	server := cameratest.StartForms(t, 64, 48)
	for _, how := range []string{"/basic", "/digest?channel=1&res=a%20b"} {
		as := func(user string) string { return strings.Replace(server.URL, "://", "://"+user, 1) + how }
		if _, _, err := open(t, as("admin:secret@")).Next(); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		for user, want := range map[string]string{"": "401 Unauthorized: it wants a user", "admin:wr0ng@": "401 Unauthorized: it does not take this user"} {
			_, err := Open(as(user), 5*time.Second)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "wr0ng") || redact.Text(err.Error()) != err.Error() {
				t.Errorf("%s as %q: %v", how, user, err)
			}
		}
	}
}

// A query is sent as browsers send it.
func TestQuery(t *testing.T) {
	for query, want := range map[string]string{"a=b&c=%20": "a=b&c=%20", "res=1 x \"y\"&ä": "res=1%20x%20%22y%22&%C3%A4"} {
		if got := queryAsSent(query); got != want {
			t.Errorf("%q is sent as %q, want %q", query, got, want)
		}
	}
}

// A password is for the host that it was given for, and goes to nobody else.
func TestPasswordStaysWithItsHost(t *testing.T) {
	a := &authorizer{host: "one:80", user: nil}
	if a.authorized(nil) != nil {
		t.Error("a request without a challenge is changed")
	}
	c := strongest([]string{`Basic realm="x"`, `Digest realm="x", nonce="n", algorithm=SHA-256, qop="auth,auth-int"`, `Digest realm="x", nonce="m"`, `NTLM`})
	if c == nil || c.algorithm != "SHA-256" {
		t.Errorf("the strongest of the challenges is %+v", c)
	}
	if strongest([]string{"NTLM", `Digest algorithm=SHA-512-256`, ""}) != nil {
		t.Error("a challenge is taken that cannot be answered")
	}
}

func TestReasons(t *testing.T) {
	server := cameratest.StartForms(t, 64, 48)
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	go func() {
		for c, err := mute.Accept(); err == nil; c, err = mute.Accept() {
			_, _ = c.Read(make([]byte, 4096))
			c.Close()
		}
	}()
	signed := cameratest.StartFormsTLS(t, 64, 48)
	for address, want := range map[string]string{
		server.URL + "/404":                                        "it answers 404 Not Found: the path is wrong",
		server.URL + "/503":                                        "it answers 503 Service Unavailable",
		"http://" + mute.Addr().String() + "/":                     "hangs up before there is a picture",
		server.URL + "/418":                                        "it answers 418",
		server.URL + "/html":                                       "text/html",
		server.URL + "/204":                                        "it answers 204",
		server.URL + "/circle":                                     "in a circle",
		server.URL + "/redirfile":                                  "redirects to what is no http address",
		strings.Replace(server.URL, "http:", "https:", 1):          "does not speak TLS",
		strings.Replace(signed.URL, "https:", "http:", 1) + "/std": "400",
		signed.URL + "/std":                                        "signed by nobody",
		"http://" + cameratest.FreeAddress(t) + "/std":             "connection refused",
		"http://no.such.host.invalid/":                             "no host of the name",
	} {
		if _, err := Open(address, 5*time.Second); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	if _, _, err := open(t, signed.URL+"/std#insecure").Next(); err != nil {
		t.Errorf("a certificate that is not to be verified: %v", err)
	}
}

func TestSilentCamera(t *testing.T) {
	address := cameratest.FreeAddress(t)
	defer cameratest.StartBlackHole(t, address)()
	_, err := Open("http://"+address+"/", 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "no picture for") {
		t.Errorf("a camera that never answers: %v", err)
	}
	server := cameratest.StartForms(t, 64, 48)
	server.Pause = time.Hour
	c, err := Open(server.URL+"/std", 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, _, err := c.Next(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Next(); err == nil || !strings.Contains(err.Error(), "no picture for 200ms") {
		t.Errorf("a camera that stopped: %v", err)
	}
}

func TestSinglePicture(t *testing.T) {
	server := cameratest.StartSnap(t, 64, 48, true)
	c := open(t, server.URL())
	if !c.Single() {
		t.Fatal("one picture is taken for a stream")
	}
	first, _, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	whole(t, "snap", first)
	if _, _, err := c.Next(); !errors.Is(err, ErrUnchanged) {
		t.Errorf("the picture of before: %v", err)
	}
	server.Number.Store(7)
	second, _, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	whole(t, "snap", second)
	if server.Asked.Load() != 3 || server.Unchanged.Load() != 1 {
		t.Errorf("%d requests, %d unchanged", server.Asked.Load(), server.Unchanged.Load())
	}
	server.Status.Store(500)
	if _, _, err := c.Next(); err == nil || !strings.Contains(err.Error(), "500") {
		t.Errorf("a picture that is not there any more: %v", err)
	}
}

// A steady stream leaves no garbage.
func TestStreamAllocatesNothing(t *testing.T) {
	part := []byte("--b\r\nContent-Type: image/jpeg\r\nContent-Length: ")
	picture := cameratest.Picture(160, 120, 3)
	part = append(part, []byte(itoa(len(picture))+"\r\n\r\n")...)
	c := cutter{in: &repeated{part: append(append(part, picture...), "\r\n"...)}}
	c.next()
	if n := testing.AllocsPerRun(100, func() {
		if _, torn, err := c.next(); torn || err != nil {
			t.Fatal(torn, err)
		}
	}); n != 0 {
		t.Errorf("a picture makes %v allocations", n)
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// repeated gives its part over and over, in pieces that fit nothing.
type repeated struct {
	part []byte
	at   int
}

func (r *repeated) Read(b []byte) (int, error) {
	n := copy(b[:min(len(b), 1447)], r.part[r.at:])
	r.at = (r.at + n) % len(r.part)
	return n, nil
}

var _ io.Reader = (*repeated)(nil)
