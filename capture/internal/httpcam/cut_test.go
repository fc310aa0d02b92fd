package httpcam

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"edged/capture/cameratest"
)

// endless gives head once and then its filling for ever.
type endless struct {
	head io.Reader
	fill []byte
	gave int64
}

func (e *endless) Read(b []byte) (int, error) {
	if n, err := e.head.Read(b); err == nil {
		return n, nil
	}
	n := 0
	for n < len(b) {
		n += copy(b[n:], e.fill)
	}
	e.gave += int64(n)
	return n, nil
}

// TestFloods: what never becomes a picture ends within bounds, and says so.
func TestFloods(t *testing.T) {
	picture := string(cameratest.Picture(64, 48, 1))
	part := "--b\r\nContent-Type: image/jpeg\r\n\r\n"
	for name, c := range map[string]struct{ head, fill, want string }{
		"a length of 2 GB":      {part[:len(part)-2] + "Content-Length: 2000000000\r\n\r\n", "a", "2000000000 bytes"},
		"header lines":          {"--b\r\n", "X-A: aaaaaaaaaaaaaaaa\r\n", "no JPEG picture among them"},
		"one header line":       {"--b\r\nX: ", "a", "no JPEG picture among them"},
		"a picture without end": {part + picture[:len(picture)-2], "a", "over 32 MB"},
		"no picture at all":     {"", "\x00\xff", "no JPEG picture among them"},
		"beginnings":            {"", "\xff\xd8\xff\xd8", "no JPEG picture among them"},
	} {
		in := &endless{head: strings.NewReader(c.head), fill: []byte(c.fill)}
		cut := cutter{in: in}
		var err error
		for err == nil && in.gave < 200<<20 {
			_, _, err = cut.next()
		}
		if !errors.Is(err, ErrFlood) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if len(cut.buf) > MaxFile+2*chunk || in.gave > MaxFile+8*maxNoise {
			t.Errorf("%s: %d MB of memory, %d MB read", name, len(cut.buf)>>20, in.gave>>20)
		}
	}
}

// TestTornPicture: half of a picture is told for what it is, and the next is whole.
func TestTornPicture(t *testing.T) {
	whole := cameratest.Picture(160, 120, 1)
	part := func(b []byte) string {
		return fmt.Sprintf("--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(b), b)
	}
	c := cutter{in: strings.NewReader(part(whole) + part(whole[:len(whole)/2]) + part(whole))}
	for n, want := range []bool{false, true, false} {
		file, torn, err := c.next()
		if err != nil || torn != want || !torn && !bytes.Equal(file, whole) {
			t.Errorf("picture %d: %d bytes of %d, torn %v, %v", n, len(file), len(whole), torn, err)
		}
	}
	if _, _, err := c.next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last: %v", err)
	}
}

// A part that announces far more than its picture is served as soon as the next one
// begins: who waited for all that was announced would be that much late for ever.
func TestLengthOfABuffer(t *testing.T) {
	picture := string(cameratest.Picture(64, 48, 1))
	for _, boundary := range []string{"--b", "frame"} {
		part := boundary + "\r\nContent-Type: image/jpeg\r\nContent-Length: 1000000\r\n\r\n" + picture + "\r\n"
		in := &endless{head: strings.NewReader(strings.Repeat(part, 3)), fill: []byte{0}}
		c := cutter{in: in}
		for n := range 2 {
			file, torn, err := c.next()
			if string(file) != picture || torn || err != nil || in.gave > 0 {
				t.Errorf("%s: picture %d: %d bytes of %d, torn %v, %v; %d bytes more were read", boundary, n, len(file), len(picture), torn, err, in.gave)
			}
		}
	}
}

// A part that holds two files, a picture and its preview, is one picture.
func TestTwoFilesInAPart(t *testing.T) {
	both := string(cameratest.Picture(64, 48, 1)) + string(cameratest.Picture(16, 16, 2))
	c := cutter{in: iotest.OneByteReader(strings.NewReader(fmt.Sprintf("--b\r\nContent-Length: %d\r\n\r\n%s\r\n--b--\r\n", len(both), both)))}
	if file, torn, err := c.next(); string(file) != both || torn || err != nil {
		t.Errorf("%d bytes of %d, torn %v, %v", len(file), len(both), torn, err)
	}
	if _, _, err := c.next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind it: %v", err)
	}
}

// FuzzCut cuts any stream, fed whole and byte by byte: the same files come out,
// none twice, and it ends.
func FuzzCut(f *testing.F) {
	small := string(cameratest.Picture(16, 16, 1))
	f.Add([]byte("--b\r\nContent-Length: 10\r\n\r\n" + small + "\r\n--b\r\n\r\n" + small))
	f.Add([]byte(small + small[:len(small)/2] + small))
	f.Add([]byte("\xff\xd8\xff\xff\xff\xda\x00\x02\xff\x00\xff\xd0\xff\xd9\xff\xd8\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		cut := func(in io.Reader) (total int) {
			c := cutter{in: in}
			for {
				file, _, err := c.next()
				if err != nil {
					return total
				}
				total += len(file)
			}
		}
		if n := cut(bytes.NewReader(b)); n > len(b) {
			t.Errorf("%d bytes cut out of %d", n, len(b))
		}
		cut(iotest.OneByteReader(bytes.NewReader(b)))
	})
}
