package rows_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"edged"
	"edged/fallback"
	"edged/internal/rows"
	"edged/model"
	"edged/train/nets"
)

// noise fills a tensor's memory.
func noise(s edged.Spec, b []byte, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 5))
	if s.Type == edged.Float32 {
		for i, v := 0, edged.View[float32](b); i < len(v); i++ {
			v[i] = r.Float32()*2 - 1
		}
		return
	}
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}

// pushed is the map of a picture that is pushed n rows at a time.
func pushed(t *testing.T, s edged.Rows, picture []byte, n int) []byte {
	t.Helper()
	row := s.In().Bytes() / s.In().Shape[1]
	var all []byte
	for len(picture) > 0 {
		k := copy(s.Input()[:n*row], picture)
		picture = picture[k:]
		if _, err := s.Push(k / row); err != nil {
			t.Fatal(err)
		}
		all = append(all, s.Output()...)
	}
	if _, err := s.End(); err != nil {
		t.Fatal(err)
	}
	return append(all, s.Output()...)
}

func near(s edged.Spec, a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	if s.Type != edged.Float32 {
		return bytes.Equal(a, b)
	}
	x, y := edged.View[float32](a), edged.View[float32](b)
	span := float32(0)
	for _, v := range x {
		span = max(span, v, -v)
	}
	for i := range x {
		if d := x[i] - y[i]; !(d <= 1e-5*span && d >= -1e-5*span) {
			return false
		}
	}
	return true
}

// TestBundledNets: their rows are the whole picture's; 10,000 rows of them with
// EDGED_EXTENDED.
func TestBundledNets(t *testing.T) {
	h, few := 10000, testing.Short()
	if os.Getenv("EDGED_EXTENDED") != "1" {
		h = 520
	}
	for i, net := range nets.Names() {
		w, q := 48, 1
		if strings.Contains(net, "same") {
			w, q = 128, 2
			h = h / 32 * 32
		}
		if few && i%2 == 1 {
			continue
		}
		m := dense(t, net, h, w, q)
		whole := opened(t, m)
		in := whole.Inputs()[0]
		noise(in, whole.Input(0), uint64(i))
		picture := bytes.Clone(whole.Input(0))
		if err := whole.Run(); err != nil {
			t.Fatal(err)
		}
		got := pushed(t, stream(t, m, 32, -1), picture, 13)
		if out := whole.Outputs()[0]; !near(out, whole.Output(0), got) {
			t.Errorf("%s: %d bytes of rows are not the whole picture's %d", net, len(got), out.Bytes())
		}
	}
}

// TestAHoleBeginsAPicture: wherever a picture ends, nothing of it reaches the next,
// and nothing of the next reaches it.
func TestAHoleBeginsAPicture(t *testing.T) {
	const w, field = 44, 39
	m := dense(t, nets.ValidInt8, 90, w, 1)
	s := stream(t, m, 8, 0)
	in := s.In()
	row := in.Bytes() / in.Shape[1]
	picture := make([]byte, 130*row)
	noise(in, picture, 3)
	clean := pushed(t, s, picture[:60*row], 7)
	for hole := range 2*field + 4 {
		first := pushed(t, s, picture[:hole*row], 5)
		if want := max(0, hole-field+1) * (w - field + 1) * 5; len(first) != want {
			t.Fatalf("%d rows give %d bytes, not %d", hole, len(first), want)
		}
		s.Input()[0] ^= 1 // rows that are given up before the next picture
		if _, err := s.Push(hole % 8); err != nil {
			t.Fatal(err)
		}
		s.Reset()
		if again := pushed(t, s, picture[:60*row], 6); !bytes.Equal(again, clean) {
			t.Fatalf("after a hole behind row %d the next picture is another", hole)
		}
	}
}

// TestPushAllocatesNothing, once the engine has met its workers.
func TestPushAllocatesNothing(t *testing.T) {
	s := stream(t, dense(t, nets.ValidInt8, 64, 96, 2), 16, -1)
	push := func() {
		if _, err := s.Push(16); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		push()
	}
	if n := testing.AllocsPerRun(50, push); n > 0 {
		t.Errorf("%v allocations a strip", n)
	}
}

// TestRefusals name the operator.
func TestRefusals(t *testing.T) {
	build := func(f func(b *model.Builder, x model.Ref) model.Ref) *model.Model {
		b := model.NewBuilder()
		return b.Model(f(b, b.Input("x", model.TypeFloat32, 1, 12, 12, 3)))
	}
	for want, m := range map[string]*model.Model{
		"MEAN":      build(func(b *model.Builder, x model.Ref) model.Ref { return b.Mul(x, b.Mean(x, true, 1, 2), model.ActNone) }),
		"TRANSPOSE": build(func(b *model.Builder, x model.Ref) model.Ref { return b.Transpose(x, 0, 2, 1, 3) }),
		"RESHAPE":   build(func(b *model.Builder, x model.Ref) model.Ref { return b.Reshape(x, 1, 24, 6, 3) }),
		"AVERAGE_POOL": build(func(b *model.Builder, x model.Ref) model.Ref { // over all of it, padded
			return b.AvgPool(x, model.Pool2DOptions{Padding: model.PaddingSame, FilterHeight: 24, FilterWidth: 3, StrideH: 1, StrideW: 1})
		}),
		"RESIZE_BILINEAR": build(func(b *model.Builder, x model.Ref) model.Ref {
			return b.ResizeBilinear(x, 18, 24, model.ResizeBilinearOptions{})
		}),
		"RESIZE_NEAREST_NEIGHBOR": build(func(b *model.Builder, x model.Ref) model.Ref { // 3 of 6 is a tie
			return b.ResizeNearest(x, 67, 12, model.ResizeNearestNeighborOptions{AlignCorners: true})
		}),
		"RESIZE_BILINEAR mixes whole": build(func(b *model.Builder, x model.Ref) model.Ref { // its places drift by a row in 3,000
			return b.ResizeBilinear(b.Quantize(x, model.TypeInt8, 0.1, 3), 36, 24, model.ResizeBilinearOptions{})
		}),
		"ADD": build(func(b *model.Builder, x model.Ref) model.Ref {
			return b.Add(x, model.Const(b, "", []int{1, 12, 12, 3}, make([]float32, 432)), model.ActNone)
		}),
	} {
		_, err := rows.Open(m, fallback.Open, rows.Options{Strip: 4, Delay: -1})
		var why *rows.Refusal
		if !errors.As(err, &why) || !strings.HasPrefix(why.Op, strings.Fields(want)[0]) {
			t.Errorf("%s: %v", want, err)
		}
	}
	for _, o := range []rows.Options{{Strip: 0}, {Strip: 1 << 20}, {Strip: 4, Delay: -2}} {
		if _, err := rows.Open(dense(t, nets.ValidInt8, 64, 96, 2), fallback.Open, o); err == nil {
			t.Errorf("%+v passes", o)
		}
	}
}
