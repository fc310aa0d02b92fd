package rewrite

import (
	"strings"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
)

// reducedHead ends in one number a channel, by whatever statistic; pads or not.
func reducedHead(code model.BuiltinOperator, pad model.Padding) *model.Model {
	b := newMaker(41, model.TypeFloat32)
	w := square(3, 2).with(model.ActNone)
	w.pad = pad
	x := b.conv(b.input(12, 13, 3), 6, w)
	return b.Model(b.Name(b.fc(b.Reduce(code, x, false, 1, 2), 4), "logits"))
}

// A SUM was once enlarged to a frame as an average.
func TestReducedHeadsSlide(t *testing.T) {
	for _, code := range []model.BuiltinOperator{model.OpMean, model.OpSum, model.OpReduceMin, model.OpReduceMax} {
		for _, q := range []int{1, 2} {
			m := reducedHead(code, model.PaddingValid)
			o := Options{Input: [2]int{19, 18}, OutputStride: [2]int{q, q}}
			r, err := Rewrite(m, "", o)
			if err != nil {
				t.Fatalf("%s at stride %d: %v", code, q, err)
			}
			onPatches(t, m, r)
		}
	}
}

// onPatches compares a dense net under the patch contract with its baseline,
// patch by patch, by nothing but two engines and a loop.
func onPatches(t *testing.T, m *model.Model, r *Result) {
	t.Helper()
	base, dense := loaded(t, m), loaded(t, r.Model)
	defer base.Close()
	defer dense.Close()
	in, p := dense.Inputs()[0].Shape, base.Inputs()[0].Shape
	frame := edged.View[float32](dense.Input(0))
	rnd := newRandom(5)
	for i := range frame {
		frame[i] = 2*rnd.Float32() - 1
	}
	if err := dense.Run(); err != nil {
		t.Fatal(err)
	}
	out, ch := dense.Outputs()[0].Shape, in[3]
	got := edged.View[float32](dense.Output(0))
	q := r.Outputs[0].Stride
	for y := 0; y*q[0]+p[1] <= in[1]; y++ {
		for x := 0; x*q[1]+p[2] <= in[2]; x++ {
			for row := range p[1] {
				at := ((y*q[0]+row)*in[2] + x*q[1]) * ch
				copy(edged.View[float32](base.Input(0))[row*p[2]*ch:(row+1)*p[2]*ch], frame[at:])
			}
			if err := base.Run(); err != nil {
				t.Fatal(err)
			}
			for c, want := range edged.View[float32](base.Output(0)) {
				if g := got[(y*out[2]+x)*out[3]+c]; abs(float64(g-want)) > 1e-3*(1+abs(float64(want))) {
					t.Fatalf("patch %d,%d channel %d: %g, the baseline gives %g", y, x, c, g, want)
				}
			}
		}
	}
}

func loaded(t *testing.T, m *model.Model) edged.Engine {
	t.Helper()
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	e, err := fallback.Open(b, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The enlarged baseline of a padded net is the oracle of the frame contract: it
// must sum where the baseline sums.
func TestEnlargedSumIsASum(t *testing.T) {
	m := reducedHead(model.OpSum, model.PaddingSame)
	r, err := Rewrite(m, "", Options{Input: [2]int{19, 18}, OutputStride: [2]int{2, 2}, Contract: Frame})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range r.Model.Subgraphs[0].Operators {
		if code := r.Model.Code(op).Builtin; code == model.OpAveragePool2D {
			t.Errorf("%s stands for the baseline's SUM", code)
		}
	}
}

// An output stride above one output's eST is that of the others, in the
// manifest too: verify reads it there.
func TestOutputStrideAboveOneOutputs(t *testing.T) {
	r, err := Rewrite(twoHeads(), "", Options{OutputStride: [2]int{4, 4}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Model.Manifest()
	if err != nil || f.OutputStride != [2]int{4, 4} {
		t.Errorf("manifest says output stride %v, %v", f.OutputStride, err)
	}
	if r.Outputs[0].Stride != [2]int{2, 2} || r.Outputs[1].Stride != [2]int{4, 4} {
		t.Errorf("outputs at strides %v and %v", r.Outputs[0].Stride, r.Outputs[1].Stride)
	}
}

func TestOutputStrideMustBeReached(t *testing.T) {
	for _, q := range []int{3, 8} {
		if _, err := Rewrite(twoHeads(), "", Options{OutputStride: [2]int{q, q}}); err == nil {
			t.Errorf("output stride %d of a net with strides 2, 2 was taken", q)
		}
	}
}

// A dense layer may come as BATCH_MATMUL by a constant, which is no attention.
func TestMatrixProductIsARow(t *testing.T) {
	b := newMaker(42, model.TypeFloat32)
	x := b.conv(b.input(20, 21, 3), 6, square(3, 2))
	w, _ := b.weights([]int{1, 6, 4}, 2)
	m := b.Model(b.Op(model.OpBatchMatMul, &model.BatchMatMulOptions{}, x, w))
	if r, err := Rewrite(m, "", Options{}); err != nil || r.Form != Dilated {
		t.Fatalf("%v, %v", r, err)
	}
}

// PyTorch's flattened head keeps its order when its weights are float16.
func TestHalfWeightsOfAFlattenedHead(t *testing.T) {
	b := newMaker(43, model.TypeFloat32)
	x := b.Transpose(b.maxPool(b.conv(b.input(12, 12, 3), 4, square(3, 1)), square(2, 2)), 0, 3, 1, 2)
	n := 4 * 5 * 5
	v := make([]float32, 3*n)
	for i := range v {
		v[i] = float32(b.r.NormFloat64()) / 8
	}
	w := b.Float16s("half", []int{3, n}, v)
	m := b.Model(b.FullyConnected(b.Reshape(x, 1, n), w, model.None, model.FullyConnectedOptions{}))
	r, err := Rewrite(m, "", Options{Input: [2]int{17, 18}})
	if err != nil {
		t.Fatal(err)
	}
	onPatches(t, m, r)
	back, err := Inverse(r.Model)
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range m.Subgraphs[0].Tensors {
		if string(m.Data(tensor)) != string(back.Data(back.Subgraphs[0].Tensors[i])) {
			t.Errorf("constant %q did not come back", tensor.Name)
		}
	}
}

// Names may be missing: a refusal then suggests a tensor's number, and the cut
// there can be verified.
func TestCutByNumber(t *testing.T) {
	m := boxes()
	for _, tensor := range m.Subgraphs[0].Tensors {
		tensor.Name = ""
	}
	_, err := Rewrite(m, "", Options{})
	why := asRefusal(err)
	if why == nil || !strings.Contains(why.Instead, `--cut "#`) {
		t.Fatalf("no number in %v", err)
	}
	_, name, _ := strings.Cut(why.Instead, `--cut "`)
	name, _, _ = strings.Cut(name, `"`)
	r, err := Rewrite(m, "", Options{Cuts: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	verifiedAs(t, m, r)
}

// Two tensors of one name: the output is meant, not its namesake.
func TestOutputWithANamesake(t *testing.T) {
	b := newMaker(44, model.TypeFloat32)
	x := b.Name(b.conv(b.input(20, 21, 3), 3, square(3, 2)), "same")
	m := b.Model(b.Name(b.conv(x, 3, square(3, 2)), "same"))
	r, err := Rewrite(m, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	verifiedAs(t, m, r)
}

func verifiedAs(t *testing.T, m *model.Model, r *Result) {
	t.Helper()
	base, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	dense, err := r.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	if v, err := Verify(base, dense, fallback.Open, VerifyOptions{}); err != nil || !v.Equivalent {
		t.Errorf("%+v, %v", v, err)
	}
}

// A statistic spread over its map again, as DeepLab does, joins it.
func TestSpreadStatistic(t *testing.T) {
	b := newMaker(45, model.TypeFloat32)
	x := b.conv(b.input(33, 33, 3), 4, square(3, 2).same())
	x = b.conv(x, 6, square(3, 2).same())
	g := b.resize(b.conv(b.Mean(x, true, 1, 2), 3, square(1, 1)), 9, 9)
	m := b.Model(b.conv(b.Concat(3, g, x), 3, square(1, 1)))
	r, err := Rewrite(m, "", Options{})
	if err != nil || r.Form != Shifts {
		t.Fatalf("%v, %v", r, err)
	}
	verifiedAs(t, m, r)
}

// At another size than the baseline's the statistic is another one, and the
// refusal says so.
func TestStatisticAtAnotherSize(t *testing.T) {
	_, err := Rewrite(squeezeExcite(), "", Options{Input: [2]int{40, 40}})
	if why := asRefusal(err); why == nil || why.Op != "MUL" || !strings.Contains(why.Reason, "at 40x40 it is another one") {
		t.Error(err)
	}
}

// A PRELU whose slopes differ from place to place fits no other frame, whatever
// its shape rule lets through.
func TestSlopesOfAMapAtAnotherSize(t *testing.T) {
	b := newMaker(49, model.TypeFloat32)
	x := b.conv(b.input(16, 18, 3), 4, square(3, 2).same().bare())
	slopes := make([]float32, 8*9*4)
	for i := range slopes {
		slopes[i] = float32(i) / 300
	}
	m := b.Model(b.Op(model.OpPrelu, nil, x, model.Const(b.Builder, "slopes", []int{8, 9, 4}, slopes)))
	for _, o := range []Options{{}, {Form: Shifts}, {OutputStride: [2]int{2, 2}}, {Form: Dilated, OutputStride: [2]int{2, 2}}} {
		o.Input = [2]int{48, 52}
		if _, err := Rewrite(m, "", o); asRefusal(err) == nil || asRefusal(err).Op != "PRELU" {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := Rewrite(m, "", Options{}); asRefusal(err) == nil {
		t.Errorf("auto writes slopes of a whole map: %v", err)
	}
	r, err := Rewrite(m, "", Options{Form: Shifts})
	if err != nil {
		t.Fatal(err)
	}
	verifiedAs(t, m, r)
}
