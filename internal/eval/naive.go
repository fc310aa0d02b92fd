package eval

import (
	"encoding/binary"
	"fmt"

	"edged"
	"edged/model"
	"edged/rewrite"
)

// Naive is what one gets who wants a denser output and just removes the strides:
// every stride of m becomes 1 and nothing is dilated. The weights are the same,
// but every layer behind a removed stride now looks at the wrong distance. m must
// slide over a frame already; it is left as it is. The grid is where the
// centres of the outputs' views lie.
func Naive(m *model.Model) (*model.Model, edged.Grid, error) {
	m = m.Clone()
	g := m.Subgraphs[0]
	maps := map[int32][2]int32{} // rows and columns that a tensor has, or was flattened from
	for _, id := range g.Inputs {
		if s := g.Tensors[id].Shape; len(s) == 4 {
			maps[id] = [2]int32{s[1], s[2]}
		}
	}
	for i, op := range g.Operators {
		if len(op.Inputs) == 0 || len(op.Outputs) == 0 {
			continue
		}
		size, err := unstride(m, g, op, maps[op.Inputs[0]])
		if err != nil {
			return nil, edged.Grid{}, fmt.Errorf("eval: naive net: operator %d (%v): %w", i, m.Code(op).Builtin, err)
		}
		maps[op.Outputs[0]] = size
	}
	for i := range m.Subgraphs {
		if err := m.InferShapes(i); err != nil {
			return nil, edged.Grid{}, fmt.Errorf("eval: naive net: %w", err)
		}
	}
	m.Metadata = nil // the manifest's grid is no longer true
	a := rewrite.Analyse(m)
	if len(a.Outputs) != 1 || a.Outputs[0] == nil {
		return nil, edged.Grid{}, fmt.Errorf("eval: naive net: its output is no grid: %v", a.Why)
	}
	var grid edged.Grid
	for i := range 2 {
		p := a.Outputs[0]
		grid.Stride[i] = float64(p.EST[i])
		grid.Origin[i] = float64(p.Field[i]-1)/2 - float64(p.Origin[i])
	}
	return m, grid, nil
}

// unstride removes the strides of op and gives the size of its output map.
func unstride(m *model.Model, g *model.Subgraph, op *model.Operator, in [2]int32) ([2]int32, error) {
	switch o := op.Options.(type) {
	case *model.Conv2DOptions:
		o.StrideH, o.StrideW = 1, 1
		k := g.Tensors[op.Inputs[1]].Shape
		return slid(o.Padding, in, k[1], k[2], o.DilationH, o.DilationW), nil
	case *model.DepthwiseConv2DOptions:
		o.StrideH, o.StrideW = 1, 1
		k := g.Tensors[op.Inputs[1]].Shape
		return slid(o.Padding, in, k[1], k[2], o.DilationH, o.DilationW), nil
	case *model.Pool2DOptions:
		o.StrideH, o.StrideW = 1, 1
		return slid(o.Padding, in, o.FilterHeight, o.FilterWidth, 1, 1), nil
	case *model.ReshapeOptions:
		return in, reshape(m, g, op, in)
	case *model.PadOptions, *model.PadV2Options:
		p := m.Data(g.Tensors[op.Inputs[1]])
		at := func(i int) int32 { return int32(binary.LittleEndian.Uint32(p[4*i:])) }
		return [2]int32{in[0] + at(2) + at(3), in[1] + at(4) + at(5)}, nil
	}
	return in, nil
}

func slid(p model.Padding, in [2]int32, kh, kw, dh, dw int32) [2]int32 {
	return [2]int32{
		int32(model.OutSize(p, int64(in[0]), int64(kh), 1, int64(max(dh, 1)))),
		int32(model.OutSize(p, int64(in[1]), int64(kw), 1, int64(max(dw, 1)))),
	}
}

// reshape gives a RESHAPE that brings flattened rows back into a map the map's
// new size.
func reshape(m *model.Model, g *model.Subgraph, op *model.Operator, in [2]int32) error {
	o := op.Options.(*model.ReshapeOptions)
	shape := g.Tensors[op.Outputs[0]].Shape
	if len(shape) != 4 {
		return nil
	}
	want := []int32{-1, in[0], in[1], shape[3]}
	o.NewShape = want
	if len(op.Inputs) < 2 {
		return nil
	}
	t := g.Tensors[op.Inputs[1]]
	data, err := binary.Append(nil, binary.LittleEndian, want)
	if err != nil || len(m.Data(t)) != len(data) {
		return fmt.Errorf("its shape is no constant of four numbers")
	}
	m.Buffers = append(m.Buffers, &model.Buffer{Data: data})
	t.Buffer = uint32(len(m.Buffers) - 1)
	return nil
}
