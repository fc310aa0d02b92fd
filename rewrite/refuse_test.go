package rewrite

import (
	"strings"
	"testing"

	"edged/model"
)

// refusals are nets that have no dilated form, and the words that say why.
func refusals() map[string]struct {
	m     *model.Model
	o     Options
	words []string
} {
	type c = struct {
		m     *model.Model
		o     Options
		words []string
	}
	f := func(seed uint64, build func(b *maker, x model.Ref) model.Ref) *model.Model {
		b := newMaker(seed, model.TypeFloat32)
		x := b.conv(b.input(20, 18, 3), 4, square(3, 2).same())
		return b.Model(b.Name(build(b, x), "map"))
	}
	dilated := Options{Form: Dilated}
	return map[string]c{
		"custom": {f(1, func(b *maker, x model.Ref) model.Ref { return b.Custom("Odd", nil, []int{1, 10, 9, 4}, x) }), Options{},
			[]string{"operator 1 (CUSTOM Odd)", "--cut"}},
		"mirror": {f(2, func(b *maker, x model.Ref) model.Ref {
			pads := model.Const(b.Builder, "pads", []int{4, 2}, []int32{0, 0, 1, 1, 1, 1, 0, 0})
			return b.Op(model.OpMirrorPad, &model.MirrorPadOptions{}, x, pads)
		}), dilated, []string{"MIRROR_PAD", "border", "shifts"}},
		"reverse": {f(3, func(b *maker, x model.Ref) model.Ref {
			return b.Op(model.OpReverseV2, nil, x, b.Ints(1))
		}), Options{}, []string{"REVERSE_V2"}},
		"resize by 1.5":      {f(4, func(b *maker, x model.Ref) model.Ref { return b.resize(x, 15, 13) }), Options{}, []string{"RESIZE_BILINEAR", "whole factor"}},
		"decoder":            {f(5, func(b *maker, x model.Ref) model.Ref { return b.conv(b.resize(x, 20, 18), 2, square(3, 2).same()) }), dilated, []string{"RESIZE_BILINEAR", "finer", "shifts", "--cut"}},
		"everything at once": {f(7, func(b *maker, x model.Ref) model.Ref { return b.Mean(x, true, 1, 2, 3) }), Options{}, []string{"MEAN", "channels and space"}},
		"softmax over places": {f(8, func(b *maker, x model.Ref) model.Ref {
			return b.Softmax(b.Transpose(x, 0, 3, 1, 2))
		}), Options{}, []string{"SOFTMAX", "channels"}},
		"axes mixed up": {f(9, func(b *maker, x model.Ref) model.Ref {
			return b.conv(b.Transpose(x, 0, 2, 1, 3), 2, square(3, 1))
		}), Options{}, []string{"CONV_2D", "no map"}},
		"statistic":          {squeezeExcite(), Options{Form: Fragments}, []string{"MUL", "statistic", "shifts"}},
		"hybrid":             {hybrid(), dilated, []string{"CONV_2D", "dynamic-range"}},
		"finer than a pixel": {finest(), Options{}, []string{"operator 0 (RESIZE_NEAREST_NEIGHBOR)", "2 times finer", "every 1 pixels", "--cut"}},
		"two strides": {f(10, func(b *maker, x model.Ref) model.Ref {
			return b.Add(b.conv(x, 4, square(3, 2).same()), b.StridedSlice(b.conv(x, 4, square(3, 1).same()), []int{0, 0, 0, 0}, []int{1, 5, 5, 4}, []int{1, 1, 1, 1}, model.StridedSliceOptions{}), 0)
		}), Options{}, []string{"ADD", "different strides"}},
		"padded": {mobileNetLike(model.TypeInt8, true), Options{Input: [2]int{64, 64}}, []string{"operator 0", "--contract frame"}},
	}
}

func TestRefusalsNameTheOperatorTheReasonAndTheCure(t *testing.T) {
	for name, c := range refusals() {
		r, err := Rewrite(c.m, "00", c.o)
		why := asRefusal(err)
		if why == nil {
			t.Errorf("%s: result %v, error %v; want a refusal", name, r != nil, err)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(why.Error(), w) {
				t.Errorf("%s: %q does not say %q", name, why, w)
			}
		}
		if why.Instead == "" {
			t.Errorf("%s: %q names no cure", name, why)
		}
	}
}

func TestRefusedInputs(t *testing.T) {
	for name, build := range map[string]func(b *model.Builder) model.Ref{
		"batch 2": func(b *model.Builder) model.Ref { return b.Relu(b.Input("x", model.TypeFloat32, 2, 8, 8, 3)) },
		"vector":  func(b *model.Builder) model.Ref { return b.Relu(b.Input("x", model.TypeFloat32, 8)) },
		"two inputs": func(b *model.Builder) model.Ref {
			return b.Add(b.Input("x", model.TypeFloat32, 1, 8, 8, 3), b.Input("y", model.TypeFloat32, 1, 8, 8, 3), 0)
		},
	} {
		b := model.NewBuilder()
		if _, err := Rewrite(b.Model(build(b)), "00", Options{}); asRefusal(err) == nil {
			t.Errorf("%s: error %v, want a refusal", name, err)
		}
	}
	if _, err := Rewrite(&model.Model{Version: 3}, "00", Options{}); asRefusal(err) == nil {
		t.Errorf("no graph: error %v, want a refusal", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	m := poolNet(1, model.TypeFloat32, 40, 40)
	for _, o := range []Options{{Form: "odd"}, {Contract: "odd"}, {Input: [2]int{10, 0}}, {Input: [2]int{-1, -1}}, {OutputStride: [2]int{-1, 1}}, {Cuts: []string{"nowhere"}}} {
		if _, err := Rewrite(m, "00", o); err == nil || asRefusal(err) != nil {
			t.Errorf("%+v: error %v, want wrong usage", o, err)
		}
	}
	if _, err := Rewrite(m, "00", Options{Contract: Patch}); asRefusal(err) == nil {
		t.Errorf("patch contract of a map: %v", err)
	}
}

// TestCutTakesAShortenedName, as listings print it.
func TestCutTakesAShortenedName(t *testing.T) {
	if _, err := Rewrite(boxes(), "00", Options{Cuts: []string{"featur…"}}); err != nil {
		t.Error(err)
	}
}

// TestAnalyseSurvivesEveryNet, whole or broken in its indices' meaning.
func TestAnalyseSurvivesEveryNet(t *testing.T) {
	for seed := range uint64(300) {
		m := draw(seed)
		if m == nil {
			continue
		}
		r := newRandom(seed)
		for range 3 {
			g := m.Subgraphs[0]
			op := g.Operators[r.IntN(len(g.Operators))]
			switch r.IntN(4) {
			case 0:
				op.Options = nil
			case 1:
				op.Inputs = op.Inputs[:r.IntN(len(op.Inputs)+1)]
			case 2:
				g.Tensors[r.IntN(len(g.Tensors))].Shape = nil
			case 3:
				op.OpcodeIndex = uint32(r.IntN(len(m.OperatorCodes)))
			}
		}
		a := Analyse(m)
		if len(a.Ops) != len(m.Subgraphs[0].Operators) || len(a.Outputs) != 1 || len(a.Why) != 1 {
			t.Fatalf("net %d: %d operators, %d outputs", seed, len(a.Ops), len(a.Outputs))
		}
		if _, err := Rewrite(m, "00", Options{}); err != nil && strings.Contains(err.Error(), "BUG") {
			t.Errorf("net %d: %v", seed, err)
		}
	}
}

// finest asks for a map of more positions than the frame has pixels.
func finest() *model.Model {
	b := newMaker(27, model.TypeFloat32)
	x := b.ResizeNearest(b.input(8, 9, 3), 16, 18, model.ResizeNearestNeighborOptions{})
	return b.Model(b.Name(b.conv(x, 2, square(3, 1)), "map"))
}

// TestAdviceOfAContractHelps: where a refusal names the frame contract, that is
// no refusal again; where the net sees its whole patch, another frame has none.
func TestAdviceOfAContractHelps(t *testing.T) {
	padded := newMaker(86, model.TypeFloat32)
	x := padded.conv(padded.input(16, 16, 3), 4, square(3, 2).same())
	advised := 0
	for name, m := range map[string]*model.Model{
		"dynamic range": hybridPatch(), "squeeze-excite": excitePatch(), "positions and attention": placedPatch(),
		"padded": padded.Model(padded.Name(padded.fc(padded.Mean(x, false, 1, 2), 3), "scores")),
	} {
		in := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Shape
		for _, more := range []int{0, 9} {
			o := Options{Input: [2]int{int(in[1]) + more, int(in[2]) + more}}
			_, err := Rewrite(m, "00", o)
			if err == nil || !strings.Contains(err.Error(), "--contract frame") {
				continue
			}
			advised++
			o.Contract = Frame
			if strings.Contains(err.Error(), "--form shifts") {
				o.Form = Shifts
			}
			if _, again := Rewrite(m, "00", o); again != nil {
				t.Errorf("%s, %v: %v\nas advised: %v", name, o.Input, err, again)
			}
		}
	}
	if advised < 4 {
		t.Errorf("only %d refusals name the contract", advised)
	}
}
