package stage

import (
	"slices"
	"testing"

	"edged"
	"edged/capture/belt"
	"edged/internal/config"
	"edged/internal/pipeline"
)

// metalOf is what a camera's rule on metal finds in the belt's truth.
func metalOf(t *testing.T, truth *edged.Mask, minArea int) []edged.Blob {
	t.Helper()
	cam := &config.Camera{Name: "c", Rules: []config.Rule{{Class: "metal", MinAreaPx: minArea}}}
	judge, err := NewRuler(cam, belt.Labels(), nil, func(Change) {}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &pipeline.Result{Mask: truth, Frame: &edged.Frame{W: belt.Default().W, H: belt.Default().H}}
	judge.Judge(r)
	if r.BlobsTotal != len(r.Blobs) {
		t.Fatalf("%d of %d blobs", len(r.Blobs), r.BlobsTotal)
	}
	return slices.Clone(r.Blobs)
}

// coarser samples a mask at each centre of a coarse grid.
func coarser(m *edged.Mask, stride, origin int) *edged.Mask {
	c := &edged.Mask{W: (m.W - origin + stride - 1) / stride, H: (m.H - origin + stride - 1) / stride}
	c.Stride, c.Pix = c.W, make([]byte, c.W*c.H)
	c.Grid.Stride, c.Grid.Origin = [2]float64{float64(stride), float64(stride)}, [2]float64{float64(origin), float64(origin)}
	for i := range c.Pix {
		c.Pix[i] = m.Pix[(i/c.W*stride+origin)*m.Stride+i%c.W*stride+origin]
	}
	return c
}

// Each part of the belt has a box within one mask position of its own, however
// coarse the mask; boxes do not leave the frame.
func TestBlobsOnTheBelt(t *testing.T) {
	c := belt.Default()
	c.Defects = 0
	scene, err := belt.NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []uint64{0, 40} {
		var m edged.Mask
		scene.Truth(k, &m)
		truth := metalOf(t, &m, 1000)
		if len(truth) < 2 {
			t.Fatalf("frame %d: %d parts", k, len(truth))
		}
		for _, grid := range [][2]int{{2, 1}, {4, 0}, {4, 2}, {8, 4}, {8, 7}} {
			got := metalOf(t, coarser(&m, grid[0], grid[1]), 1)
			for _, want := range truth {
				if !slices.ContainsFunc(got, func(b edged.Blob) bool { return alike(b, want, grid[0]) }) {
					t.Errorf("stride %d, origin %d, frame %d: no box like %+v in %+v", grid[0], grid[1], k, want, got)
				}
			}
			for _, b := range got {
				if b.X < 0 || b.Y < 0 || b.W < 1 || b.H < 1 || b.X+b.W > c.W || b.Y+b.H > c.H {
					t.Errorf("outside of the frame: %+v", b)
				}
			}
		}
	}
}

// alike tells whether each edge of two boxes differs by at most one position.
func alike(a, b edged.Blob, stride int) bool {
	near := func(a, b int) bool { return max(a-b, b-a) <= stride }
	return near(a.X, b.X) && near(a.Y, b.Y) && near(a.X+a.W, b.X+b.W) && near(a.Y+a.H, b.Y+b.H)
}
