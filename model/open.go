package model

// A -1 in the signature of an input says that its Shape is a place-holder there.

// OpenAxes are the dimensions of the picture, y and x, and which of them the
// input's signature leaves open. ok is false where the input is no picture.
func (m *Model) OpenAxes() (axes [2]int, open [2]bool, ok bool) {
	if len(m.Subgraphs) == 0 || len(m.Subgraphs[0].Inputs) != 1 {
		return axes, open, false
	}
	t := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]]
	s := t.ShapeSignature
	if len(s) != len(t.Shape) || len(s) < 2 {
		return axes, open, false
	}
	isOpen := func(i int) bool { return s[i] == -1 }
	switch len(s) {
	case 4:
		axes = [2]int{1, 2}
		if isOpen(3) && !isOpen(1) { // channels first: they are what a net cannot leave open
			axes = [2]int{2, 3}
		}
	case 3:
		axes = [2]int{1, 2}
		if isOpen(0) && !isOpen(2) || t.Shape[0] != 1 && !isOpen(2) {
			axes = [2]int{0, 1}
		}
	case 2:
		axes = [2]int{0, 1}
	default:
		return axes, open, false
	}
	return axes, [2]bool{isOpen(axes[0]), isOpen(axes[1])}, true
}

// OpenSize is the signature of an input whose height or width is open, like
// [-1,-1,-1,3]; empty for a net of a fixed size.
func (m *Model) OpenSize() string {
	if _, open, ok := m.OpenAxes(); !ok || !open[0] && !open[1] {
		return ""
	}
	g := m.Subgraphs[0]
	return FormatShape(g.Tensors[g.Inputs[0]].ShapeSignature)
}
