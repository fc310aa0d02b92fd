// Package httpcam reads pictures from an HTTP camera: a stream of parts, JPEG
// after JPEG without any parts, or a single picture that is asked for again and
// again. Cameras' notions of multipart differ; browsers read them all, and so
// does this: a picture is found by what a JPEG file is, and its part's length is
// believed where it proves right.
package httpcam

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"edged/capture/internal/jpegfile"
)

// Bounds of what a camera may send.
const (
	MaxFile  = 32 << 20 // bytes of one picture's file
	maxNoise = 1 << 20  // bytes in a row that belong to no picture
	maxHead  = 16 << 10 // bytes of a part's header lines that are looked at
	padding  = 1024     // bytes that some cameras write behind a picture's end
	chunk    = 64 << 10 // the least that is asked of the network at once
)

// ErrFlood is why a camera is given up that sends more than a picture can be.
var ErrFlood = errors.New("this is given up")

var errNoise = fmt.Errorf("%d kB and no JPEG picture among them: %w", maxNoise>>10, ErrFlood)

// cutter cuts pictures out of a stream. Its memory grows with the largest file
// that came, never with what was announced.
type cutter struct {
	in    io.Reader
	buf   []byte
	r, w  int // buf[r:w] has been read and belongs to nobody yet
	noise int // bytes passed over since the last picture
	ends  bool
	err   error // of in, told once buf holds no more pictures
}

// reset has the cutter read another stream with the same memory.
func (c *cutter) reset(in io.Reader) { *c = cutter{in: in, buf: c.buf, ends: c.ends} }

// next is the next picture's file, valid until the next call. torn: it breaks off.
func (c *cutter) next() (file []byte, torn bool, err error) {
	for {
		size, err := c.seek()
		if err != nil {
			return nil, false, err
		}
		file, torn, err = c.take(size)
		if err != nil || file != nil {
			c.noise = 0
			return file, torn, err
		}
		if c.noise > maxNoise {
			return nil, false, errNoise
		}
	}
}

// fill reads more. An error means that there is none to come.
func (c *cutter) fill() error {
	if c.err != nil {
		return c.err
	}
	if c.r > 0 && (c.r == c.w || len(c.buf)-c.w < chunk) {
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	if len(c.buf)-c.w < chunk {
		grown := make([]byte, max(4*chunk, min(2*len(c.buf), MaxFile+2*chunk)))
		if len(grown) <= len(c.buf) {
			return fmt.Errorf("a picture of over %d MB: %w", MaxFile>>20, ErrFlood)
		}
		c.w = copy(grown, c.buf[c.r:c.w])
		c.buf, c.r = grown, 0
	}
	n, err := c.in.Read(c.buf[c.w:])
	c.w += n
	if err != nil {
		c.err = err
	}
	if n == 0 {
		return err
	}
	return nil
}

// seek passes over what belongs to no picture until one begins at buf[r]. size
// is what its part says of its length, 0: nothing.
func (c *cutter) seek() (size int, err error) {
	looked := 0 // of buf[r:w]
	for {
		b := c.buf[c.r:c.w]
		if i := bytes.Index(b[looked:], start); i >= 0 {
			i += looked
			size, err = partLength(b[max(0, i-maxHead):i])
			c.r += i
			return size, err
		}
		looked = max(0, len(b)-len(start)+1)
		if drop := looked - maxHead; drop > maxHead { // keep the header lines that may belong to a picture
			c.r, c.noise, looked = c.r+drop, c.noise+drop, looked-drop
			if c.noise > maxNoise {
				return 0, errNoise
			}
		}
		if _, err = partLength(b[max(0, len(b)-maxHead):]); err != nil {
			return 0, err
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
}

var (
	start    = []byte{0xff, 0xd8, 0xff}
	endMark  = []byte{0xff, 0xd9}
	lengthIs = []byte("content-length:")
)

// partLength is what the header lines before a picture say of its length.
func partLength(head []byte) (int, error) {
	for i := len(head); i > 0; {
		line := head[bytes.LastIndexByte(head[:i-1], '\n')+1 : i]
		i -= len(line)
		if len(line) < len(lengthIs) || !bytes.EqualFold(line[:len(lengthIs)], lengthIs) {
			continue
		}
		n, err := strconv.Atoi(string(bytes.TrimSpace(line[len(lengthIs):])))
		if err == nil && n > MaxFile {
			return 0, fmt.Errorf("it announces a picture of %d bytes, at most %d are taken: %w", n, MaxFile, ErrFlood)
		}
		if err != nil || n < 0 {
			return 0, nil // it lies, or it is not all there yet: the picture itself tells
		}
		return n, nil
	}
	return 0, nil
}

// take takes the picture that begins at buf[r].
func (c *cutter) take(size int) (file []byte, torn bool, err error) {
	if size > len(start) {
		if file, ok := c.announced(size); ok {
			return file, false, nil
		}
	}
	var f jpegfile.Finder
	for {
		n, found := f.Next(c.buf[c.r:c.w])
		if found == jpegfile.More {
			if err := c.fill(); err != nil {
				return c.last(err)
			}
			continue
		}
		file = c.buf[c.r : c.r+n]
		c.r += n
		if found == jpegfile.End {
			c.ends = true
			return file, false, nil
		}
		if n < len(start)+1 { // a beginning and nothing behind it
			c.r, c.noise = c.r-n+1, c.noise+n
			return nil, false, nil
		}
		return c.torn(file)
	}
}

// torn judges a picture without an end marker, which some cameras never write:
// the marker is missed only where the stream has shown it before.
func (c *cutter) torn(file []byte) ([]byte, bool, error) {
	if i := bytes.LastIndex(file, []byte("\n--")); i > 0 {
		file = file[:i]
	}
	return file, c.ends, nil
}

// last is the picture at which the stream ends with err.
func (c *cutter) last(err error) ([]byte, bool, error) {
	file := c.buf[c.r:c.w]
	if !errors.Is(err, io.EOF) || len(file) <= len(start) {
		return nil, false, err
	}
	c.r = c.w
	return c.torn(file)
}

// announced takes a picture of the length that its part says, if that proves
// right: the file ends there, or a new part begins.
func (c *cutter) announced(size int) (file []byte, ok bool) {
	var f jpegfile.Finder
	for c.w-c.r < size {
		n, found := f.Next(c.buf[c.r:c.w])
		if found == jpegfile.End && partBegins(c.buf[c.r+n:c.w]) { // it is longer than its picture: waiting for all of it would be for ever later
			return nil, false
		}
		if c.fill() != nil {
			return nil, false
		}
	}
	file = c.buf[c.r : c.r+size]
	ended := bytes.Contains(file[max(0, size-padding):], endMark)
	if ended {
		c.ends = true
	} else if c.ends || bytes.Contains(file[1:], start) {
		return nil, false
	} else if !c.partFollows(size) {
		return nil, false
	}
	c.r += size
	return file, true
}

// partBegins tells whether b, behind a picture's end, is the beginning of another part:
// behind an end of line dashes, or a boundary without any.
func partBegins(b []byte) bool {
	rest := bytes.TrimLeft(b, "\r\n")
	if len(rest) < 2 || len(rest) == len(b) {
		return false
	}
	return rest[0] == '-' && rest[1] == '-' || rest[0] >= 'A' && rest[0] <= 'z'
}

// partFollows tells whether buf[r+size:] looks like the beginning of a part.
func (c *cutter) partFollows(size int) bool {
	if c.w-c.r < size+2 {
		return true // nothing follows yet
	}
	b := c.buf[c.r+size:]
	return b[0] == '\r' || b[0] == '\n' || b[0] == '-' && b[1] == '-'
}
