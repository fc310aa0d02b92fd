package rewrite

import (
	"fmt"
	"slices"
	"strings"

	"edged/model"
)

// Open sizes: a -1 in the signature of the input says that its Shape is a
// place-holder. Pads, maps and lengths follow from the size, so that nothing
// may be read off such a graph before it has one.

// Sized is m with the size h x w where its signature leaves height or width
// open, a batch of 1 where it leaves that open, and every shape that follows; m
// itself where nothing is open. m is not changed. The error is a *UsageError
// where there is no size to give it, a *Refusal where the graph does not hold
// together at that size.
func Sized(m *model.Model, size [2]int) (*model.Model, error) {
	axes, open, ok := m.OpenAxes()
	if !ok {
		return m, nil
	}
	g := m.Subgraphs[0]
	t := g.Tensors[g.Inputs[0]]
	shape := slices.Clone(t.Shape)
	for i := range axes {
		if !open[i] {
			continue
		}
		if size[i] < 1 {
			return nil, usagef("the input %s has the signature %s, no size: give it with --input HxW", g.TensorName(g.Inputs[0]), m.OpenSize())
		}
		shape[axes[i]] = int32(size[i])
	}
	if len(shape) == 4 && t.ShapeSignature[0] == -1 {
		shape[0] = 1
	}
	if !open[0] && !open[1] && slices.Equal(shape, t.Shape) {
		return m, nil
	}
	return withInput(m, shape)
}

// withInput is m at another shape of its input, and no dimension open.
func withInput(m *model.Model, shape []int32) (*model.Model, error) {
	c := m.Clone()
	g := c.Subgraphs[0]
	for _, t := range g.Tensors {
		t.ShapeSignature = nil
	}
	g.Tensors[g.Inputs[0]].Shape = shape
	if err := c.InferKnown(0); err != nil {
		return nil, &Refusal{Reason: fmt.Sprintf("at an input of %s the graph does not hold together: %s", model.FormatShape(shape), strings.TrimPrefix(err.Error(), "model: ")),
			Instead: "use a larger --input"}
	}
	return c, nil
}

// sizedLike is m at the size that dense's input has.
func sizedLike(m, dense *model.Model) (*model.Model, error) {
	axes, open, ok := m.OpenAxes()
	if !ok || len(dense.Subgraphs) == 0 || len(dense.Subgraphs[0].Inputs) != 1 {
		return m, nil
	}
	shape := dense.Subgraphs[0].Tensors[dense.Subgraphs[0].Inputs[0]].Shape
	axes = denseAxes(m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Shape, axes, shape)
	if (open[0] || open[1]) && len(shape) <= max(axes[0], axes[1]) {
		return nil, disprovefErr("the dense model's input of shape %s does not have the baseline's layout", model.FormatShape(shape))
	}
	var size [2]int
	for i, a := range axes {
		if a < len(shape) {
			size[i] = int(shape[a])
		}
	}
	return Sized(m, size)
}

// denseAxes are y and x of a dense net's input: of [1, h, w, c], or, in files
// of old, where the baseline has them.
func denseAxes(base []int32, axes [2]int, shape []int32) [2]int {
	old := len(base) == len(shape) && axes == [2]int{2, 3} && shape[1] == base[1] && shape[3] != base[1]
	if len(shape) != 4 || old {
		return axes
	}
	return [2]int{1, 2}
}

// SizedFile is the file of base at the size of dense's input where base's own is
// open, else base as it is: what an engine can be tried on.
func SizedFile(base, dense *model.Model, file []byte) ([]byte, error) {
	m, err := sizedLike(base, dense)
	if err != nil || m == base {
		return file, err
	}
	return m.Write()
}
