package model

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
)

// OpDetectionPostProcess is the end of every SSD: box encodings [1,N,4 or more],
// class scores [1,N,classes] with or without a background in front, and anchors
// [N,4] become boxes, classes, scores and a number.
const OpDetectionPostProcess = "TFLite_Detection_PostProcess"

// DetectionOptions are its custom options.
type DetectionOptions struct {
	MaxDetections, MaxClasses, PerClass, Classes int
	Regular                                      bool // suppression class by class
	ScoreThreshold, IoUThreshold                 float32
	ScaleY, ScaleX, ScaleH, ScaleW               float32
}

// perClassStandard is how many boxes of a class go on where the file says nothing.
const perClassStandard = 100

// DetectionOptionsOf reads and checks them.
func DetectionOptionsOf(op *Operator) (DetectionOptions, error) {
	m, err := FlexMap(op.CustomOptions)
	if err != nil {
		return DetectionOptions{}, err
	}
	o := DetectionOptions{PerClass: perClassStandard, Regular: m["use_regular_nms"] != 0,
		ScoreThreshold: float32(m["nms_score_threshold"]), IoUThreshold: float32(m["nms_iou_threshold"]),
		ScaleY: float32(m["y_scale"]), ScaleX: float32(m["x_scale"]), ScaleH: float32(m["h_scale"]), ScaleW: float32(m["w_scale"])}
	if _, ok := m["detections_per_class"]; !ok {
		m["detections_per_class"] = perClassStandard
	}
	for key, at := range map[string]*int{"max_detections": &o.MaxDetections, "max_classes_per_detection": &o.MaxClasses,
		"detections_per_class": &o.PerClass, "num_classes": &o.Classes} {
		v := m[key]
		if !(v >= 1 && v <= 1<<20) || v != math.Trunc(v) {
			return o, malformed("%s is %g", key, v)
		}
		*at = int(v)
	}
	if !(o.IoUThreshold > 0 && o.IoUThreshold <= 1) {
		return o, malformed("nms_iou_threshold is %g: it must be above 0 and at most 1", o.IoUThreshold)
	}
	return o, nil
}

// Custom gives the options the form that files have.
func (o DetectionOptions) Custom() []byte {
	regular := 0.0
	if o.Regular {
		regular = 1
	}
	return flexNumbers(map[string]float64{"max_detections": float64(o.MaxDetections), "max_classes_per_detection": float64(o.MaxClasses),
		"detections_per_class": float64(o.PerClass), "num_classes": float64(o.Classes), "use_regular_nms": regular},
		map[string]float64{"nms_score_threshold": float64(o.ScoreThreshold), "nms_iou_threshold": float64(o.IoUThreshold),
			"y_scale": float64(o.ScaleY), "x_scale": float64(o.ScaleX), "h_scale": float64(o.ScaleH), "w_scale": float64(o.ScaleW)})
}

// flexNumbers writes a FlexBuffers map of integers and float32, all 4 bytes wide.
func flexNumbers(ints, floats map[string]float64) []byte {
	keys := slices.Sorted(maps.Keys(ints))
	keys = slices.Sorted(slices.Values(slices.Concat(keys, slices.Sorted(maps.Keys(floats)))))
	var b []byte
	at := map[string]int{}
	for _, k := range keys {
		at[k] = len(b)
		b = append(append(b, k...), 0)
	}
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	word := func(v uint32) { b = binary.LittleEndian.AppendUint32(b, v) }
	word(uint32(len(keys)))
	first := len(b)
	for _, k := range keys {
		word(uint32(len(b) - at[k]))
	}
	word(uint32(len(b) - first))
	word(4)
	word(uint32(len(keys)))
	values := len(b)
	const wide = 2 // log2 of the width, in a type's low bits
	var types []byte
	for _, k := range keys {
		if v, ok := ints[k]; ok {
			word(uint32(int32(v)))
			types = append(types, flexInt<<2|wide)
		} else {
			word(math.Float32bits(float32(floats[k])))
			types = append(types, flexFloat<<2|wide)
		}
	}
	b = append(b, types...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	word(uint32(len(b) - values))
	return append(b, flexMap<<2|wide, 4)
}

func shapeDetectionPostProcess(o *opShape) ([]dims, error) {
	opt, err := DetectionOptionsOf(o.op)
	if err != nil {
		return nil, err
	}
	n := int64(opt.MaxDetections) * int64(opt.MaxClasses)
	return []dims{{1, n, 4}, {1, n}, {1, n}, {1}}, nil
}

// shapeNonMaxSuppression serves both versions: places, for V5 their scores, and
// how many there are.
func shapeNonMaxSuppression(o *opShape) ([]dims, error) {
	most, err := o.scalar(2)
	if err != nil {
		return nil, err
	}
	if most < 0 {
		return nil, malformed("at most %d boxes", most)
	}
	if len(o.op.Outputs) == 3 {
		return []dims{{most}, {most}, {}}, nil
	}
	return []dims{{most}, {}}, nil
}
