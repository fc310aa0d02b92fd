//go:build opencv && cgo

package opencv

import "gocv.io/x/gocv"

// fourCC spells a codec's code, empty when there is none.
func fourCC(v float64) string {
	n := uint32(int64(v))
	b := []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}
	for _, c := range b {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	return string(b)
}

func backendName(api gocv.VideoCaptureAPI) string {
	switch api {
	case gocv.VideoCaptureV4L2:
		return "V4L2"
	case gocv.VideoCaptureGstreamer:
		return "GStreamer"
	}
	return "FFmpeg"
}
