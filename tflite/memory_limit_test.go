package tflite

import (
	"strings"
	"testing"

	"edged"
	"edged/model"
)

// chain is relu(relu(x)) + x on n floats: x, one relu and its successor are
// alive together, 3*4*n bytes.
func chain(n int) *model.Model {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, n)
	y := b.Op(model.OpRelu, nil, b.Op(model.OpRelu, nil, x))
	return b.Model(b.Add(x, y, model.ActNone))
}

func TestPeakCountsWhatIsAliveTogether(t *testing.T) {
	m := chain(1000)
	if got := peak(m, m.Subgraphs[0]); got != 3*4*1000 {
		t.Errorf("peak %d bytes, want 12000", got)
	}
}

func TestMemoryLimit(t *testing.T) {
	for _, c := range []struct {
		n     int
		limit int64
		want  string // part of the error, "" for none
	}{
		{1000, 0, ""}, {1000, 12000, ""}, {1000, 11999, "12 KiB"}, {1 << 28, 0, ""}, {1 << 29, 0, "32-bit"}, {1 << 29, 1 << 40, "32-bit"},
	} {
		m := chain(1)
		m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Shape = []int32{1, int32(c.n)}
		err := checkMemory(m, edged.Options{MemoryLimit: c.limit})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d floats, limit %d: %v", c.n, c.limit, err)
		}
	}
}
