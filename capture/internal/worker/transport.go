package worker

import (
	"net/url"
	"strings"
)

// Transport is what an RTSP source asks for with ?transport=udp, and the address
// without it; tcp unless it says otherwise.
func Transport(source string) (address, transport string) {
	path, query, ok := strings.Cut(source, "?")
	if !ok {
		return source, "tcp"
	}
	transport = "tcp"
	var rest []string
	for _, part := range strings.Split(query, "&") {
		key, value, _ := strings.Cut(part, "=")
		if value = strings.ToLower(value); strings.EqualFold(key, "transport") && (value == "udp" || value == "tcp") {
			transport = value
			continue
		}
		rest = append(rest, part)
	}
	if len(rest) == 0 {
		return path, transport
	}
	return path + "?" + strings.Join(rest, "&"), transport
}

// Scheme is a source with its scheme in small letters, as libraries want it.
func Scheme(source string) string {
	scheme, rest, ok := strings.Cut(source, "://")
	if _, err := url.Parse(strings.ToLower(scheme) + "://x"); !ok || err != nil {
		return source
	}
	return strings.ToLower(scheme) + "://" + rest
}
