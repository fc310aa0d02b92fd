package cameratest

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	often  = 30 * time.Millisecond
	seldom = 300 * time.Millisecond
)

var junk = bytes.Repeat([]byte("a"), 65536)

// hostileModes are the manners of a Hostile camera; the empty one is good.
var hostileModes = map[string]func(x *hostility){
	"": func(x *hostility) { x.say([]byte(hostileHead)); x.ever(50*time.Millisecond, same(x.good())) },

	"endless headers": func(x *hostility) {
		x.say([]byte("HTTP/1.1 200 OK\r\n"))
		x.ever(0, same([]byte("X-A: "+strings.Repeat("a", 4000)+"\r\n")))
	},
	"one endless header": func(x *hostility) { x.say([]byte("HTTP/1.1 200 OK\r\nX: ")); x.ever(0, same(junk)) },
	"endless headers of a part": func(x *hostility) {
		x.say([]byte(hostileHead), x.good(), x.good(), []byte("--b\r\n"))
		x.ever(0, same([]byte("X-A: "+strings.Repeat("a", 4000)+"\r\n")))
	},
	"2 GB of a picture": func(x *hostility) {
		x.say([]byte(hostileHead), x.good(), []byte("--b\r\nContent-Type: image/jpeg\r\nContent-Length: 2000000000\r\n\r\n\xff\xd8"))
		x.ever(0, same(junk))
	},
	"a length below nothing": func(x *hostility) {
		x.say([]byte(hostileHead))
		x.ever(seldom, same(part(x.jpeg, -5)))
	},
	"a length beyond numbers": func(x *hostility) {
		x.say([]byte(hostileHead))
		x.ever(seldom, same(part(x.jpeg, "99999999999999999999999")))
	},
	"a picture without an end": func(x *hostility) {
		x.say([]byte(hostileHead), x.good(), []byte("--b\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8"))
		x.ever(0, same(junk))
	},
	"32000x32000 later": func(x *hostility) {
		x.say([]byte(hostileHead), x.good(), x.good())
		x.ever(seldom, same(x.claims(32000, 32000)))
	},
	"65500x65500 at once": func(x *hostility) { x.say([]byte(hostileHead)); x.ever(seldom, same(x.claims(65500, 65500))) },
	"8000x8000 at once":   func(x *hostility) { x.say([]byte(hostileHead)); x.ever(seldom, same(x.claims(8000, 8000))) },
	"another size each": func(x *hostility) {
		x.say([]byte(hostileHead))
		i := 0
		x.ever(often, func() []byte { i++; return x.claims(640+i%7*64, 480+i%5*48) })
	},
	"no size": func(x *hostility) {
		x.say([]byte(hostileHead))
		x.ever(often, func() []byte { x.say(x.good()); return x.claims(0, 0) })
	},
	"to itself": func(x *hostility) { x.say(moved(x.URL())) },
	"to a file": func(x *hostility) { x.say(moved("file:///etc/hostname")) },
	"to rtsp":   func(x *hostility) { x.say(moved(strings.Replace(x.URL(), "http", "rtsp", 1))) },
	"false gzip": func(x *hostility) {
		x.say([]byte(strings.Replace(hostileHead, "\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n", 1)))
		x.ever(often, func() []byte { return x.noise(65536) })
	},
	"noise": func(x *hostility) { x.say([]byte(hostileHead)); x.ever(often, func() []byte { return x.noise(65536) }) },
	"two":   func(x *hostility) { x.say([]byte(hostileHead), x.good(), x.good()); x.rests(200 * time.Millisecond) },
	"close": func(*hostility) {},
	"drip": func(x *hostility) {
		b := append([]byte(hostileHead), x.good()...)
		for i := range b {
			if !x.say(b[i:i+1]) || !x.rests(seldom) {
				return
			}
		}
	},
	"silent": func(x *hostility) { x.rests(time.Hour) },
	"mutated": func(x *hostility) {
		x.say([]byte(hostileHead))
		x.ever(often, func() []byte {
			j := bytes.Clone(x.jpeg)
			for range 1 + x.rand.IntN(30) {
				j[x.rand.IntN(len(j))] = byte(x.rand.Uint32())
			}
			return part(j, len(j))
		})
	},
	"a list of files": func(x *hostility) {
		x.say([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegurl\r\n\r\n#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXTINF:1,\n" + x.URL() + "\n"))
	},
	"ffconcat": func(x *hostility) {
		x.say([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nffconcat version 1.0\nfile /etc/passwd\n"))
	},
}

func behaviour(mode string) func(*hostility) { return hostileModes[mode] }

// HostileModes are the names of the bad ones.
func HostileModes() []string {
	names := slices.Sorted(maps.Keys(hostileModes))
	return slices.DeleteFunc(names, func(s string) bool { return s == "" })
}

func moved(to string) []byte {
	return []byte("HTTP/1.1 302 Found\r\nLocation: " + to + "\r\nContent-Length: 0\r\n\r\n")
}
