package eval

import (
	"math"
	"slices"
	"time"
)

// Report is everything that an evaluation found. It is what --json prints.
type Report struct {
	Images    int           `json:"images"`
	Source    string        `json:"source"`
	Tolerance int           `json:"boundary_tolerance_px"`
	Engine    string        `json:"engine"`
	Models    []ModelReport `json:"models"`
}

// ModelReport is one net, applied in every way.
type ModelReport struct {
	Model      string     `json:"model"`
	Labels     []string   `json:"labels"`
	Patch      [2]int     `json:"patch"`  // y, x, input pixels
	Stride     [2]int     `json:"stride"` // total, y, x
	Contract   string     `json:"contract"`
	PixelShare float64    `json:"pixel_share"` // of the frames' pixels; the others lack an answer in some way
	ClassShare []float64  `json:"class_share"` // of the scored pixels, true classes
	Ways       []WayScore `json:"ways"`
}

// WayScore is one row of the table. A nil number was not measured or does not
// exist; MarshalJSON of a pointer writes it as null.
type WayScore struct {
	Way           string     `json:"way"` // baseline, naive, patches, equivalent
	OutputStride  int        `json:"output_stride"`
	Upsample      string     `json:"upsample,omitempty"`
	PixelAccuracy *float64   `json:"pixel_accuracy"`
	IoU           []*float64 `json:"iou"` // in the order of labels
	MIoU          *float64   `json:"miou"`
	BoundaryF     *float64   `json:"boundary_f"`
	LatencyMS     float64    `json:"latency_ms"`               // median time of Run for one frame, of its largest size
	MACs          int64      `json:"macs"`                     // of one frame
	MemoryBytes   int64      `json:"memory_bytes"`             // constants and live tensors
	PixelsScored  uint64     `json:"pixels_scored"`            // over all images
	Extrapolated  bool       `json:"extrapolated"`             // latency is that of one patch times their number
	EqualToDense  *float64   `json:"equal_to_dense,omitempty"` // patches: share of classes that the equivalent net at stride 1 gives too
	DenseMIoU     *float64   `json:"dense_miou,omitempty"`     // patches: mIoU of the equivalent net at stride 1 on the same pixels
}

// number drops a NaN.
func number(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// fill takes over what s counted.
func (w *WayScore) fill(s *Score, borders bool) {
	w.PixelAccuracy, w.MIoU = number(s.PixelAccuracy()), number(s.MeanIoU())
	if borders {
		w.BoundaryF = number(s.MeanBoundaryF())
	}
	for c := range s.classes {
		w.IoU = append(w.IoU, number(s.IoU(c)))
	}
	w.PixelsScored = s.Pixels()
}

// median of at least one duration, in milliseconds.
func median(times []time.Duration) float64 {
	if len(times) == 0 {
		return 0
	}
	s := slices.Clone(times)
	slices.Sort(s)
	mid := s[len(s)/2]
	if len(s)%2 == 0 {
		mid = (mid + s[len(s)/2-1]) / 2
	}
	return float64(mid) / float64(time.Millisecond)
}
