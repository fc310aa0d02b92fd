// Package fact has the rules on what must be known about a model and its view:
// each once, for the manifest that carries it, the config that tells it and the
// pipeline that goes by it.
package fact

import (
	"math"
	"slices"

	"edged/internal/fault"
)

// Rotate is a quarter turn or none.
func Rotate(degrees int) error {
	if degrees < 0 || degrees > 270 || degrees%90 != 0 {
		return fault.Newf("", "rotate", "rotate %d: use 0, 90, 180 or 270 degrees clockwise", degrees)
	}
	return nil
}

// ROI is a rectangle of the frame; whether the frame is as large shows later.
func ROI(x, y, w, h int) error {
	if x < 0 || y < 0 || w < 1 || h < 1 {
		return fault.Newf("", "roi", "roi %v: x and y are at least 0, width and height at least 1", []int{x, y, w, h})
	}
	return nil
}

// Mean has finite numbers, one or one for each channel; 0 channels: it is not
// known yet how many there are.
func Mean(list []float64, channels int) error { return perChannel("mean", list, channels) }

// Scale is as Mean, and not 0.
func Scale(list []float64, channels int) error {
	if err := perChannel("scale", list, channels); err != nil {
		return err
	}
	if slices.Contains(list, 0) {
		return fault.Newf("", "scale", "scale is 0: every picture would look the same")
	}
	return nil
}

func perChannel(key string, list []float64, channels int) error {
	if n := len(list); n != 1 && n != channels && (channels != 0 || n != 3) {
		return fault.Newf("", key, "%s has %d numbers: give one, or one per channel", key, n)
	}
	for _, v := range list {
		if !finite(v) {
			return fault.Newf("", key, "%s holds %v: must be finite numbers", key, v)
		}
	}
	return nil
}

// Range computes what black and white become, as an engine's input would hold
// them: mean and scale may each be finite and make infinities. Both hold one
// number or more.
func Range(mean, scale []float64) error {
	for i := range max(len(mean), len(scale)) {
		m64, s64 := mean[i%len(mean)], scale[i%len(scale)]
		m, s := float32(m64), float32(s64)
		for _, v := range []float32{-m * s, (255 - m) * s, 255 * s} {
			if !finite(float64(v)) {
				return fault.Newf("", "scale", "mean %v and scale %v make %v of a pixel: correct prepare (or the manifest's input), the model was trained on finite numbers", m64, s64, v)
			}
		}
	}
	return nil
}

// Threshold is a probability that can be reached and missed.
func Threshold(v float64) error {
	if !(v > 0 && v < 1) {
		return fault.Newf("", "threshold", "threshold %v: it is a probability between 0 and 1", v)
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
