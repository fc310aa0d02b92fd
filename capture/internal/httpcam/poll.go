package httpcam

import (
	"errors"
	"io"
	"net/http"
)

// Single tells whether the address is of one picture, which has to be asked for
// each time.
func (c *Camera) Single() bool { return c.single }

// ErrUnchanged is what Next returns when the address still has the picture of
// before.
var ErrUnchanged = errors.New("the picture is the one of before")

// Next waits for the next picture's file, which is valid until the next call.
// torn: it breaks off. io.EOF means that the stream has ended.
func (c *Camera) Next() (file []byte, torn bool, err error) {
	if c.held {
		c.held, c.late = false, true
		return c.first, c.torn, nil
	}
	c.watch(2 * c.timeout)
	c.late = true
	defer c.alarm.Stop()
	if c.single {
		file, torn, err = c.poll()
	} else {
		file, torn, err = c.cut.next()
	}
	if err != nil && !errors.Is(err, ErrUnchanged) {
		err = c.reason(err)
	}
	return file, torn, err
}

// poll asks for the picture unless it is still the one of before.
func (c *Camera) poll() ([]byte, bool, error) {
	resp, err := c.get("changed")
	if err != nil {
		return nil, false, err
	}
	c.body = resp.Body
	defer c.drop()
	if resp.StatusCode == http.StatusNotModified {
		return nil, false, ErrUnchanged
	}
	c.cut.reset(resp.Body)
	if err := c.looksRight(resp); err != nil {
		return nil, false, err
	}
	file, torn, err := c.cut.next()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		c.note(resp.Header)
	}
	return file, torn, err
}

// note remembers by what the picture is known.
func (c *Camera) note(h http.Header) { c.tag, c.date = h.Get("ETag"), h.Get("Last-Modified") }

// drop reads what little an answer has left, so that its connection serves the
// next request, and lets go of it.
func (c *Camera) drop() {
	if c.body != nil {
		_, _ = io.CopyN(io.Discard, c.body, padding)
		c.body.Close()
		c.body = nil
	}
}

// Close lets go of the camera.
func (c *Camera) Close() {
	c.alarm.Stop()
	c.cancel(nil)
	if c.body != nil {
		c.body.Close()
		c.body = nil
	}
	c.client.CloseIdleConnections()
}
