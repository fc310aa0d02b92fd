package eval

import (
	"errors"
	"fmt"
	"slices"

	"edged/model"
)

// Naive is what one gets who wants a denser output and just removes the strides of
// a patch classifier: every stride becomes 1, nothing is dilated, the weights stay,
// and every layer behind a removed stride looks at the wrong distance. The result
// takes smaller patches, of the size at which its head sees as many places as m's
// does. m is left as it is.
func Naive(m *model.Model) (*model.Model, error) {
	want := headInput(m)
	m = m.Clone()
	m.Metadata = nil // what the manifest says of the grid is no longer true
	g := m.Subgraphs[0]
	for _, op := range g.Operators {
		if w, ok := model.WindowOf(m, g, op); ok {
			w.Stride = [2]int{1, 1}
			w.Set(op)
		}
	}
	input := g.Tensors[g.Inputs[0]]
	for size := int32(1); size <= max(input.Shape[1], input.Shape[2]); size++ {
		try := m.Clone()
		x := try.Subgraphs[0].Tensors[g.Inputs[0]]
		x.Shape = []int32{1, size, size, input.Shape[3]}
		x.ShapeSignature = nil
		if try.InferShapes(0) == nil && slices.Equal(headInput(try), want) {
			return try, nil
		}
	}
	return nil, fmt.Errorf("eval: naive net: no patch gives its head the %v it was trained for", want)
}

// headInput is the shape of the map where the head starts: the input of the first
// operator that ends the map, else the output.
func headInput(m *model.Model) []int32 {
	g := m.Subgraphs[0]
	for _, op := range g.Operators {
		switch m.Code(op).Builtin {
		case model.OpReshape, model.OpSqueeze, model.OpMean, model.OpFullyConnected:
			return g.Tensors[op.Inputs[0]].Shape
		}
	}
	return g.Tensors[g.Outputs[0]].Shape
}

// checkHead refuses what is no patch classifier.
func checkHead(m *model.Model, labels int) error {
	g := m.Subgraphs[0]
	if len(g.Inputs) != 1 || len(g.Outputs) != 1 {
		return errors.New("it must have one input and one output")
	}
	if in := g.Tensors[g.Inputs[0]].Shape; len(in) != 4 || in[0] != 1 {
		return fmt.Errorf("its input has shape %v: want one picture, [1, rows, columns, channels]", in)
	}
	n := 1
	for _, d := range g.Tensors[g.Outputs[0]].Shape {
		n *= int(d)
	}
	if n != labels && !(n == 1 && labels == 2) {
		return fmt.Errorf("it gives %d scores for %d labels: eval compares patch classifiers, one score a class", n, labels)
	}
	return nil
}
