package cameratest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// Manner is how an RTSP server behaves.
type Manner string

// The manners. A camera that does not carry packets as it was asked to answers 461.
const (
	OverTCP Manner = "tcp"     // and not over UDP
	OverUDP Manner = "udp"     // and not over TCP, to those who watch
	Keyless Manner = "keyless" // over TCP, and never a picture that stands for itself
)

// start begins to listen; packets over UDP come from two ports of their own.
func (b *broadcast) start() error {
	if b.manner != OverUDP {
		return b.server.Start()
	}
	err := errors.New("no two free ports for packets over UDP")
	for port := 20000; port < 60000 && err != nil; port += 2 {
		if !freeUDP(port) || !freeUDP(port+1) {
			continue
		}
		b.server.UDPRTPAddress, b.server.UDPRTCPAddress = fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", port+1)
		err = b.server.Start() // another may have taken them meanwhile
	}
	return err
}

func freeUDP(port int) bool {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err == nil {
		c.Close()
	}
	return err == nil
}

// refuses tells whether who watches is refused this way of carrying packets; the
// server itself refuses UDP where it has no ports for it.
func (b *broadcast) refuses(tcp bool) bool { return tcp && b.manner == OverUDP }

// startsPictures tells whether a packet of H.264 belongs to a picture that stands for
// itself, or to what a decoder must know before one.
func startsPictures(payload []byte) bool {
	const idr, sps, pps, several, part = 5, 7, 8, 24, 28
	if len(payload) < 4 {
		return false
	}
	kind := payload[0] & 31
	switch kind {
	case part:
		kind = payload[1] & 31
	case several:
		kind = payload[3] & 31
	}
	return kind == idr || kind == sps || kind == pps
}

// AwaitPublished waits until the server describes what is published at url: a
// camera that is opened before is told "404", and nothing of its manner.
func AwaitPublished(t testing.TB, url string) {
	t.Helper()
	address, _, _ := strings.Cut(strings.TrimPrefix(url, "rtsp://"), "/")
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if describes(address, url) {
			return
		}
	}
	t.Fatalf("cameratest: nothing is published at %s", url)
}

// describes asks a server once.
func describes(address, url string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintf(c, "DESCRIBE %s RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n", url)
	line, _ := bufio.NewReader(c).ReadString('\n')
	return strings.Contains(line, " 200 ")
}
