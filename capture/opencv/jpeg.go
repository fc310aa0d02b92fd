//go:build opencv && cgo

package opencv

import (
	"bytes"

	"gocv.io/x/gocv"
)

// takeJPEGs asks for a motion JPEG stream's files as they are, to be decoded
// here. OpenCV 4.6 would scale every later picture as if it had the first one's
// size: a larger one gives the old picture for ever, a smaller one a mixture of
// both, and no error. libjpeg decodes straight into the slot.
func (c *camera) takeJPEGs() {
	c.vc.Set(gocv.VideoCaptureFormat, -1)
	if c.vc.Get(gocv.VideoCaptureFormat) != -1 {
		return // a backend that cannot
	}
	m := gocv.NewMat()
	c.jpegs, c.ends = &m, false
}

// endOfImage is JPEG's last marker. It cannot occur inside picture data.
var endOfImage = []byte{0xff, 0xd9}

// cut tells whether a JPEG file breaks off: OpenCV would leave the rest of the
// picture as it was, and not complain. Some cameras never write the end marker,
// so it is missed only where the stream has shown it before.
func (c *camera) cut(file []byte) bool {
	const padding = 1024 // that some cameras write behind the marker
	if bytes.Contains(file[max(0, len(file)-padding):], endOfImage) {
		c.ends = true
		return false
	}
	return c.ends
}

// grabJPEG reads the next file and decodes it into m, which is empty when the
// file is no picture.
func (c *camera) grabJPEG(m *gocv.Mat) bool {
	if !c.vc.Read(c.jpegs) {
		return false
	}
	c.torn = false
	file, err := c.jpegs.DataPtrUint8()
	if err == nil {
		c.torn = c.cut(file)
		err = gocv.IMDecodeIntoMat(file, gocv.IMReadColor|gocv.IMReadIgnoreOrientation, m)
	}
	if err != nil && !m.Empty() {
		m.Close()
		*m = gocv.NewMat()
	}
	return true
}
