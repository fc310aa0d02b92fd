package opencv

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"edged/capture/internal/redact"
)

// complaints reads what the libraries wrote to standard error, which edged
// makes a file in memory: a decoder tells of a damaged frame nowhere else, and
// reading it right after the frame was read says which one it was. The parent
// reads the same file when a worker has died.
type complaints struct {
	fd     int
	at     int64 // read up to here
	buf    []byte
	last   []byte // what the latest call of fetch read
	secret string // the source, never to be repeated
}

const maxComplaints = 64 << 10 // bytes; more is cut off so that a chatty decoder cannot fill memory

func (c *complaints) hide(source string) { c.secret = source }

// readable tells why complaints could not be read: then damaged frames would pass
// for good ones, and nobody would know.
func (c *complaints) readable() error {
	if _, err := unix.Pread(c.fd, make([]byte, 1), 0); err != nil {
		return fmt.Errorf("what the decoder complains of could not be read from standard error, which must be a file: %w", err)
	}
	return nil
}

// fetch reads what is new. It costs one system call when there is nothing.
func (c *complaints) fetch() []byte {
	if c.buf == nil {
		c.buf = make([]byte, 4096)
	}
	c.last = c.last[:0]
	for {
		n, err := unix.Pread(c.fd, c.buf, c.at)
		if err != nil || n <= 0 {
			break
		}
		c.at += int64(n)
		if len(c.last) < maxComplaints {
			c.last = append(c.last, c.buf[:n]...)
		}
	}
	if c.at > maxComplaints && unix.Ftruncate(c.fd, 0) == nil { // it is opened to append
		c.at = 0
	}
	return c.last
}

// decodeError tells whether a video decoder is among those who said something.
func decodeError(said []byte) bool { return len(said) > 0 && decoder.Match(said) }

// resized tells whether the pictures of a stream that began with w x h pixels
// have changed their size in a way that only opening it anew cures: OpenCV 4.6
// goes on with the conversion for the old size. A larger picture then fails, and
// the last good one comes again and again; a smaller one is mixed with it.
func resized(said []byte, w, h int) bool {
	if len(said) == 0 {
		return false
	}
	m := reinit.FindSubmatch(said)
	if m == nil {
		return scaler.Match(said)
	}
	return string(m[1]) != strconv.Itoa(blocks(w)) || string(m[2]) != strconv.Itoa(blocks(h))
}

// blocks rounds up to H.264's whole macroblocks.
func blocks(pixels int) int { return (pixels + 15) &^ 15 }

// chatter drops the lines that talkative brought and that no person needs.
func chatter(line string) bool {
	return strings.Contains(line, "] [verbose] ") || strings.Contains(line, "] [info] ") || strings.Contains(line, "] [warning] ")
}

var (
	// decoder matches FFmpeg's prefix for messages of a video decoder, which
	// are written at level error only, and libjpeg's.
	decoder = regexp.MustCompile(`(?m)^(?:\[(?:h264|hevc|mjpeg|mpeg4|mpeg2video|mpegvideo|vp8|vp9|libdav1d|av1|msmpeg4\w*|png) @ 0x[0-9a-f]+\] (?:\[(?:error|fatal|panic)\]|[^\[])|Corrupt JPEG data|Premature end of JPEG)`)
	scaler  = regexp.MustCompile(`(?m)^\[swscaler @ 0x[0-9a-f]+\] (?:\[error\] )?Slice parameters .* are invalid`)
	reinit  = regexp.MustCompile(`\[verbose\] Reinit context to (\d+)x(\d+)`)
	origin  = regexp.MustCompile(`^\[([\w:./, -]+) @ (?:0x)?[0-9a-f.]+\] *(?:\[\w+\] )?`)
	opencvs = regexp.MustCompile(`^\[ ?(?:WARN|ERROR|INFO|DEBUG)\S*\] global \S+ \(\d+\) `)
)

// reason is the end of what the libraries said, on one line and without
// credentials; empty when they said nothing.
func (c *complaints) reason(said []byte) string {
	lines := telling(said)
	for _, line := range lines {
		if m := gstreamers.FindStringSubmatch(line); m != nil && !followers.MatchString(m[1]) { // the first says why
			return c.clean(reported.ReplaceAllString(m[1], "$1: "))
		}
	}
	return c.clean(strings.Join(lines[max(0, len(lines)-2):], "; "))
}

// clean is a text without credentials and of bounded length.
func (c *complaints) clean(text string) string {
	if c.secret != "" {
		text = strings.ReplaceAll(text, c.secret, redact.Text(c.secret))
	}
	text = redact.Text(text)
	return text[:min(len(text), 300)]
}

// telling are the lines that say something to a person, without what OpenCV and
// FFmpeg put in front.
func telling(said []byte) (lines []string) {
	for line := range strings.Lines(string(said)) {
		if chatter(line) {
			continue
		}
		line = strings.TrimSpace(line)
		line = opencvs.ReplaceAllString(origin.ReplaceAllString(line, "$1: "), "")
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

var (
	gstreamers = regexp.MustCompile(`OpenCV \| GStreamer (?:warning|error): (.*)`)
	reported   = regexp.MustCompile(`^Embedded video playback halted; module (\S+) reported: `)
	// followers are what OpenCV says because of what was said before.
	followers = regexp.MustCompile(`^(?:unable to start pipeline|GStreamer: pipeline have not been created|cannot query video|Cannot query video position|unable to query|cannot (?:get|find) )`)
)
