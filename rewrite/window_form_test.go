package rewrite

import (
	"slices"
	"strings"
	"testing"

	"edged/fallback"
	"edged/model"
)

// hybridPatch is a patch classifier with weights of 8 bits between floats, without
// padding: on a frame its scales would be another's.
func hybridPatch() *model.Model {
	b := newMaker(81, model.TypeInt8)
	x := b.Input("x", model.TypeFloat32, 1, 12, 11, 3)
	for i, out := range []int{4, 5} {
		w, _ := b.weights([]int{out, 3, 3, b.channels(x)}, 0)
		bias := model.Const(b.Builder, "bias"+string(rune('a'+i)), []int{out}, make([]float32, out))
		x = b.Conv2D(x, w, bias, model.Conv2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2})
	}
	return b.Model(b.Name(b.Mean(x, false, 1, 2), "scores"))
}

// excitePatch is a padded classifier with squeeze-and-excitation.
func excitePatch() *model.Model {
	b := newMaker(82, model.TypeFloat32)
	x := b.conv(b.input(16, 16, 3), 6, square(3, 2).same())
	s := b.Unary(model.OpLogistic, b.conv(b.Mean(x, true, 1, 2), 6, square(1, 1).bare()))
	x = b.conv(b.Mul(x, s, model.ActNone), 6, square(3, 2).same())
	return b.Model(b.Name(b.fc(b.Mean(x, false, 1, 2), 3), "scores"))
}

// placedPatch adds a constant of the map's size, and attends to all of it.
func placedPatch() *model.Model {
	b := newMaker(83, model.TypeFloat32)
	x := b.conv(b.input(16, 16, 3), 4, square(3, 2).same())
	v := make([]float32, 8*8*4)
	for i := range v {
		v[i] = float32(i%7) / 7
	}
	x = b.Reshape(b.Add(x, model.Const(b.Builder, "embedding", []int{1, 8, 8, 4}, v), model.ActNone), 1, 64, 4)
	score := b.Softmax(b.Op(model.OpBatchMatMul, &model.BatchMatMulOptions{AdjY: true}, x, x))
	x = b.Op(model.OpBatchMatMul, &model.BatchMatMulOptions{}, score, x)
	return b.Model(b.Name(b.fc(b.Reshape(x, 1, 256), 3), "scores"))
}

// TestSeesMoreThanItsWindow: nets that no dilated form is exact for, because each of
// their answers looks at all of the patch, are refused with the form windows named,
// are taken by auto with a stride, and are proved.
func TestSeesMoreThanItsWindow(t *testing.T) {
	for name, m := range map[string]*model.Model{"dynamic range": hybridPatch(), "squeeze-excite": excitePatch(), "positions and attention": placedPatch(), "padded": mobileNetLike(model.TypeInt8, true)} {
		in := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Shape
		o := Options{Input: [2]int{int(in[1]) + 9, int(in[2]) + 13}}
		for _, o.Form = range []Form{Auto, Dilated, Fragments, Shifts} {
			for _, o.Contract = range []Contract{DefaultContract, Patch} {
				_, err := Rewrite(m, "00", o)
				if why := asRefusal(err); why == nil || !strings.Contains(why.Error(), "--form windows --output-stride Q") {
					t.Errorf("%s, %s, %s: %v", name, o.Form, o.Contract, err)
				}
			}
		}
		o.Form, o.OutputStride = Auto, [2]int{3, 5}
		base, err := m.Write()
		if err != nil {
			t.Fatal(err)
		}
		r, err := Rewrite(m, hashOf(base), o)
		if err != nil || r.Form != Windows {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := r.Outputs[0].Size; n != [2]int{9/3 + 1, 13/5 + 1} || r.Outputs[0].Centre != [2]float64{float64(in[1]-1) / 2, float64(in[2]-1) / 2} {
			t.Errorf("%s: %v positions, the first at %v", name, n, r.Outputs[0].Centre)
		}
		dense, err := r.Model.Write()
		if err != nil {
			t.Fatal(err)
		}
		rep, err := Verify(base, dense, fallback.Open, VerifyOptions{})
		if err != nil || rep.Level != Proved || rep.Contract != Patch {
			t.Errorf("%s: %+v, %v", name, rep, err)
		}
		back, err := Inverse(r.Model)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a, err1 := canonicalOf(m)
		b, err2 := canonicalOf(back)
		if err1 != nil || err2 != nil || a.sha() != b.sha() {
			t.Errorf("%s: the way back leads elsewhere (%v, %v)", name, err1, err2)
		}
	}
}

// TestNoWindows: outputs of more than one position, operators that mix the batch and
// frames that hold no window are refused, tensors beyond every runtime too.
func TestNoWindows(t *testing.T) {
	w := Options{Form: Windows, OutputStride: [2]int{4, 4}}
	flat := newMaker(84, model.TypeFloat32)
	x := flat.conv(flat.input(16, 16, 3), 4, square(3, 2).same())
	batch := newMaker(85, model.TypeFloat32)
	y := batch.Mean(batch.conv(batch.input(16, 16, 3), 4, square(3, 2).same()), false, 1, 2)
	for name, c := range map[string]struct {
		m     *model.Model
		o     Options
		words string
	}{
		"a map":         {poolNet(1, model.TypeFloat32, 46, 41), w, "more than one position"},
		"a flat map":    {flat.Model(flat.Name(flat.Reshape(x, 1, 256), "flat")), w, "more than one position"},
		"the batch":     {batch.Model(batch.Name(batch.Reduce(model.OpSum, y, true, 0), "sum")), w, "batch"},
		"a small frame": {excitePatch(), Options{Form: Windows, OutputStride: [2]int{4, 4}, Input: [2]int{15, 40}}, "holds no patch of 16x16"},
		"too many":      {excitePatch(), Options{Form: Windows, OutputStride: [2]int{1, 1}, Input: [2]int{2000, 3000}}, "MB large"},
	} {
		if _, err := Rewrite(c.m, "00", c.o); asRefusal(err) == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPlanPricesWindows by any stride: powers of two, the patch's size, and the one named.
func TestPlanPricesWindows(t *testing.T) {
	m := excitePatch()
	lines, err := Plan(m, "00", Options{Input: [2]int{40, 50}, OutputStride: [2]int{5, 7}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var strides [][2]int
	for _, l := range lines {
		strides = append(strides, l.OutputStride)
		if want := [2]int{(40-16)/l.OutputStride[0] + 1, (50-16)/l.OutputStride[1] + 1}; l.Form != Windows || l.Output != want || l.ActivationBytes < int64(want[0]*want[1]*16*16*3*4) {
			t.Errorf("%+v: want %v positions", l, want)
		}
	}
	if want := [][2]int{{1, 1}, {2, 2}, {4, 4}, {5, 7}, {8, 8}, {16, 16}}; !slices.Equal(strides, want) {
		t.Errorf("strides %v, want %v", strides, want)
	}
}

// TestAlteredWindowsFailOnTheRun too, where the structure is not looked at.
func TestAlteredWindowsFailOnTheRun(t *testing.T) {
	m := excitePatch()
	base, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	r, err := Rewrite(m, hashOf(base), Options{Form: Windows, OutputStride: [2]int{4, 4}, Input: [2]int{28, 24}})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, x := range graphAlterations() {
		b := altered(t, r.Model, x, 5)
		if b == nil || !slices.Contains([]string{"one weight by 30 steps", "one bias by a tenth", "an activation", "channels swapped", "where a window begins"}, x.name) {
			continue
		}
		rep, err := Verify(base, b, fallback.Open, VerifyOptions{BlackBox: true})
		if err == nil && rep.Level != Refuted {
			t.Errorf("%s: %s", x.name, rep.Level)
		}
		found++
	}
	if found < 4 {
		t.Errorf("only %d alterations were tried", found)
	}
}
