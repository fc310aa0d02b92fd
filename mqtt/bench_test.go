package mqtt

import (
	"testing"
	"time"

	"edged"
)

// BenchmarkPublish is what publishing costs a camera's loop: a mask of one
// position per pixel with some blobs, packed, and its result, both queued.
func BenchmarkPublish(b *testing.B) {
	for _, encoding := range []string{EncodingPNG, EncodingZstd} {
		b.Run(encoding, func(b *testing.B) {
			c := deaf(b, func(cfg *Config) { cfg.Encoding = encoding })
			m := blobs(602, 442)
			r := &Result{TS: Time{time.Now()}, Classes: make([]Class, 5), Model: "dense.tflite", Verdict: "OK"}
			b.ReportAllocs()
			for b.Loop() {
				r.Seq++
				if err := c.Publish("cam", r, m); err != nil {
					b.Fatal(err)
				}
				for m := c.next(); m != nil; m = c.next() {
					c.confirm(m)
				}
			}
		})
	}
}

// blobs is a mask with discs on it.
func blobs(w, h int) *edged.Mask {
	m := &edged.Mask{Pix: make([]byte, w*h), Stride: w, W: w, H: h}
	for i := range m.Pix {
		x, y := i%w%150-75, i/w%110-55
		if x*x+y*y < 900+i%7*20 {
			m.Pix[i] = 1 + byte(i/w/110)
		}
	}
	return m
}
