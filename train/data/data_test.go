package data

import (
	"bytes"
	"errors"
	"testing"

	"edged"
	"edged/capture/belt"
)

func collect(t *testing.T, p Plan) []Crop {
	t.Helper()
	var out []Crop
	err := p.Each(func(c *Crop) error {
		d := *c
		d.Pix, d.Truth = bytes.Clone(c.Pix), bytes.Clone(c.Truth)
		out = append(out, d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCropsFollowFromThePlan(t *testing.T) {
	p := Plan{Seed: 5, Belts: 2, Frames: 2, Clear: 2, Near: 1, Side: 33}
	a, b := collect(t, p), collect(t, p)
	if len(a) != len(b) || len(a) < 2*2*2*3 {
		t.Fatalf("%d crops, then %d", len(a), len(b))
	}
	for i := range a {
		if !bytes.Equal(a[i].Pix, b[i].Pix) || !bytes.Equal(a[i].Truth, b[i].Truth) {
			t.Fatalf("crop %d differs from run to run", i)
		}
	}
	p.Belts = 1
	c := collect(t, p)
	for i := range c {
		if !bytes.Equal(a[i].Pix, c[i].Pix) {
			t.Fatalf("crop %d depends on how many belts follow", i)
		}
	}
}

func TestCropsSayWhatTheyAre(t *testing.T) {
	p := Plan{Seed: 11, Belts: 3, Frames: 2, Clear: 2, Near: 2, Side: 15}
	var clear, near [belt.Classes]int
	for i, c := range collect(t, p) {
		mid := c.Side / 2
		if got := c.Truth[mid*c.Side+mid]; got != c.Class {
			t.Fatalf("crop %d: centre %d, class %d", i, got, c.Class)
		}
		alone := true
		for y := mid - Far; y <= mid+Far; y++ {
			for x := mid - Far; x <= mid+Far; x++ {
				alone = alone && c.Truth[y*c.Side+x] == c.Class
			}
		}
		if alone != c.Clear {
			t.Fatalf("crop %d: clear %v, its truth says %v", i, c.Clear, alone)
		}
		if c.Clear {
			clear[c.Class]++
		} else {
			near[c.Class]++
		}
	}
	for c := range clear {
		if clear[c] == 0 || near[c] == 0 {
			t.Errorf("%s: %d clear, %d near", belt.Labels()[c], clear[c], near[c])
		}
	}
}

// A crop is a window of the frame, red first.
func TestCut(t *testing.T) {
	cfg := belt.Default()
	scene, err := belt.NewScene(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var f edged.Frame
	var m edged.Mask
	scene.Render(3, &f, &m)
	c := Crop{Side: 5, Pix: make([]byte, 75), Truth: make([]uint8, 25)}
	c.cut(&f, &m, place{x: 100, y: 60})
	for y := range 5 {
		for x := range 5 {
			src := f.Pix[(58+y)*f.Stride+3*(98+x):]
			dst := c.Pix[3*(5*y+x):]
			if dst[0] != src[2] || dst[1] != src[1] || dst[2] != src[0] {
				t.Fatalf("(%d,%d): RGB %v of BGR %v", x, y, dst[:3], src[:3])
			}
			if c.Truth[5*y+x] != m.Pix[(58+y)*m.Stride+98+x] {
				t.Fatalf("(%d,%d): truth of another pixel", x, y)
			}
		}
	}
}

func TestEachStopsAtAnError(t *testing.T) {
	stop := errors.New("enough")
	n := 0
	err := Plan{Seed: 1, Belts: 1, Frames: 1, Clear: 3, Side: 9}.Each(func(*Crop) error {
		n++
		return stop
	})
	if !errors.Is(err, stop) || n != 1 {
		t.Fatalf("%d crops, %v", n, err)
	}
	for _, side := range []int{8, 3} {
		if (Plan{Side: side}).Each(nil) == nil {
			t.Errorf("side %d was taken", side)
		}
	}
}

func TestSeedsNeverMeet(t *testing.T) {
	if TrainSeed+100_000 > TestSeed {
		t.Fatal("training seeds reach into the seeds that nets are judged by")
	}
}
