package tiles

import (
	"encoding/binary"
	"fmt"
	"slices"

	"edged/model"
)

// Net is a dense net along y and x.
type Net [2]Axis

// Validate tells the first contradiction.
func (n Net) Validate() error {
	for i, a := range n {
		if err := a.Validate(); err != nil {
			return fmt.Errorf("%w (%s)", err, [2]string{"vertical", "horizontal"}[i])
		}
	}
	return nil
}

// NetOf reads a dense net's axes from its file, for its output of shape out.
func NetOf(m *model.Model, out []int) (n Net, err error) {
	f, err := m.Manifest()
	if err != nil {
		return n, err
	}
	if f == nil || f.Form == "" || f.ReceptiveField == [2]int{} {
		return n, fmt.Errorf("tiles: the model's manifest tells no receptive field: a dense net that edged rewrite made is needed")
	}
	if f.Form == "shifts" && f.Contract != "patch" {
		return n, fmt.Errorf("tiles: a net of the form shifts pads each shift by itself, and is no whole frame's anywhere: rewrite it as dilated or fragments")
	}
	g := m.Subgraphs[0]
	in := g.Tensors[g.Inputs[0]].Shape
	if len(in) != 4 || len(out) < 3 || len(out) > 4 {
		return n, fmt.Errorf("tiles: input %v, output %v: maps of shape [1, height, width, channels] are needed", in, out)
	}
	var margins [2][2]int
	if f.Form != "windows" { // whose padding is each window's own
		margins = marginsOf(m)
	}
	for i := range n {
		stride, field := f.Grid.Stride[i], f.ReceptiveField[i]
		pad := float64(field-1)/2 - f.Grid.Origin[i]
		if stride != float64(int(stride)) || pad != float64(int(pad)) {
			return n, fmt.Errorf("tiles: stride %v, origin %v and a receptive field of %d pixels: whole pixels of stride and padding are needed", stride, f.Grid.Origin[i], field)
		}
		n[i] = Axis{Input: int(in[1+i]), Output: out[1+i], Stride: int(stride), Field: field, Pad: int(pad)}
		for end, positions := range margins[i] {
			n[i].Margin[end] = positions * n[i].Stride
		}
	}
	loose := !n[0].Exact() || !n[1].Exact() || f.Form != "windows" && slices.ContainsFunc(g.Operators, func(op *model.Operator) bool { return pads(m, g, op) })
	n[0].Loose, n[1].Loose = loose, loose
	return n, n.Validate()
}

// marginsOf counts, per axis and end, the positions that slices cut off before
// something pads: what is padded then begins later than the input.
func marginsOf(m *model.Model) (margins [2][2]int) {
	g := m.Subgraphs[0]
	last := -1
	for i, op := range g.Operators {
		if pads(m, g, op) {
			last = i
		}
	}
	for _, op := range g.Operators[:last+1] {
		in, out := shapeOf(g, op.Inputs), shapeOf(g, op.Outputs)
		code := m.Code(op).Builtin
		if code != model.OpSlice && code != model.OpStridedSlice || len(in) != 4 || len(out) != 4 {
			continue
		}
		begin, ok := ints(m, g.Tensors[op.Inputs[1]])
		for i := range margins {
			all := int(in[1+i]-out[1+i]) * int(in[0])
			if ok && code == model.OpSlice {
				margins[i][0] += int(begin[1+i]) * int(in[0])
				all -= int(begin[1+i]) * int(in[0])
			} else {
				margins[i][0] += all
			}
			margins[i][1] += all
		}
	}
	return margins
}

// pads tells whether an operator adds to a map.
func pads(m *model.Model, g *model.Subgraph, op *model.Operator) bool {
	switch m.Code(op).Builtin {
	case model.OpPad, model.OpPadV2, model.OpMirrorPad, model.OpTransposeConv:
		return true
	}
	w, ok := model.WindowOf(m, g, op)
	return ok && w.Padding == model.PaddingSame && w.Filter != [2]int{1, 1}
}

func shapeOf(g *model.Subgraph, list []int32) []int32 {
	if len(list) == 0 || list[0] < 0 {
		return nil
	}
	return g.Tensors[list[0]].Shape
}

// ints are a constant's numbers; false: they are not known.
func ints(m *model.Model, t *model.Tensor) ([]int32, bool) {
	data := m.Data(t)
	if t.Type != model.TypeInt32 || len(data) < 16 {
		return nil, false
	}
	v := make([]int32, len(data)/4)
	for i := range v {
		v[i] = int32(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return v, true
}
