package page

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
)

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

// asked is the guard's answer to a request of host, with headers.
func asked(g Guard, host, peer string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/state", nil)
	r.Host, r.RemoteAddr = host, peer
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })).ServeHTTP(w, r)
	return w
}

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		host   string
		beyond bool
		want   int
	}{
		{"127.0.0.1:8077", false, 200}, {"localhost:8077", false, 200}, {"LOCALHOST.", false, 200}, {"[::1]:8077", false, 200}, {"line.example:1", false, 200},
		{"evil.example", false, 421}, {"10.0.0.7:8077", false, 421}, {"", false, 421}, {"localhost.evil.example", false, 421}, {"127.0.0.1.evil.example", true, 421},
		{"10.0.0.7:8077", true, 200}, {"evil.example:8077", true, 421}, {"[fe80::1]:8077", true, 200},
	} {
		g := Guard{Beyond: c.beyond, Hosts: []string{"Line.example"}}
		w := asked(g, c.host, "127.0.0.1:5", nil)
		if w.Code != c.want {
			t.Errorf("%q, beyond %v: %d, want %d", c.host, c.beyond, w.Code, c.want)
		}
		for _, h := range []string{"X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Content-Security-Policy"} {
			if w.Header().Get(h) == "" {
				t.Errorf("%q: no %s", c.host, h)
			}
		}
	}
}

func TestCrossSite(t *testing.T) {
	document := map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	frame := map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
	for _, c := range []struct {
		header map[string]string
		want   int
	}{
		{nil, 200}, {document, 200}, {frame, 403},
		{map[string]string{"Sec-Fetch-Site": "same-origin"}, 200}, {map[string]string{"Sec-Fetch-Site": "none"}, 200},
		{map[string]string{"Sec-Fetch-Site": "cross-site"}, 403}, {map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{map[string]string{"Origin": "http://localhost:8077"}, 200}, {map[string]string{"Origin": "http://localhost:9"}, 403},
		{map[string]string{"Origin": "null"}, 403}, {map[string]string{"Origin": "http://evil.example"}, 403}, {map[string]string{"Origin": "::"}, 403},
	} {
		if got := asked(Guard{}, "localhost:8077", "127.0.0.1:5", c.header).Code; got != c.want {
			t.Errorf("%v: %d, want %d", c.header, got, c.want)
		}
	}
}

func TestPassword(t *testing.T) {
	g := Guard{Beyond: true, User: "op", Password: "s3cret"}
	basic := func(user, password string) map[string]string {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.SetBasicAuth(user, password)
		return map[string]string{"Authorization": r.Header.Get("Authorization")}
	}
	for _, c := range []struct {
		peer   string
		header map[string]string
		want   int
	}{
		{"127.0.0.1:5", nil, 401}, {"127.0.0.1:5", basic("op", "s3cret"), 200}, {"[::1]:5", basic("op", "s3cret"), 200},
		{"127.0.0.1:5", basic("op", "s3cre"), 401}, {"127.0.0.1:5", basic("", "s3cret"), 401}, {"127.0.0.1:5", basic("op", ""), 401},
		{"10.0.0.9:5", basic("op", "s3cret"), 403}, {"10.0.0.9:5", nil, 403},
	} {
		if got := asked(g, "localhost", c.peer, c.header).Code; got != c.want {
			t.Errorf("%s %v: %d, want %d", c.peer, c.header, got, c.want)
		}
	}
}

func TestBeyond(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:1": false, "localhost:1": false, "[::1]:1": false, "127.8.0.1:1": false,
		"0.0.0.0:1": true, ":1": true, "[::]:1": true, "192.168.1.4:1": true, "line.local:1": true,
	} {
		if Beyond(address) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
}

func TestConnectionsAreCapped(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var turned atomic.Uint64
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(Limit(l, 2, &turned)) }()
	defer func() { _ = s.Close(); <-done }()
	ask := func(c net.Conn) int {
		if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			return http.StatusServiceUnavailable // closed before the question
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return http.StatusServiceUnavailable
		}
		return resp.StatusCode
	}
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, second := dial(), dial()
	defer second.Close()
	if a, b := ask(first), ask(second); a != 200 || b != 200 {
		t.Fatalf("%d, %d", a, b)
	}
	third := dial()
	if got := ask(third); got != http.StatusServiceUnavailable || turned.Load() != 1 {
		t.Errorf("one too many: %d, %d turned away", got, turned.Load())
	}
	third.Close()
	first.Close()
	for {
		c := dial()
		code := ask(c)
		c.Close()
		if code == http.StatusOK {
			return // a place that is free again
		}
	}
}

// Who may see the page may not yet change anything.
func TestMayChange(t *testing.T) {
	for _, c := range []struct {
		user, peer, kind string
		may              bool
	}{
		{"", "127.0.0.1:5", "application/json", true}, {"", "[::1]:5", "application/json; charset=utf-8", true},
		{"", "10.0.0.7:5", "application/json", false}, {"u", "10.0.0.7:5", "application/json", true},
		{"", "127.0.0.1:5", "", false}, {"u", "127.0.0.1:5", "text/plain", false}, {"", "127.0.0.1:5", "application/x-www-form-urlencoded", false},
	} {
		r := httptest.NewRequest(http.MethodPut, "/zones/a", nil)
		r.RemoteAddr = c.peer
		r.Header.Set("Content-Type", c.kind)
		if err := (Guard{User: c.user}).MayChange(r); (err == nil) != c.may {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
