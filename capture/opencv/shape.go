//go:build opencv && cgo

package opencv

import (
	"fmt"
	"regexp"
	"strings"

	"gocv.io/x/gocv"

	"edged/capture/internal/wire"
)

// What OpenCV 4.6 calls CAP_PROP_ORIENTATION_META and CAP_PROP_ORIENTATION_AUTO.
const (
	propOrientation     = gocv.VideoCaptureProperties(48)
	propOrientationAuto = gocv.VideoCaptureProperties(49)
)

// shape is what remains to be done to the pictures of a source before they are
// 8-bit BGR or grey and stand upright.
type shape struct {
	raw    gocv.Mat // as the source gives it
	turn   gocv.RotateFlag
	turns  bool
	bayer  gocv.ColorConversionCode
	tiles  bool    // it is a Bayer pattern
	swaps  bool    // red and blue lie in each other's place
	packed bool    // it is UYVY
	deep   float64 // what 16-bit values are multiplied by, 0: there are none
}

// mosaics are OpenCV's names of the patterns that GStreamer calls by their first
// two rows: OpenCV looks at the second row, second column.
var mosaics = map[string]gocv.ColorConversionCode{
	"rggb": gocv.ColorBayerBGToBGR, "bggr": gocv.ColorBayerRGToBGR,
	"grbg": gocv.ColorBayerGBToBGR, "gbrg": gocv.ColorBayerGRToBGR,
}

var (
	bayerCaps = regexp.MustCompile(`video/x-bayer[^!]*format=(?:\(string\))?\s*"?(rggb|bggr|grbg|gbrg)\b`)
	ownSink   = regexp.MustCompile(`!\s*(appsink\b[^!]*)$`)
)

// taken are the formats of GStreamer that are what they seem in OpenCV: NV12, JPEG
// and others come as bytes that look like grey.
const taken = "videoconvert ! video/x-raw,format=(string){BGR,GRAY8} ! "

// deepTaken keeps what is deeper than eight bits. OpenCV would ask for eight where
// it could have them.
const deepTaken = "videoconvert ! video/x-raw,format=GRAY16_LE ! "

// pipeline is a pipeline's text with its end as OpenCV needs it.
func pipeline(o wire.Open) string {
	convert := taken
	if o.Bits > 8 {
		convert = deepTaken
	}
	if bayerCaps.MatchString(o.Source) { // converted here
		convert = ""
	}
	if at := ownSink.FindStringSubmatchIndex(o.Source); at != nil {
		return o.Source[:at[2]] + convert + o.Source[at[2]:]
	}
	if convert == taken {
		convert = "videoconvert ! video/x-raw,format=BGR ! "
	}
	return o.Source + " ! " + convert + "appsink sync=false"
}

// look finds out what an open source's pictures need.
func (s *shape) look(o wire.Open, vc *gocv.VideoCapture) {
	s.close()
	*s = shape{raw: gocv.NewMat()}
	switch o.Kind {
	case "file", "rtsp":
		vc.Set(propOrientationAuto, 0) // OpenCV 4.6 turns by 90 and 270 the wrong way
		s.upright(int(vc.Get(propOrientation)))
	case "device":
		s.swaps = exchanged(gocv.OpenCVVersion(), fourCC(vc.Get(gocv.VideoCaptureFOURCC)))
	case "pipeline":
		if m := bayerCaps.FindStringSubmatch(o.Source); m != nil {
			s.bayer, s.tiles = mosaics[m[1]], true
		}
	}
	if o.Bits > 8 {
		s.deep = scale(o.Bits)
	}
}

// exchanged tells whether OpenCV gives a device's pictures with red and blue in each
// other's place: 4.6 makes RGB of NV12 and NV21 and calls it BGR.
func exchanged(version, fourCC string) bool {
	return strings.HasPrefix(version, "4.6.") && (fourCC == "NV12" || fourCC == "NV21")
}

// scale brings values of so many bits to eight.
func scale(bits int) float64 { return 255 / float64(uint(1)<<bits-1) }

// upright notes how pictures are turned that the file says lie at an angle, in
// degrees counter-clockwise.
func (s *shape) upright(angle int) {
	flags := map[int]gocv.RotateFlag{90: gocv.Rotate90CounterClockwise, 180: gocv.Rotate180Clockwise, 270: gocv.Rotate90Clockwise}
	s.turn, s.turns = flags[(angle%360+360)%360]
}

// needed tells whether pictures are to be read into raw and worked on.
func (s *shape) needed() bool { return s.turns || s.tiles || s.swaps || s.deep > 0 }

// into makes of raw what is wanted.
func (s *shape) into(m *gocv.Mat) error {
	switch {
	case s.tiles && s.raw.Type() != gocv.MatTypeCV8UC1:
		return fmt.Errorf("a Bayer pattern of type %v: edged takes 8 bits", s.raw.Type())
	case s.tiles:
		return gocv.CvtColor(s.raw, m, s.bayer)
	case s.deep > 0 && s.raw.Type() == gocv.MatTypeCV16UC1:
		return s.raw.ConvertToWithParams(m, gocv.MatTypeCV8UC1, float32(s.deep), 0)
	case s.packed:
		return gocv.CvtColor(s.raw, m, gocv.ColorYUVToBGRUYVY)
	case s.swaps && s.raw.Type() == gocv.MatTypeCV8UC3:
		return gocv.CvtColor(s.raw, m, gocv.ColorBGRToRGB)
	case s.turns:
		return gocv.Rotate(s.raw, m, s.turn)
	}
	return s.raw.CopyTo(m)
}

func (s *shape) close() { s.raw.Close() }
