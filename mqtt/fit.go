package mqtt

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// degradedResult counts results of which something was left out.
const degradedResult = "result"

// What a result may lack, by the key: Result.LeftOut.
const (
	leftBlobs   = "blobs"
	leftClasses = "classes"
	leftReasons = "reasons"
)

// shrink leaves more and more out of r until its payload has at most limit
// bytes, in this order: blobs, the smallest first; classes without a position;
// reasons but the first; the classes with the fewest positions; every reason. r's
// own slices are not changed. What cannot shrink any more is returned as it is.
func shrink(r *Result, limit int) ([]byte, error) {
	body, err := json.Marshal(r)
	for _, less := range []func(*Result) bool{fewerBlobs, noEmptyClasses, fewerReasons, fewerClasses, noReasons} {
		for err == nil && len(body) > limit && less(r) {
			body, err = json.Marshal(r)
		}
	}
	return body, err
}

func (r *Result) lacks(key string) {
	if !slices.Contains(r.LeftOut, key) {
		r.LeftOut = append(slices.Clip(r.LeftOut), key)
	}
}

func fewerBlobs(r *Result) bool {
	if len(r.Blobs) == 0 {
		return false
	}
	r.lacks(leftBlobs)
	r.Blobs = r.Blobs[:len(r.Blobs)/2]
	return true
}

func noEmptyClasses(r *Result) bool {
	there := func(c Class) bool { return c.Px == 0 }
	if !slices.ContainsFunc(r.Classes, there) {
		return false
	}
	r.lacks(leftClasses)
	r.Classes = slices.DeleteFunc(slices.Clone(r.Classes), there)
	return true
}

func fewerReasons(r *Result) bool {
	if len(r.Reasons) < 2 {
		return false
	}
	r.lacks(leftReasons)
	r.Reasons = r.Reasons[:(len(r.Reasons)+1)/2]
	return true
}

func fewerClasses(r *Result) bool {
	if len(r.Classes) == 0 {
		return false
	}
	r.lacks(leftClasses)
	largest := slices.SortedStableFunc(slices.Values(r.Classes), func(a, b Class) int { return cmp.Compare(b.Px, a.Px) })[:len(r.Classes)/2]
	slices.SortFunc(largest, func(a, b Class) int { return cmp.Compare(a.ID, b.ID) })
	r.Classes = largest
	return true
}

func noReasons(r *Result) bool {
	if len(r.Reasons) == 0 {
		return false
	}
	r.lacks(leftReasons)
	r.Reasons = []Why{}
	return true
}

// fit is r's payload, with something left out where it is over the limit. The
// first time a camera's results do not fit an event tells.
func (c *Client) fit(cam string, k *camera, r *Result) ([]byte, error) {
	limit := min(c.cfg.MaxPayload, int(c.limit.Load()))
	s := *r
	body, err := shrink(&s, limit)
	if err != nil {
		return nil, fmt.Errorf("mqtt: result of camera %s: %w", cam, err)
	}
	if s.LeftOut == nil {
		return body, nil
	}
	c.degraded(degradedResult)
	if k.told {
		return body, nil
	}
	k.told = true
	return body, c.Event(cam, Event{Kind: EventFault, Message: fmt.Sprintf(
		"results are over the limit of %d bytes: %s are left out, as left_out says; raise max_payload", limit, strings.Join(s.LeftOut, ", "))})
}

// LargestResult is how many bytes a camera's largest result has: each class and
// each reason there, as many blobs as are listed, names of the longest.
func LargestResult(model, engine string, classes []string, reasons []Why) int {
	longest := slices.MaxFunc(append(slices.Clone(classes), ""), func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	total := math.MaxInt32
	r := Result{
		Schema: Schema, Seq: math.MaxInt64, TS: Time{time.Now()}, Frame: Size{65535, 65535}, ROI: Rect{65535, 65535, 65535, 65535}, Fit: "resize",
		FrameAgeMS: 99999.999, InferMS: 99999.999, Model: model, Engine: engine, Certificate: "proved", Verdict: strings.Repeat("x", 32), Reasons: reasons,
		Mask:   &MaskRef{Topic: strings.Repeat("x", 200), Encoding: EncodingZstd, W: 65535, H: 65535, Bytes: math.MaxInt32, Stride: [2]float64{0.123456789, 0.123456789}, Origin: [2]float64{0.123456789, 0.123456789}},
		PartID: strings.Repeat("x", maxTransaction), BlobsTotal: &total, File: strings.Repeat("x", 255),
		Line: &Line{math.MaxInt64, 65535, strings.Repeat("x", 64), true, true, true}, Quality: &Quality{Dark: 0.123456789012, Bright: 0.123456789012, Contrast: 123.456789012, Blur: 12345.6789012, Alike: math.MaxInt32},
	}
	for i, name := range classes {
		r.Classes = append(r.Classes, Class{ID: i, Name: name, Px: math.MaxInt32, Ratio: 0.12345678901234567})
	}
	for range MaxBlobs {
		r.Blobs = append(r.Blobs, Blob{Class: longest, Zone: strings.Repeat("x", 64), X: 65535, Y: 65535, W: 65535, H: 65535, Px: math.MaxInt32, Score: 0.1234567890123456, Cut: true})
	}
	body, err := json.Marshal(r)
	if err != nil {
		panic("BUG: " + err.Error()) // finite numbers and strings
	}
	return len(body)
}
