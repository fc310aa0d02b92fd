package stage

import (
	"fmt"

	"edged"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/internal/zones"
)

// ZoneSight is what becomes of one zone on frames of some size.
type ZoneSight struct {
	Name   string
	Ruled  bool   // a rule names it
	Blind  string // why no position of the mask lies in it; empty: some do
	Partly string // what of it is not looked at; empty: nothing
}

// ZonesSeen holds the zones of a camera against a frame, of which the model sees a
// part, and against the model's mask where its file says enough of that.
func ZonesSeen(f *File, cam *config.Camera, frame *edged.Frame) ([]ZoneSight, error) {
	set, err := cam.ZoneSet()
	if err != nil || len(set.List()) == 0 {
		return nil, err
	}
	p, err := sighted(f, cam, frame)
	if err != nil {
		return nil, err
	}
	grid, h, w := maskOf(f, cam, p)
	var all []ZoneSight
	for _, z := range set.List() {
		s := ZoneSight{Name: z.Name, Ruled: ruled(cam, z.Name)}
		s.compare(&z, frame, p.Seen())
		if s.Blind == "" && h > 0 && z.On(&grid, h, w).Positions == 0 {
			s.Blind = fmt.Sprintf("it is so small that no position of the mask, %.3g pixels apart, lies in it", max(grid.Stride[0], grid.Stride[1]))
		}
		all = append(all, s)
	}
	return all, nil
}

// ruled tells whether a rule of the camera names a zone.
func ruled(cam *config.Camera, zone string) bool {
	for _, r := range cam.Rules {
		for _, name := range r.Zones {
			if name == zone {
				return true
			}
		}
	}
	return false
}

// compare holds a zone against the frame and the part of it that the model sees.
func (s *ZoneSight) compare(z *zones.Zone, f *edged.Frame, seen pipeline.Rect) {
	pixels := func(r pipeline.Rect) int {
		return z.On(&edged.Grid{Stride: [2]float64{1, 1}, Origin: [2]float64{float64(r.Y), float64(r.X)}}, r.H, r.W).Positions
	}
	w, h := f.Full()
	inside, looked := pixels(pipeline.Rect{W: w, H: h}), pixels(seen)
	switch {
	case inside == 0:
		s.Blind = fmt.Sprintf("it lies outside of the picture of %dx%d", w, h)
	case looked == 0:
		s.Blind = fmt.Sprintf("it lies outside of what the model sees, %dx%d at %d, %d", seen.W, seen.H, seen.X, seen.Y)
	case looked < inside:
		s.Partly = fmt.Sprintf("%.0f %% of it lie outside of what the model sees, %dx%d at %d, %d", 100*(1-float64(looked)/float64(inside)), seen.W, seen.H, seen.X, seen.Y)
	case reachesOver(z, w, h):
		s.Partly = fmt.Sprintf("it reaches over the edge of the picture of %dx%d", w, h)
	}
}

// reachesOver tells whether a corner lies outside of a picture.
func reachesOver(z *zones.Zone, w, h int) bool {
	for _, c := range z.Polygon {
		if c[0] < -0.5 || c[1] < -0.5 || c[0] > float64(w)+0.5 || c[1] > float64(h)+0.5 {
			return true
		}
	}
	return false
}

// maskOf is where the model's mask lies on the frames that p has been told of, and
// its rows and columns; none where the file alone does not tell.
func maskOf(f *File, cam *config.Camera, p *pipeline.Preparer) (g edged.Grid, h, w int) {
	manifest, err := f.Model.Manifest()
	if err != nil || p.Config().Fit == pipeline.Tile { // a map of its own for each tile
		return g, 0, 0
	}
	known, err := GatherFacts(manifest, cam)
	if err != nil {
		return g, 0, 0
	}
	s := f.Model.Subgraphs[0]
	for _, o := range s.Outputs {
		t := s.Tensors[o]
		if len(t.Shape) < 3 || t.Name != known.tensor && (known.tensor != "" || len(s.Outputs) > 1) {
			continue
		}
		h, w = int(t.Shape[1]), int(t.Shape[2])
		if cam.Rotate == 90 || cam.Rotate == 270 { // the mask is turned back
			return p.Place(known.grid, h, w), w, h
		}
		return p.Place(known.grid, h, w), h, w
	}
	return g, 0, 0
}
