package stage

import (
	"fmt"
	"slices"

	"edged/internal/config"
	"edged/model"
)

// RewriteFirst is why no camera, and no mask, can use the model at path as it
// is, though its dense net can be used: it answers once for a patch, or takes
// planes; nil where neither is so. size is the picture that it is to look at,
// zero where that is not known.
func RewriteFirst(path string, m *model.Model, size [2]int) error {
	f, err := m.Manifest()
	if err != nil || f != nil && f.Form != "" || len(m.Subgraphs) == 0 || len(m.Subgraphs[0].Inputs) != 1 {
		return nil // dense already, or no picture's
	}
	g := m.Subgraphs[0]
	in := g.Tensors[g.Inputs[0]].Shape
	if len(in) != 4 || in[0] != 1 {
		return nil
	}
	colours := func(n int32) bool { return n == 1 || n == 3 }
	planes := !colours(in[3]) && colours(in[1])
	h, w := in[1], in[2]
	if planes {
		h, w = in[2], in[3]
	}
	command := fmt.Sprintf("rewrite it first: edged rewrite %s -o DENSE --input %s", path, inputText(size, h, w))
	switch {
	case !slices.ContainsFunc(g.Outputs, func(t int32) bool { return !onePosition(g.Tensors[t].Shape) }):
		return fmt.Errorf("the model answers once for a patch of %dx%d, and no mask comes of that; %s", h, w, command)
	case planes:
		return fmt.Errorf("the model's input %s takes planes, one colour after the other, and a picture has its colours in every pixel; %s", model.FormatShape(in), command)
	}
	return nil
}

// onePosition reports whether an output is one list of classes.
func onePosition(shape []int32) bool {
	if len(shape) == 0 || len(shape) == 3 {
		return false // three dimensions are a map of class ids
	}
	return !slices.ContainsFunc(shape[:len(shape)-1], func(n int32) bool { return n != 1 })
}

// inputText is what to say for --input: the picture's size, where it holds a patch.
func inputText(size [2]int, h, w int32) string {
	if size[0] < int(h) || size[1] < int(w) {
		return fmt.Sprintf("HxW, the size of the picture that it is to look at, like %dx%d", max(480, h), max(640, w))
	}
	return fmt.Sprintf("%dx%d", size[0], size[1])
}

// pictureOf is the size that a camera's roi has, zero where it has none.
func pictureOf(cam *config.Camera) (size [2]int) {
	if len(cam.ROI) == 4 {
		size = [2]int{cam.ROI[3], cam.ROI[2]}
	}
	if cam.Rotate == 90 || cam.Rotate == 270 {
		size[0], size[1] = size[1], size[0]
	}
	return size
}
