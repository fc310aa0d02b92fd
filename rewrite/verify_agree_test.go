package rewrite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/model"
)

// withBias adds to one channel of the bias of a net's last layer.
func withBias(t *testing.T, m *model.Model, channel int, plus float32) *model.Model {
	t.Helper()
	m = written(t, m)
	g := m.Subgraphs[0]
	i := slices.IndexFunc(g.Operators, func(o *model.Operator) bool { return m.Code(o).Builtin == model.OpFullyConnected })
	bias := g.Tensors[g.Operators[i].Inputs[2]]
	data := bytes.Clone(m.Data(bias))
	edged.View[float32](data)[channel] += plus
	m.Buffers[bias.Buffer] = &model.Buffer{Data: data}
	return m
}

// Agreement on pictures says nothing where the baseline gives every patch to one
// class, in whatever way it comes to do so; no share of equal classes is told
// then, nor without pictures.
func TestAgreementThatSaysNothing(t *testing.T) {
	o := Options{Input: [2]int{40, 44}, Contract: Frame}
	net := mobileNetLike(model.TypeFloat32, false)
	base, dense := both(t, net, o)
	varied := picturesFor(t, dense, 3, func(i int) float32 { return float32(math.Sin(float64(i*i%977))) * 4 })
	flat := picturesFor(t, dense, 3, func(int) float32 { return 0.25 })
	always, alwaysDense := both(t, withBias(t, net, 3, 1e4), o)
	for name, c := range map[string]struct {
		base, dense []byte
		pictures    []Picture
		says        string
		counted     bool
	}{
		"one class always":     {always, alwaysDense, varied, "says nothing", true},
		"pictures without all": {base, dense, flat, "says nothing", true},
		"no pictures":          {base, dense, nil, "not measured", false},
	} {
		r := verified(t, c.base, c.dense, VerifyOptions{Positions: 40, Pictures: c.pictures})
		a := r.PatchAgreement
		if a == nil || !strings.Contains(a.Says, c.says) || a.EqualClasses != nil || (len(a.Classes) > 0) != c.counted {
			t.Errorf("%s: %+v", name, a)
			continue
		}
		if b, err := json.Marshal(a); err != nil || !strings.Contains(string(b), `"equal_classes":null`) {
			t.Errorf("%s: %s, %v", name, b, err)
		}
	}
}

// picturesFor are inputs of a dense net, element by element.
func picturesFor(t *testing.T, dense []byte, n int, value func(i int) float32) (list []Picture) {
	t.Helper()
	m, err := model.Read(dense)
	if err != nil {
		t.Fatal(err)
	}
	elems := 1
	for _, d := range m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Shape {
		elems *= int(d)
	}
	for k := range n {
		p := Picture{Name: fmt.Sprint("picture ", k), Data: make([]byte, 4*elems)}
		for i := range elems {
			edged.View[float32](p.Data)[i] = value(i + k*elems)
		}
		list = append(list, p)
	}
	return list
}
