package stage

import (
	"errors"
	"testing"

	"edged"
	"edged/capture/belt"
	"edged/fallback"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
)

func bundled(t *testing.T, name string) *model.Model {
	t.Helper()
	b, err := nets.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// lookThrough is what a camera's model of one size says of a frame.
func lookThrough(t *testing.T, net string, o rewrite.Options, cam config.Camera, f *edged.Frame) (edged.Mask, *pipeline.Stage, error) {
	t.Helper()
	m := bundled(t, net)
	r, err := rewrite.Rewrite(m, "00", o)
	if err != nil {
		t.Fatal(err)
	}
	data, err := r.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	cam.Name, cam.Rules = "c", []config.Rule{{Class: "pit", MinScore: 0.1}} // scores are kept
	s, err := Open(&File{Name: "net", Data: data, Model: r.Model}, &cam, func(_ string, b []byte, o edged.Options) (edged.Engine, error) { return fallback.Open(b, o) }, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Engine.Close() })
	mask, err := s.Look(f)
	if err != nil {
		return edged.Mask{}, s, err
	}
	return *mask, s, nil
}

// beltFrame is a picture of the belt, which is not all of one class.
func beltFrame(t *testing.T, w, h int) *edged.Frame {
	t.Helper()
	c := belt.Default()
	c.W, c.H = w, h
	scene, err := belt.NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	f := &edged.Frame{}
	scene.Render(40, f, nil)
	return f
}

// differing counts the positions in which part differs from the crop of whole that
// has its grid; -1: the grids do not meet.
func differing(whole, part *edged.Mask) (n int) {
	var at [2]int
	for i := range at {
		d := (part.Grid.Origin[i] - whole.Grid.Origin[i]) / whole.Grid.Stride[i]
		if at[i] = int(d); d != float64(at[i]) || part.Grid.Stride != whole.Grid.Stride || at[i] < 0 {
			return -1
		}
	}
	if at[0]+part.H > whole.H || at[1]+part.W > whole.W {
		return -1
	}
	for y := range part.H {
		for x := range part.W {
			if part.Pix[y*part.Stride+x] != whole.Pix[(y+at[0])*whole.Stride+x+at[1]] {
				n++
			}
		}
	}
	return n
}

// TestTiledMasksAreTheWholeFrames: however it is turned, and whatever part of it is
// looked at, the mask that tiles make is the whole frame's, in its place.
func TestTiledMasksAreTheWholeFrames(t *testing.T) {
	for _, net := range []struct {
		name string
		file string
		tile rewrite.Options
		size [2]int // of the frame: as the net's pads want it
	}{
		{"valid", nets.ValidInt8, rewrite.Options{Input: [2]int{70, 90}, OutputStride: [2]int{2, 2}}, [2]int{151, 187}},
		{"padded", nets.SameInt8, rewrite.Options{Input: [2]int{160, 176}, OutputStride: [2]int{4, 4}, Contract: rewrite.Frame}, [2]int{160 + 2*32, 176 + 32}},
	} {
		for _, rotate := range []int{0, 90, 180, 270} {
			h, w := net.size[0], net.size[1]
			if rotate%180 != 0 {
				h, w = w, h
			}
			f := beltFrame(t, w, h)
			o := net.tile
			o.Input = net.size
			whole, _, err := lookThrough(t, net.file, o, config.Camera{Rotate: rotate}, f)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[byte]bool{}
			for _, id := range whole.Pix {
				seen[id] = true
			}
			if len(seen) < 2 {
				t.Fatal("the whole mask is of one class: nothing is compared")
			}
			for _, roi := range [][]int{nil, {5, 9, 111, 90}, {w - 100, h - 95, 100, 95}} {
				part, s, err := lookThrough(t, net.file, net.tile, config.Camera{Rotate: rotate, ROI: roi, Fit: "tile"}, f)
				if err != nil {
					t.Fatalf("%s, turned by %d, roi %v: %v", net.name, rotate, roi, err)
				}
				if n := differing(&whole, &part); n != 0 || part.W*part.H < 40 || roi == nil && len(part.Pix) != len(whole.Pix) {
					t.Errorf("%s, turned by %d, roi %v: %d positions of %dx%d differ from those of the whole frame, %dx%d", net.name, rotate, roi, n, part.H, part.W, whole.H, whole.W)
				}
				if at := s.Prepare.Seen(); roi != nil && (at.X > roi[0] || at.Y > roi[1] || at.X+at.W < roi[0]+roi[2] || at.Y+at.H < roi[1]+roi[3] || at.W > roi[2]+8 || at.H > roi[3]+8) {
					t.Errorf("%s, turned by %d: roi %v was rounded to %v", net.name, rotate, roi, at)
				}
			}
		}
	}
}

// A frame that is smaller than a tile is refused, and a model without a receptive
// field, which no tile can be laid by.
func TestTilesRefuse(t *testing.T) {
	o := rewrite.Options{Input: [2]int{70, 90}, OutputStride: [2]int{2, 2}}
	if _, _, err := lookThrough(t, nets.ValidInt8, o, config.Camera{Fit: "tile"}, beltFrame(t, 89, 200)); !errors.Is(err, pipeline.ErrTooSmall) {
		t.Errorf("a narrow frame: %v", err)
	}
	if _, _, err := lookThrough(t, nets.ValidInt8, o, config.Camera{Fit: "tile", ROI: []int{0, 0, 38, 80}}, beltFrame(t, 100, 200)); !errors.Is(err, pipeline.ErrTooSmall) {
		t.Errorf("a roi that holds no field: %v", err)
	}
	m := bundled(t, nets.ValidInt8)
	if _, err := netOf(&File{Model: m}); err == nil {
		t.Error("a net that answers once is cut into tiles")
	}
}
