package model

import (
	"maps"
	"math"
	"math/rand/v2"
	"testing"
)

// TestFlexMapOfBytes: {"a": -3, "b": true} as the C++ library lays it out, every
// value one byte wide.
func TestFlexMapOfBytes(t *testing.T) {
	narrow := []byte{
		'a', 0, 'b', 0, // 0, 2: keys
		2,    // 4: number of keys
		5, 4, // 5, 6: keys, so far behind
		2, 1, // 7: where the keys are, 8: how wide
		2,      // 9: number of values
		253, 1, // 10, 11: -3 and true
		flexInt << 2, flexBool << 2, // 12, 13: their types
		4, flexMap << 2, 1, // 14: the root, 4 back
	}
	got, err := FlexMap(narrow)
	if err != nil || !maps.Equal(got, map[string]float64{"a": -3, "b": 1}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFlexMapReadsWhatIsWritten(t *testing.T) {
	want := DetectionOptions{MaxDetections: 10, MaxClasses: 1, PerClass: 100, Classes: 90, Regular: true, ScoreThreshold: 1e-8, IoUThreshold: 0.6,
		ScaleY: 10, ScaleX: 10, ScaleH: 5, ScaleW: 5}
	got, err := DetectionOptionsOf(&Operator{CustomOptions: want.Custom()})
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestDetectionOptions: what TFLite would divide by, allocate or never end with.
func TestDetectionOptions(t *testing.T) {
	good := DetectionOptions{MaxDetections: 10, MaxClasses: 1, PerClass: 100, Classes: 90, IoUThreshold: 0.6, ScaleY: 10, ScaleX: 10, ScaleH: 5, ScaleW: 5}
	for name, spoil := range map[string]func(o *DetectionOptions){
		"no detections":     func(o *DetectionOptions) { o.MaxDetections = 0 },
		"negative classes":  func(o *DetectionOptions) { o.MaxClasses = -1 },
		"too many":          func(o *DetectionOptions) { o.MaxDetections = 1 << 30 },
		"overlap of 0":      func(o *DetectionOptions) { o.IoUThreshold = 0 },
		"overlap above 1":   func(o *DetectionOptions) { o.IoUThreshold = 1.5 },
		"overlap no number": func(o *DetectionOptions) { o.IoUThreshold = float32(math.NaN()) },
	} {
		bad := good
		spoil(&bad)
		if _, err := DetectionOptionsOf(&Operator{CustomOptions: bad.Custom()}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestFlexMapDamaged: any bytes give an error or a map, never a panic.
func TestFlexMapDamaged(t *testing.T) {
	good := DetectionOptions{MaxDetections: 10, MaxClasses: 1, PerClass: 1, Classes: 3}.Custom()
	r := rand.New(rand.NewPCG(1, 1))
	for range 20000 {
		b := append([]byte{}, good[:r.IntN(len(good)+1)]...)
		for range 1 + r.IntN(4) {
			if len(b) > 0 {
				b[r.IntN(len(b))] = byte(r.Uint32())
			}
		}
		_, _ = FlexMap(b)
	}
}

func FuzzFlexMap(f *testing.F) {
	f.Add(DetectionOptions{MaxDetections: 10, MaxClasses: 1, PerClass: 1, Classes: 3}.Custom())
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := FlexMap(b); err == nil && len(m) > len(b) {
			t.Errorf("%d entries in %d bytes", len(m), len(b))
		}
	})
}
