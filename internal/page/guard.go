package page

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Guard stands in front of everything that the daemon serves over HTTP.
type Guard struct {
	Beyond   bool     // the listener is reached from other machines
	Hosts    []string // names that it is called by, beside its own
	User     string   // empty: no password is asked for
	Password string
}

// policy lets the page load what it brings along and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Wrap answers what next may not see, and adds the headers that keep other sites
// out to every answer.
func (g Guard) Wrap(next http.Handler) http.Handler {
	names := g.names()
	user, password := sha256.Sum256([]byte(g.User)), sha256.Sum256([]byte(g.Password))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		switch {
		case !g.knows(names, r.Host):
			http.Error(w, "edged is not called "+strconv.Quote(r.Host)+" here: add the name to node.http_hosts if it is", http.StatusMisdirectedRequest)
		case crossSite(r):
			http.Error(w, "asked for by another site: refused", http.StatusForbidden)
		case g.User == "":
			next.ServeHTTP(w, r)
		case r.TLS == nil && !isLoopback(HostOf(r.RemoteAddr)):
			http.Error(w, "a password is taken over loopback or TLS alone: use an SSH tunnel, or a proxy with TLS on this machine", http.StatusForbidden)
		case !matches(r, user, password):
			h.Set("WWW-Authenticate", `Basic realm="edged", charset="UTF-8"`)
			http.Error(w, "user and password, please", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// MayChange says why a request that Wrap has let through may change nothing; nil: it
// may. Where no password is asked for, only this machine may: whoever sees a page
// is not yet whoever runs the line. A site's form can send no JSON, and its script
// none without being asked for first.
func (g Guard) MayChange(r *http.Request) error {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/json" {
		return errors.New("send JSON, as application/json")
	}
	if g.User == "" && !isLoopback(HostOf(r.RemoteAddr)) {
		return errors.New("changes are taken from this machine alone, where no password is asked for: use an SSH tunnel, or set node.http_user")
	}
	return nil
}

// matches compares in a time that tells nothing of what is right.
func matches(r *http.Request, user, password [sha256.Size]byte) bool {
	u, p, ok := r.BasicAuth()
	gotUser, gotPassword := sha256.Sum256([]byte(u)), sha256.Sum256([]byte(p))
	same := subtle.ConstantTimeCompare(gotUser[:], user[:]) & subtle.ConstantTimeCompare(gotPassword[:], password[:])
	return ok && same == 1
}

// names are what this machine is called, in lower case.
func (g Guard) names() []string {
	names := []string{"localhost"}
	if host, err := os.Hostname(); err == nil && g.Beyond {
		short, _, _ := strings.Cut(strings.ToLower(host), ".")
		names = append(names, strings.ToLower(host), short, short+".local")
	}
	for _, h := range g.Hosts {
		names = append(names, strings.ToLower(h))
	}
	return names
}

// knows tells whether a request for host is meant for this daemon. Any site can
// point a name of its own at this machine and then passes for one origin with
// the page; an address it cannot, so that any is taken where others may call.
func (g Guard) knows(names []string, host string) bool {
	name := strings.ToLower(strings.TrimSuffix(HostOf(host), "."))
	if slices.Contains(names, name) || isLoopback(name) {
		return true
	}
	return g.Beyond && net.ParseIP(name) != nil
}

// crossSite tells whether a browser says that another site asks. Following a
// link to the page is no such thing.
func crossSite(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(u.Host, r.Host) {
			return true
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	follows := r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	return !follows
}

// HostOf is host:port without the port and an IPv6 address's brackets.
func HostOf(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		hostPort = host
	}
	return strings.Trim(hostPort, "[]")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Beyond tells whether a listener on address, host:port, is reached from other
// machines.
func Beyond(address string) bool {
	host := HostOf(address)
	return !strings.EqualFold(host, "localhost") && !isLoopback(host)
}
