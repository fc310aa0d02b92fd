package daemon

import (
	"edged/capture"
	"edged/internal/config"
	"edged/internal/pipeline"
)

// enough is how coarse the pictures of a camera may be decoded. Only what is resized
// in any case may be: a crop is of the camera's own pixels. Every pixel is needed too
// where limits of quality were learned from whole pictures, for a shadow, whose input
// may be larger, of parts, of which none may be refused when the model changes, and
// where pictures are kept as evidence.
func enough(cam *config.Camera, s *pipeline.Stage, kept bool) capture.Enough {
	roi, w, h, ok := s.Prepare.Enough()
	if !ok || kept || cam.Decode == "full" || cam.Quality != nil || cam.Shadow != "" || cam.Triggered() {
		return capture.Enough{}
	}
	return capture.Enough{ROI: [4]int{roi.X, roi.Y, roi.W, roi.H}, W: w, H: h}
}
