//go:build opencv && cgo

package opencv

import (
	"errors"
	"fmt"
	"io"

	"gocv.io/x/gocv"

	"edged/capture/internal/httpcam"
	"edged/capture/internal/jpegfile"
	"edged/capture/internal/wire"
	"edged/capture/internal/worker"
)

// openHTTP opens a camera whose pictures are JPEG files. FFmpeg, which OpenCV
// would use, wants their parts to be as it writes them itself, tells of no HTTP
// status, and scales each later picture as if it had the first one's size.
func (c *camera) openHTTP(o wire.Open) (wire.Opened, error) {
	cam, err := httpcam.Open(o.Source, o.Timeout)
	if err != nil {
		return wire.Opened{}, err
	}
	c.http, c.lying = cam, o.IgnoreEXIF
	return wire.Opened{Backend: "HTTP", FourCC: "JPEG", Polled: cam.Single()}, nil
}

// video tells whether an address has a video, which FFmpeg may know how to read.
func video(err error) bool {
	var other *httpcam.ErrNotPictures
	return errors.As(err, &other) && other.Video
}

// readHTTP reads the next file and decodes it into m.
func (c *camera) readHTTP(i int, m *gocv.Mat) (worker.Picture, error) {
	file, torn, err := c.http.Next()
	switch {
	case errors.Is(err, httpcam.ErrUnchanged):
		return worker.Picture{Same: true}, nil
	case errors.Is(err, io.EOF):
		return worker.Picture{}, errors.New("the camera has ended the stream")
	case err != nil:
		return worker.Picture{}, err
	}
	h, err := jpegfile.Read(file)
	if err != nil {
		return c.undecoded(i, err)
	}
	if err := c.allow(h.W, h.H); err != nil {
		return worker.Picture{}, err
	}
	if len(file) < h.Least() { // behind allow: what is too large is told as that at once, this after many in a row
		return c.undecoded(i, fmt.Errorf("a picture of %dx%d pixels in %d bytes is none", h.W, h.H, len(file)))
	}
	flags := gocv.IMReadColor
	if c.lying {
		flags |= gocv.IMReadIgnoreOrientation
	} else if h.Orientation > 4 { // it lies on its side
		h.W, h.H = h.H, h.W
	}
	size, coarser := c.coarse(h.W, h.H)
	if i < 0 && !c.each && size == c.size && len(c.slots) > 0 { // nobody has asked for it: it is passed over
		return worker.Picture{W: size.W, H: size.H, Ch: 3, Reduced: size.Reduced, InPlace: true}, nil
	}
	flags |= coarser
	if err := gocv.IMDecodeIntoMat(file, flags, m); err != nil || m.Empty() {
		c.log.fetch() // not about the next one
		return c.undecoded(i, errors.New("it does not decode"))
	}
	c.torn = torn
	p, err := c.picture(i, m, c.log.fetch())
	p.Reduced = size.Reduced
	return p, err
}

// coarse is what becomes of a file's picture of w x h pixels, and OpenCV's flag for
// it: libjpeg computes only so many.
func (c *camera) coarse(w, h int) (wire.Want, gocv.IMReadFlag) {
	flags := map[int]gocv.IMReadFlag{2: gocv.IMReadReducedColor2, 4: gocv.IMReadReducedColor4, 8: gocv.IMReadReducedColor8}
	k := c.enough.Reduction(w, h)
	if k == 1 {
		return wire.Want{W: w, H: h, Ch: 3}, 0
	}
	return wire.Want{W: w / k, H: h / k, Ch: 3, Reduced: k}, flags[k]
}

// undecoded is a file that is no picture: one is refused, many in a row are a
// fault of the camera.
func (c *camera) undecoded(i int, why error) (worker.Picture, error) {
	gocv.ClearLastException()
	if c.failed++; c.failed > maxFailed {
		return worker.Picture{}, fmt.Errorf("%d pictures in a row that cannot be read: %w", c.failed, why)
	}
	return worker.Picture{Empty: true}, c.relay(i)
}
