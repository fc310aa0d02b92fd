package stage

import (
	"fmt"

	"edged"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/internal/tiles"
)

// Sight is the part of a frame that a camera's model sees, told by the model's file
// alone: nothing is run. An error says why such frames would be refused.
func Sight(f *File, cam *config.Camera, frame *edged.Frame) (pipeline.Rect, error) {
	p, err := sighted(f, cam, frame)
	if err != nil {
		return pipeline.Rect{}, err
	}
	return p.Seen(), nil
}

// sighted is a Preparer that has been told of such frames and writes no input.
func sighted(f *File, cam *config.Camera, frame *edged.Frame) (*pipeline.Preparer, error) {
	g := f.Model.Subgraphs[0]
	if len(g.Inputs) != 1 {
		return nil, fmt.Errorf("model %s has %d inputs: a camera feeds exactly one", f.Name, len(g.Inputs))
	}
	if open := f.Model.OpenSize(); open != "" {
		return nil, fmt.Errorf("model %s: %w", f.Name, NoSize(open))
	}
	spec := edged.Spec{Type: edged.Float32}
	for _, d := range g.Tensors[g.Inputs[0]].Shape {
		spec.Shape = append(spec.Shape, int(d))
	}
	known := Facts{order: edged.BGR, mean: []float64{0}, scale: []float64{1}} // where it looks depends on none of these
	if len(spec.Shape) == 4 && spec.Shape[3] == 1 {
		known.order = edged.Gray
	}
	pc := prepareConfig(&known, cam)
	if cam.Line != nil { // rows of any number
		pc = pc.Strips()
		if len(spec.Shape) == 4 {
			spec.Shape[1] = frame.H
		}
	}
	if pc.Fit == pipeline.Tile {
		var err error
		if pc.Net, err = netOf(f); err != nil {
			return nil, fmt.Errorf("model %s: fit = \"tile\": %w", f.Name, err)
		}
	}
	p, err := pipeline.NewPreparer(pc, spec)
	if err != nil {
		return nil, err
	}
	if err := p.Fits(frame); err != nil {
		return nil, err
	}
	return p, nil
}

// netOf is the model of a file along y and x, by its map.
func netOf(f *File) (tiles.Net, error) {
	manifest, err := f.Model.Manifest()
	if err != nil {
		return tiles.Net{}, err
	}
	g := f.Model.Subgraphs[0]
	for _, t := range g.Outputs {
		if manifest != nil && manifest.Output.Tensor != "" && g.Tensors[t].Name != manifest.Output.Tensor {
			continue
		}
		var shape []int
		for _, d := range g.Tensors[t].Shape {
			shape = append(shape, int(d))
		}
		return tiles.NetOf(f.Model, shape)
	}
	return tiles.Net{}, fmt.Errorf("the model has no output %q", manifest.Output.Tensor)
}
