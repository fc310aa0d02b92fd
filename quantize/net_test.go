package quantize

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
)

// drawPatch draws a patch classifier without padding, as rewrite makes dense.
func drawPatch(seed uint64) *model.Model {
	k := &maker{model.NewBuilder(), rand.New(rand.NewPCG(seed, 8)), 0}
	k.x = k.Input("input", model.TypeFloat32, 1, 15, 15, 3)
	k.x = k.Conv2D(k.x, k.weights(4, 3, 3, 3), k.bias(4), model.Conv2DOptions{Padding: model.PaddingValid, Activation: model.ActRelu}) // 13
	if seed%2 == 1 {                                                                                                                   // a channel that hardly moves, which the depthwise convolution makes large
		k.x = k.skewed(k.x)
	}
	k.x = k.MaxPool(k.x, model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 3, FilterWidth: 3, StrideH: 2, StrideW: 2}) // 6
	y := k.Conv2D(k.x, k.weights(4, 1, 1, 4), k.bias(4), model.Conv2DOptions{Padding: model.PaddingValid})
	k.x = k.Add(k.x, y, k.act())
	k.x = k.Conv2D(k.x, k.weights(5, 2, 2, 4), k.bias(5), model.Conv2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2}) // 3
	if k.r.IntN(2) == 0 {
		k.x = k.Mean(k.x, true, 1, 2)
	}
	n := 1
	for _, d := range k.Shape(k.x) {
		n *= d
	}
	k.x = k.FullyConnected(k.Reshape(k.x, 1, n), k.weights(6, n), k.bias(6), model.FullyConnectedOptions{Activation: model.ActRelu})
	k.x = k.Softmax(k.FullyConnected(k.x, k.weights(3, 6), k.bias(3), model.FullyConnectedOptions{}))
	return k.Model(k.x)
}

// skewed is a pair of convolutions, the second depthwise, of whose channels the
// first writes one a thousand times smaller than the other.
func (k *maker) skewed(x model.Ref) model.Ref {
	c := k.Shape(x)[3]
	w, b, d := make([]float32, 2*c), []float32{0.25, 0.0005}, make([]float32, 18)
	for i := range c {
		w[i], w[c+i] = 1, float32(i)/1000
	}
	for i := range 9 {
		d[2*i], d[2*i+1] = 0.1, 300*float32(i%3)
	}
	y := k.Conv2D(x, model.Const(k.Builder, "", []int{2, 1, 1, c}, w), model.Const(k.Builder, "", []int{2}, b), model.Conv2DOptions{Activation: model.ActRelu6, Padding: model.PaddingValid})
	y = k.DepthwiseConv2D(y, model.Const(k.Builder, "", []int{1, 3, 3, 2}, d), k.bias(2), model.DepthwiseConv2DOptions{Padding: model.PaddingValid})
	return k.Conv2D(y, k.weights(4, 1, 1, 2), k.bias(4), model.Conv2DOptions{Padding: model.PaddingValid})
}

// Channels before a depthwise convolution get the same range: the float net stays
// what it was, the int8 net loses far less.
func TestChannelsAreEqualised(t *testing.T) {
	k := &maker{model.NewBuilder(), rand.New(rand.NewPCG(1, 8)), 0}
	x := k.Input("input", model.TypeFloat32, 1, 20, 20, 3)
	m := k.Model(k.skewed(k.Pad(x, [2]int{}, [2]int{1, 1}, [2]int{1, 1}, [2]int{})))
	r := quantised(t, m, edged.Int8)
	if !r.Report.Equal {
		t.Fatalf("%+v", r.Report.Candidates)
	}
	var before, after float64
	for _, c := range r.Report.Candidates {
		if !c.Equal {
			before = max(before, 1/c.Error)
		} else {
			after = max(after, 1/c.Error)
		}
	}
	if after < 4*before {
		t.Errorf("least error %g, without %g", 1/after, 1/before)
	}
	named, _ := bare(m)
	f := &form{base: named, float: named}
	run := &runner{ctx: context.Background(), open: fallback.Open, threads: 1, p: noise{2, [2]int{20, 20}}}
	seen, err := run.calibrate(f, []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	equal := named.Clone()
	if err := equalise(equal, rescales(named, seen)); err != nil {
		t.Fatal(err)
	}
	out := named.Subgraphs[0].Tensors[named.Subgraphs[0].Outputs[0]].Name
	var a, b []float32
	for m, to := range map[*model.Model]*[]float32{named: &a, equal: &b} {
		if err := run.each(m, []string{out}, []int{1}, func(_ string, v []float32, _ int) { *to = append(*to, v...) }); err != nil {
			t.Fatal(err)
		}
	}
	for i := range a {
		if d := math.Abs(float64(a[i] - b[i])); d > 1e-5*(1+math.Abs(float64(a[i]))) {
			t.Fatalf("output %d: %g became %g", i, a[i], b[i])
		}
	}
}

// Quantised and then made dense is made dense and then quantised, bit for bit.
func TestBeforeOrAfterRewriting(t *testing.T) {
	bundled := bundledNet(t, nets.Valid)
	list := []*model.Model{bundled}
	for seed := range uint64(seeds(3, 40)) {
		list = append(list, drawPatch(seed))
	}
	for i, m := range list {
		o := rewrite.Options{Input: [2]int{44, 45}, OutputStride: [2]int{1 + i%2, 1 + i%2}, Contract: rewrite.Patch}
		dense, err := rewrite.Rewrite(m, "", o)
		if err != nil {
			t.Fatal(err)
		}
		io := []edged.DType{edged.Int8, edged.Float32, edged.Uint8}[i%3]
		last, small := quantisedOn(t, dense.Model, io), quantisedOn(t, m, io)
		again, err := rewrite.Rewrite(small, "", o)
		if err != nil {
			t.Fatal(err)
		}
		if before, after := graphOf(t, again.Model), graphOf(t, last); !bytes.Equal(before, after) {
			t.Errorf("net %d, %v: %d and %d bytes differ", i, io, len(before), len(after))
		}
		way, err := rewrite.Inverse(last)
		if err != nil || !bytes.Equal(graphOf(t, way), graphOf(t, small)) {
			t.Errorf("net %d, %v: the dense int8 net does not lead back to the int8 baseline (%v)", i, io, err)
		}
	}
}

func bundledNet(t *testing.T, name string) *model.Model {
	t.Helper()
	file, err := nets.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func quantisedOn(t *testing.T, m *model.Model, io edged.DType) *model.Model {
	t.Helper()
	r, err := Net(context.Background(), m, noise{5, [2]int{44, 45}}, Options{IO: io, Open: fallback.Open})
	if err != nil {
		t.Fatal(err)
	}
	return r.Model
}

// graphOf is a file without its documents.
func graphOf(t *testing.T, m *model.Model) []byte {
	t.Helper()
	c := m.Clone()
	c.Metadata, c.SignatureDefs = nil, nil
	compact(c)
	b, err := c.Write()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestManifestIsCarriedOver(t *testing.T) {
	m := bundledNet(t, nets.Valid)
	was, _ := m.Manifest()
	was.Certificate = &model.Certificate{}
	if err := m.SetManifest(was); err != nil {
		t.Fatal(err)
	}
	f, err := quantisedOn(t, m, edged.Uint8).Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(f.Labels, ",") != strings.Join(was.Labels, ",") || !f.Input.Same(was.Input) || f.Output != was.Output {
		t.Errorf("%+v, it was %+v", f, was)
	}
	if f.Certificate != nil {
		t.Error("the float net's certificate came along")
	}
}

// What cannot be quantised is named, all of it.
func TestRefusals(t *testing.T) {
	net := func(tail func(b *model.Builder, x model.Ref) model.Ref) *model.Model {
		b := model.NewBuilder()
		x := b.Input("x", model.TypeFloat32, 1, 4, 4, 3)
		return b.Model(tail(b, x))
	}
	int8Net := bundledNet(t, nets.ValidInt8)
	two := func() *model.Model {
		b := model.NewBuilder()
		return b.Model(b.Add(b.Input("x", model.TypeFloat32, 1, 4, 4, 3), b.Input("y", model.TypeFloat32, 1, 4, 4, 3), model.ActNone))
	}
	nan := net(func(b *model.Builder, x model.Ref) model.Ref {
		return b.Conv2D(x, model.Const(b, "w", []int{1, 1, 1, 3}, []float32{float32(math.NaN()), 0, 0}), model.None, model.Conv2DOptions{})
	})
	for says, m := range map[string]*model.Model{
		"EXP (operator 0": net(func(b *model.Builder, x model.Ref) model.Ref { return b.Unary(model.OpExp, x) }),
		"DIV (operator 1": net(func(b *model.Builder, x model.Ref) model.Ref {
			return b.Div(b.Unary(model.OpExp, x), x, model.ActNone)
		}),
		"computes its weights": net(func(b *model.Builder, x model.Ref) model.Ref {
			return b.Conv2D(x, b.Relu(model.Const(b, "w", []int{1, 1, 1, 3}, []float32{1, 2, 3})), model.None, model.Conv2DOptions{})
		}),
		"int8 weights already": net(func(b *model.Builder, x model.Ref) model.Ref {
			w := b.Quant(model.Const(b, "w", []int{1, 1, 1, 3}, []int8{1, 2, 3}), 1, 0)
			return b.Conv2D(x, w, model.Const(b, "b", []int{1}, []float32{0}), model.Conv2DOptions{})
		}),
		"quantised already":    int8Net,
		"QUANTIZE (operator 0": quantised(t, draw(1), edged.Float32).Model, // its input and output are float32
		"2 inputs":             two(),
		"not a number":         nan,
	} {
		_, err := Net(context.Background(), m, noise{2, [2]int{8, 8}}, Options{IO: edged.Int8, Open: fallback.Open})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want an error that says %q", err, says)
		}
		if no := (*Refusal)(nil); !errors.As(err, &no) && says != "not a number" {
			t.Errorf("%v is no refusal", err)
		}
	}
	if _, err := Net(context.Background(), draw(1), noise{}, Options{Open: fallback.Open}); err == nil || !strings.Contains(err.Error(), "no pictures") {
		t.Errorf("no pictures: %v", err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Net(gone, draw(1), noise{2, [2]int{20, 20}}, Options{Open: fallback.Open}); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}

// A join of a share (whose scale the runtimes fix) with other values brings it to
// the join's scale; a join of shares alone needs nothing.
func TestFixedScalesInJoins(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 8, 8, 2)
	s := b.Unary(model.OpLogistic, x)
	m := b.Model(b.Concat(3, s, b.Softmax(x)), b.Concat(3, s, b.Mul(x, model.Const(b, "", []int{1}, []float32{5}), model.ActNone)), b.MaxPool(x, model.Pool2DOptions{FilterHeight: 2, FilterWidth: 2}))
	q := quantised(t, m, edged.Int8).Model
	g := q.Subgraphs[0]
	var requantised int
	for _, op := range g.Operators {
		if q.Code(op).Builtin == model.OpQuantize {
			requantised++
		}
	}
	scale := func(i int) float32 { return g.Tensors[g.Outputs[i]].Quantization.Scale[0] }
	if requantised != 1 || scale(0) != 1.0/256 || scale(1) < 9.0/255 || scale(2) != 1.0/128 {
		t.Errorf("%d requantised, scales %g %g %g", requantised, scale(0), scale(1), scale(2))
	}
}

// A zero that two operators share does not tie their scales together, and what a
// max pool is padded with is no value.
func TestConstantsOfJoins(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 8, 8, 2)
	zero := model.Const(b, "zero", []int{1}, []float32{0})
	small := b.Maximum(b.Mul(x, model.Const(b, "", []int{1}, []float32{0.01}), model.ActNone), zero)
	low := b.PadV2(b.Relu(x), model.Const(b, "low", []int{1}, []float32{-math.MaxFloat32}), [2]int{}, [2]int{1, 1}, [2]int{1, 1}, [2]int{})
	q := quantised(t, b.Model(small, b.Maximum(x, zero), low), edged.Int8).Model
	g := q.Subgraphs[0]
	for i, want := range []float64{0.02 / 255, 2.0 / 255, 1.0 / 255} {
		if s := g.Tensors[g.Outputs[i]].Quantization.Scale[0]; float64(s) > want*1.05 {
			t.Errorf("output %d has scale %g, want about %g", i, s, want)
		}
	}
}

// Rounding that always goes one way shifts a channel's mean; the correction takes
// that back.
func TestBiasCorrection(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("input", model.TypeFloat32, 1, 4, 4, 3)
	w := model.Const(b, "w", []int{1, 1, 1, 3}, []float32{1, 0.4 / 127, 0.4 / 127}) // the last two round to 0
	m := b.Model(b.Name(b.Conv2D(x, w, model.Const(b, "b", []int{1}, []float32{0}), model.Conv2DOptions{}), "y"))
	r := &Recipe{Input: &Range{-1, 1}, Ranges: map[string]Range{"y": {-1, 1}}, Means: map[string][]float64{"input": {0.5, 0.5, 0.25}}}
	q, err := Apply(m, r)
	if err != nil {
		t.Fatal(err)
	}
	g := q.Subgraphs[0]
	bias := g.Tensors[g.Operators[0].Inputs[2]]
	got := dequantised(t, q, bias)[0]
	if want := 0.75 * 0.4 / 127; math.Abs(float64(got)-want) > float64(bias.Quantization.Scale[0]) {
		t.Errorf("bias %g, by hand %g", got, want)
	}
}

// The bundled nets lose next to nothing, and their ranges stand without a picture
// of the training.
func TestBundledNets(t *testing.T) {
	for _, name := range []string{nets.Valid, nets.Same} {
		r := quantised(t, bundledNet(t, name), edged.Int8)
		if r.Report.Agreement < 0.97 || len(r.Report.Classes) != 5 {
			t.Errorf("%s: %+v", name, r.Report)
		}
	}
}

// pictures of sizes of their own.
type sized struct {
	noise
	sizes [][2]int
}

func (p sized) Size(i int) (int, int) { return p.sizes[i][0], p.sizes[i][1] }

// Pictures that show the net less than they seem to are told of.
func TestPicturesOfOtherSizes(t *testing.T) {
	small := [][2]int{{24, 24}, {4, 24}, {24, 24}, {24, 24}}
	mixed := [][2]int{{44, 45}, {90, 45}, {44, 45}, {44, 45}}
	for says, c := range map[string]struct {
		m     *model.Model
		sizes [][2]int
	}{
		"1 of 4 pictures are smaller": {draw(2), small},
		"from 44x45 to 90x45":         {drawPatch(2), mixed},
		"":                            {drawPatch(2), mixed[2:]},
	} {
		r, err := Net(context.Background(), c.m, sized{noise{len(c.sizes), [2]int{}}, c.sizes}, Options{IO: edged.Int8, Open: fallback.Open})
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(r.Report.Suggestions, "\n")
		if told := strings.Contains(all, "height x width"); told != (says != "") || !strings.Contains(all, says) {
			t.Errorf("want %q:\n%s", says, all)
		}
	}
}

// A padding that adds channels moves them: nothing is equalised through it.
func TestChannelsThatArePaddedStay(t *testing.T) {
	for extra, want := range []int{1, 0} {
		k := &maker{model.NewBuilder(), rand.New(rand.NewPCG(1, 8)), 0}
		x := k.Input("input", model.TypeFloat32, 1, 8, 8, 3)
		y := k.Conv2D(x, k.weights(4, 1, 1, 3), k.bias(4), model.Conv2DOptions{})
		y = k.Pad(y, [2]int{}, [2]int{1, 1}, [2]int{1, 1}, [2]int{0, 4 * extra})
		m := k.Model(k.DepthwiseConv2D(y, k.weights(1, 3, 3, 4+4*extra), k.bias(4+4*extra), model.DepthwiseConv2DOptions{Padding: model.PaddingValid}))
		if got := stretches(m); len(got) != want {
			t.Errorf("%d channels added: %d stretches, want %d", 4*extra, len(got), want)
		}
	}
}
