package capture

import "edged/capture/internal/wire"

// Enough is how coarse a camera's pictures may be decoded: the part of them, or all,
// that is resized to W x H in any case. The zero Enough asks for every pixel.
type Enough = wire.Enough

// SetEnough changes Config.Enough of s from some later picture on. Each picture says
// how coarse it is. Sources that decode no JPEG files give every pixel in any case.
func SetEnough(s Source, e Enough) {
	if c, ok := s.(*camera); ok {
		c.setEnough(e)
	}
}

func (c *camera) setEnough(e Enough) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e == c.enough {
		return
	}
	c.enough = e
	if c.worker != nil {
		c.worker.Send(wire.TypeEnough, e) // a dead worker is replaced, and the next told
	}
}

// talk notes the worker that is told of changes from now on, and what to tell it now.
func (c *camera) talk(worker *wire.Conn) Enough {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.worker = worker
	return c.enough
}
