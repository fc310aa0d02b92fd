package httpcam

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// authorizer answers a camera's challenge, basic or digest (RFC 7617, 7616). The
// password goes to the host it was given for, and not before it is asked for.
type authorizer struct {
	next http.RoundTripper
	host string
	user *url.Userinfo
	jar  http.CookieJar
	how  *challenge // of the latest 401; nil: none came yet
	uses int        // of its nonce
}

// challenge is what a 401 asks for.
type challenge struct{ scheme, realm, nonce, opaque, algorithm, qop string }

func newAuthorizer(u *url.URL, jar http.CookieJar, next http.RoundTripper) *authorizer {
	return &authorizer{next: next, host: u.Host, user: u.User, jar: jar}
}

// CloseIdleConnections is for http.Client.
func (a *authorizer) CloseIdleConnections() {
	if t, ok := a.next.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (a *authorizer) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.user == nil || req.URL.Host != a.host {
		return a.next.RoundTrip(req)
	}
	resp, err := a.next.RoundTrip(a.authorized(req))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	how := strongest(resp.Header.Values("WWW-Authenticate"))
	if how == nil || a.how != nil && how.nonce == a.how.nonce { // it has refused this very answer
		return resp, nil
	}
	resp.Body.Close()
	a.how, a.uses = how, 0
	req = a.authorized(req)
	a.jar.SetCookies(req.URL, resp.Cookies()) // http.Client does not see this answer
	for _, c := range resp.Cookies() {
		req.AddCookie(c)
	}
	return a.next.RoundTrip(req)
}

// authorized is req with what the camera has asked for.
func (a *authorizer) authorized(req *http.Request) *http.Request {
	if a.how == nil {
		return req
	}
	req = req.Clone(req.Context())
	password, _ := a.user.Password()
	if a.how.scheme == "basic" {
		req.SetBasicAuth(a.user.Username(), password)
		return req
	}
	a.uses++
	req.Header.Set("Authorization", a.how.answer(a.user.Username(), password, req.Method, req.URL.RequestURI(), a.uses))
	return req
}

// pairs matches the parameters of a challenge.
var pairs = regexp.MustCompile(`(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))`)

// strongest picks the best of the challenges that can be answered.
func strongest(offers []string) (best *challenge) {
	rank := func(c *challenge) int {
		switch {
		case c == nil:
			return 0
		case c.scheme == "basic":
			return 1
		case strings.HasPrefix(c.algorithm, "SHA-256"):
			return 3
		}
		return 2
	}
	for _, offer := range offers {
		if c := parseChallenge(offer); rank(c) > rank(best) {
			best = c
		}
	}
	return best
}

func parseChallenge(offer string) *challenge {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(offer), " ")
	c := &challenge{scheme: strings.ToLower(scheme)}
	for _, m := range pairs.FindAllStringSubmatch(rest, 32) {
		value := m[2] + m[3]
		switch strings.ToLower(m[1]) {
		case "realm":
			c.realm = value
		case "nonce":
			c.nonce = value
		case "opaque":
			c.opaque = value
		case "algorithm":
			c.algorithm = strings.ToUpper(value)
		case "qop":
			c.qop = value
		}
	}
	switch c.algorithm {
	case "", "MD5", "MD5-SESS", "SHA-256", "SHA-256-SESS":
	default:
		return nil
	}
	if c.scheme != "basic" && c.scheme != "digest" {
		return nil
	}
	return c
}

// answer is the Authorization for one request.
func (c *challenge) answer(user, password, method, uri string, uses int) string {
	hash := func(parts ...string) string {
		text := []byte(strings.Join(parts, ":"))
		if strings.HasPrefix(c.algorithm, "SHA-256") {
			sum := sha256.Sum256(text)
			return hex.EncodeToString(sum[:])
		}
		sum := md5.Sum(text) // what the standard and nearly every camera ask for
		return hex.EncodeToString(sum[:])
	}
	random := make([]byte, 8)
	_, _ = rand.Read(random) // it never fails
	nc, cnonce := fmt.Sprintf("%08x", uses), hex.EncodeToString(random)
	secret, what := hash(user, c.realm, password), hash(method, uri)
	if strings.HasSuffix(c.algorithm, "-SESS") {
		secret = hash(secret, c.nonce, cnonce)
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, `Digest username="%s", realm="%s", nonce="%s", uri="%s"`, quoted(user), c.realm, c.nonce, uri)
	if strings.Contains(c.qop, "auth") {
		fmt.Fprintf(b, `, qop=auth, nc=%s, cnonce="%s", response="%s"`, nc, cnonce, hash(secret, c.nonce, nc, cnonce, "auth", what))
	} else {
		fmt.Fprintf(b, `, response="%s"`, hash(secret, c.nonce, what))
	}
	if c.algorithm != "" {
		fmt.Fprintf(b, `, algorithm=%s`, c.algorithm)
	}
	if c.opaque != "" {
		fmt.Fprintf(b, `, opaque="%s"`, c.opaque)
	}
	return b.String()
}

func quoted(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) }
