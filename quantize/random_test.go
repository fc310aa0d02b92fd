package quantize

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
)

// maker draws float nets of what nets in the field are made of.
type maker struct {
	*model.Builder
	r *rand.Rand
	x model.Ref
}

func (k *maker) weights(shape ...int) model.Ref {
	n, fan := 1, 1
	for i, d := range shape {
		n *= d
		if i > 0 {
			fan *= d
		}
	}
	v := make([]float32, n)
	gain := math.Exp(k.r.NormFloat64() / 2)
	for i := range v {
		v[i] = float32(k.r.NormFloat64() * gain / math.Sqrt(float64(fan)))
	}
	if k.r.IntN(4) == 0 && len(shape) == 4 && shape[0] > 1 { // a channel that died: its bias must survive
		for i := range n / shape[0] {
			v[i] *= 1e-20
		}
	}
	if k.r.IntN(4) == 0 {
		return k.Float16s("", shape, v)
	}
	return model.Const(k.Builder, "", shape, v)
}

func (k *maker) bias(n int) model.Ref {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(k.r.NormFloat64() / 4)
	}
	return model.Const(k.Builder, "", []int{n}, v)
}

func (k *maker) act() model.Activation {
	return []model.Activation{model.ActNone, model.ActRelu, model.ActRelu6}[k.r.IntN(3)]
}

func (k *maker) conv(x model.Ref, out int, act model.Activation) model.Ref {
	size := 1 + k.r.IntN(3)
	return k.Conv2D(x, k.weights(out, size, size, k.Shape(x)[3]), k.bias(out), model.Conv2DOptions{Activation: act})
}

// layer appends one of the operators to k.x.
func (k *maker) layer() {
	s := k.Shape(k.x)
	h, c := s[1], s[3]
	pool := model.Pool2DOptions{FilterHeight: 2, FilterWidth: 2, StrideH: 2, StrideW: 2}
	switch n := k.r.IntN(22); {
	case n < 4:
		k.x = k.Conv2D(k.x, k.weights(3+k.r.IntN(6), 3, 3, c), model.None, model.Conv2DOptions{})
	case n == 4 && h > 4:
		k.x = k.MaxPool(k.x, pool)
	case n == 5 && h > 4:
		k.x = k.AvgPool(k.x, pool)
	case n == 6:
		k.x = k.DepthwiseConv2D(k.x, k.weights(1, 3, 3, c), k.bias(c), model.DepthwiseConv2DOptions{Activation: k.act()})
	case n == 7:
		k.x = k.Add(k.x, k.conv(k.x, c, model.ActNone), k.act())
	case n == 8:
		k.x = k.Concat(3, k.x, k.conv(k.x, 3, k.act()), k.Unary(model.OpTanh, k.x))
	case n == 9:
		k.x = k.Mul(k.x, k.Unary(model.OpLogistic, k.conv(k.x, c, model.ActNone)), model.ActNone)
	case n == 10 && h < 20:
		k.x = k.ResizeBilinear(k.x, 2*h, 2*s[2], model.ResizeBilinearOptions{HalfPixelCenters: true})
	case n == 11 && h < 20:
		k.x = k.ResizeNearest(k.x, 2*h, 2*s[2], model.ResizeNearestNeighborOptions{})
	case n == 12:
		k.x = k.Relu(k.x)
	case n == 13:
		k.x = k.LeakyRelu(k.x, 0.2)
	case n == 14:
		k.x = k.Prelu(k.x, k.weights(1, 1, c))
	case n == 15:
		k.x = k.Unary(model.OpHardSwish, k.x)
	case n == 16:
		k.x = k.Pad(k.x, [2]int{}, [2]int{1, 2}, [2]int{0, 1}, [2]int{})
	case n == 17 && h < 20:
		k.x = k.TransposeConv(k.x, k.weights(4, 2, 2, c), model.None, 2*h, 2*s[2], model.TransposeConvOptions{StrideH: 2, StrideW: 2})
	case n == 18 && h > 4:
		k.x = k.Slice(k.x, []int{0, 1, 1, 0}, []int{1, h - 2, s[2] - 2, c})
	case n == 19:
		k.x = k.Sub(k.x, k.Mean(k.x, true, 1, 2), model.ActNone)
	case n == 20:
		k.x = k.Maximum(k.x, model.Const(k.Builder, "", []int{1}, []float32{-0.25}))
	default:
		k.x = k.conv(k.x, 3+k.r.IntN(8), k.act())
	}
}

func draw(seed uint64) *model.Model {
	k := &maker{model.NewBuilder(), rand.New(rand.NewPCG(seed, 7)), 0}
	k.x = k.Input("input", model.TypeFloat32, 1, 8+k.r.IntN(10), 8+k.r.IntN(10), 1+2*k.r.IntN(2))
	for range 3 + k.r.IntN(6) {
		k.layer()
	}
	switch k.r.IntN(4) {
	case 0:
		k.x = k.Softmax(k.x)
	case 1:
		c := k.Shape(k.x)[3]
		k.x = k.Softmax(k.FullyConnected(k.Mean(k.x, false, 1, 2), k.weights(5, c), k.bias(5), model.FullyConnectedOptions{}))
	case 2:
		k.x = k.Concat(3, k.x, k.Unary(model.OpLogistic, k.x))
	}
	m, err := k.Build(k.x)
	if err != nil {
		panic(fmt.Sprint(seed, err))
	}
	return m
}

// noise are pictures of nothing: smooth on one half, rough on the other.
type noise struct {
	n    int
	size [2]int
}

func (p noise) Len() int            { return p.n }
func (p noise) Size(int) (int, int) { return p.size[0], p.size[1] }
func (p noise) Span() Range         { return Range{-1, 127.0 / 128} }
func (p noise) Fill(i int, s edged.Spec, dst []float32) error {
	r := rand.New(rand.NewPCG(uint64(i), 3))
	w := s.Shape[2] * s.Shape[3]
	for k := range dst {
		v := 127 * math.Sin(float64(k%w+7*i)/9) * math.Cos(float64(k/w)/5)
		if k%w > w/2 {
			v = r.Float64()*255 - 128
		}
		dst[k] = float32(math.Round(v)) / 128
	}
	return nil
}

// quantised runs all of Net on a drawn net.
func quantised(t *testing.T, m *model.Model, io edged.DType) *Result {
	t.Helper()
	r, err := Net(context.Background(), m, noise{6, [2]int{24, 24}}, Options{IO: io, Open: fallback.Open})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Each operator by itself, fed with what the int8 net feeds it, gives what the
// float operator gives to within two steps of its output.
func TestEachLayerIsOffByStepsOnly(t *testing.T) {
	var all local
	reported, rms := 0, 0.0
	for seed := range uint64(seeds(6, 200)) {
		r := quantised(t, draw(seed), edged.Int8)
		all.take(checkLocal(t, seed, r.Model))
		for _, l := range r.Report.Layers {
			// A mean keeps its input's scale, which may be wide for it.
			if !(l.RMS < 0.2) && l.Operator != "MEAN" || math.IsNaN(l.SNR) {
				t.Errorf("net %d: %+v", seed, l)
			}
			reported++
			rms = max(rms, l.RMS)
		}
		if r.Report.Layers == nil || r.Report.Kept == 0 || len(r.Report.Candidates) < 6 {
			t.Errorf("net %d: report %+v", seed, r.Report)
		}
	}
	t.Logf("%d operators by themselves, %d elements: off by %.3f steps at most; %d layers reported, rms of range up to %.3f", all.operators, all.elements, all.worst, reported, rms)
}

// local is how far operators are off, each fed with what the int8 net feeds it.
type local struct {
	operators, elements int
	worst               float64 // in steps of the output
}

func (l *local) take(o local) {
	l.operators, l.elements, l.worst = l.operators+o.operators, l.elements+o.elements, max(l.worst, o.worst)
}

// checkLocal runs every operator of an int8 net as a float net of its own.
func checkLocal(t *testing.T, seed uint64, m *model.Model) (l local) {
	t.Helper()
	g := m.Subgraphs[0]
	values := map[int32][]float32{}
	var all []int32
	for _, op := range g.Operators {
		all = append(all, op.Outputs...)
	}
	numbered(m)
	run(t, m.WithOutputs(all...), func(e edged.Engine) {
		in := e.Inputs()[0]
		x := make([]float32, in.Elems())
		_ = noise{1, [2]int{24, 24}}.Fill(9, in, x)
		feed(e.Input(0), in, x)
	}, func(s edged.Spec, v []float32) {
		var i int32
		if _, err := fmt.Sscanf(s.Name, "#%d", &i); err != nil {
			t.Fatal(err)
		}
		values[i] = append([]float32{}, v...)
	})
	for i, op := range g.Operators {
		code := m.Code(op).Builtin
		if code == model.OpQuantize || code == model.OpReshape {
			continue
		}
		want := floatOp(t, m, op, values)
		y := op.Outputs[0]
		q := g.Tensors[y].Quantization
		c := affine{q.Scale[0], int32(q.ZeroPoint[0])}.covers()
		for k, got := range values[y] {
			w := max(c.Lo, min(c.Hi, float64(want[k])))
			d := math.Abs(w-float64(got)) / float64(q.Scale[0])
			if l.worst = max(l.worst, d); !(d <= 2.01) {
				t.Errorf("net %d: operator %d %v, element %d: %g, float %g, a step is %g", seed, i, code, k, got, w, q.Scale[0])
				break
			}
		}
		l.operators++
		l.elements += len(values[y])
	}
	return l
}

// floatOp computes op in floats from what the int8 net computed before it.
func floatOp(t *testing.T, m *model.Model, op *model.Operator, values map[int32][]float32) (out []float32) {
	t.Helper()
	g := m.Subgraphs[0]
	b := model.NewBuilder()
	var in []model.Ref
	var feeds [][]float32
	given := map[int32]model.Ref{}
	for _, x := range op.Inputs {
		if x < 0 {
			in = append(in, model.None)
			continue
		}
		ten := g.Tensors[x]
		data := m.Data(ten)
		switch ref, ok := given[x]; {
		case ok:
			in = append(in, ref)
		case data == nil:
			v := values[x]
			if v == nil { // the input itself
				v = make([]float32, elemsOf(ten))
				_ = noise{1, [2]int{24, 24}}.Fill(9, edged.Spec{Shape: ints(ten.Shape)}, v)
				a := affine{ten.Quantization.Scale[0], int32(ten.Quantization.ZeroPoint[0])}
				for k, s := range a.values(v) {
					v[k] = a.scale * float32(int32(s)-a.zero)
				}
			}
			given[x] = b.Input(fmt.Sprint("x", len(feeds)), model.TypeFloat32, ints(ten.Shape)...)
			feeds = append(feeds, v)
			in = append(in, given[x])
		case ten.Quantization != nil && len(ten.Quantization.Scale) > 0:
			in = append(in, model.Const(b, "", ints(ten.Shape), dequantised(t, m, ten)))
		default:
			in = append(in, b.Raw("", ten.Type, ints(ten.Shape), data))
		}
	}
	y := b.Op(m.Code(op).Builtin, op.Options, in...)
	f, err := b.Build(y)
	if err != nil {
		t.Fatal(err)
	}
	run(t, f, func(e edged.Engine) {
		for i, v := range feeds {
			copy(edged.View[float32](e.Input(i)), v)
		}
	}, func(_ edged.Spec, v []float32) { out = append(out, v...) })
	return out
}

func ints(s []int32) []int {
	var v []int
	for _, d := range s {
		v = append(v, int(d))
	}
	return v
}

func elemsOf(x *model.Tensor) int64 {
	n, _ := model.Elements(x.Shape)
	return n
}

func dequantised(t *testing.T, m *model.Model, x *model.Tensor) []float32 {
	t.Helper()
	v, err := model.Ints(x.Type, m.Data(x))
	if err != nil {
		t.Fatal(err)
	}
	q := x.Quantization
	c := channels{n: len(q.Scale), last: q.QuantizedDimension == 3}
	out := make([]float32, len(v))
	for i := range v {
		k := c.of(i, len(v))
		out[i] = float32(float64(q.Scale[k]) * float64(v[i]-q.ZeroPoint[k]))
	}
	return out
}

func run(t *testing.T, m *model.Model, fill func(edged.Engine), see func(edged.Spec, []float32)) {
	t.Helper()
	file, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	e, err := fallback.Open(file, edged.Options{Threads: 1, Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	fill(e)
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	for i, s := range e.Outputs() {
		see(s, realValues(e.Output(i), s))
	}
}
