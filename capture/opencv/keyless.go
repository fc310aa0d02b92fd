//go:build opencv && cgo

package opencv

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// pictureless is how long a stream may bring packets before that no picture came
	// of them is noted, and how often it is looked at.
	pictureless = 3 * time.Second
	// someBytes are more than what opening a stream takes: packets have come.
	someBytes = 20_000
)

// watchPackets notes in the log, which edged reads too, when packets of a stream
// come and no picture: FFmpeg's decoder is silent about those that it drops for want
// of a key frame. The first picture ends the watch.
func (c *camera) watchPackets() {
	c.unwatch()
	var t *time.Timer
	t = time.AfterFunc(pictureless, func() {
		if n := tcpReceived(); n > someBytes {
			fmt.Fprintf(os.Stderr, "[rtsp @ 0x0] [verbose] no picture of %d bytes\n", n)
			return
		}
		t.Reset(pictureless)
	})
	c.watch = t
}

func (c *camera) unwatch() {
	if c.watch != nil {
		c.watch.Stop()
		c.watch = nil
	}
}

// tcpReceived is how many bytes this process's connections have got.
func tcpReceived() (sum uint64) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			sum += info.Bytes_received
		}
	}
	return sum
}
