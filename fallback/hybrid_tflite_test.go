//go:build tflite && cgo

package fallback

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"edged"
	"edged/model"
)

// answers runs a file of one float input and one float output.
func answers(t *testing.T, opener edged.Opener, data []byte, in []float32) []float32 {
	t.Helper()
	e, err := opener(data, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	copy(edged.View[float32](e.Input(0)), in)
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	return append([]float32{}, edged.View[float32](e.Output(0))...)
}

// near compares with 1e-5 of the range.
func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	var most, apart float64
	for i, v := range want {
		most, apart = max(most, math.Abs(float64(v))), max(apart, math.Abs(float64(v)-float64(got[i])))
	}
	if len(got) != len(want) || !(apart <= 1e-5*most) || most == 0 {
		t.Errorf("%s: apart by %g of %g", what, apart, most)
	}
}

// TestHybridTransposeConv: int8 weights beside floats, which no TensorFlow Lite
// runs, give what the same weights behind DEQUANTIZE give there.
func TestHybridTransposeConv(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for seed := range uint64(12) {
			r := rand.New(rand.NewPCG(seed, 3))
			h, w, c, oc, k, stride := 2+r.IntN(6), 2+r.IntN(6), 1+r.IntN(9), 1+r.IntN(20), 1+r.IntN(4), 1+r.IntN(3)
			weights := int8s(r, oc*k*k*c)
			channel := seed%2 == 1
			build := func(dequantise bool) []byte {
				b := model.NewBuilder()
				x := b.Input("x", model.TypeFloat32, 1, h, w, c)
				f := b.Quant(model.Const(b, "w", []int{oc, k, k, c}, weights), 0.02, 0)
				if channel {
					scales, zeros := make([]float32, oc), make([]int64, oc)
					for i := range scales {
						scales[i] = 0.01 + 0.002*float32(i)
					}
					f = b.PerChannel(f, 0, scales, zeros)
				}
				if dequantise {
					f = b.Dequantize(f)
				}
				bias := model.Const(b, "b", []int{oc}, randoms(rand.New(rand.NewPCG(seed, 4)), oc))
				o := model.TransposeConvOptions{Padding: model.PaddingSame, StrideH: int32(stride), StrideW: int32(stride)}
				return file(t, b, b.TransposeConv(x, f, bias, h*stride, w*stride, o))
			}
			in := randoms(r, h*w*c)
			near(t, fmt.Sprint("seed ", seed), answers(t, Open, build(false), in), answers(t, builtin, build(true), in))
		}
	})
}

// TestHybridBatchMatMul: one product with int8 weights is that of a hybrid
// FULLY_CONNECTED, whichever way the operands lie. TensorFlow Lite 2.9 itself
// reads memory there that nobody wrote.
func TestHybridBatchMatMul(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for seed := range uint64(16) {
			r := rand.New(rand.NewPCG(seed, 5))
			o := model.BatchMatMulOptions{AdjX: seed&1 != 0, AdjY: seed&2 != 0, AsymmetricQuantizeInputs: seed&4 != 0}
			rows, inner, cols := 1+r.IntN(20), 1+r.IntN(40), 1+r.IntN(40)
			upright, in := int8s(r, cols*inner), randoms(r, rows*inner)
			b := model.NewBuilder()
			x := b.Input("x", model.TypeFloat32, rows, inner)
			f := b.Quant(model.Const(b, "w", []int{cols, inner}, upright), 0.02, 0)
			full := file(t, b, b.FullyConnected(x, f, model.None, model.FullyConnectedOptions{AsymmetricQuantizeInputs: o.AsymmetricQuantizeInputs}))
			b = model.NewBuilder()
			shapes, w, given := [2][]int{{rows, inner}, {cols, inner}}, upright, in
			if o.AdjX {
				shapes[0], given = []int{inner, rows}, turned(in, rows, inner)
			}
			if !o.AdjY {
				shapes[1], w = []int{inner, cols}, turned(upright, cols, inner)
			}
			y := b.Op(model.OpBatchMatMul, &o, b.Input("x", model.TypeFloat32, shapes[0]...), b.Quant(model.Const(b, "w", shapes[1], w), 0.02, 0))
			near(t, fmt.Sprint("seed ", seed), answers(t, Open, file(t, b, y), given), answers(t, builtin, full, in))
		}
	})
}

// turned is a matrix of rows x cols, transposed.
func turned[T any](v []T, rows, cols int) []T {
	out := make([]T, len(v))
	for i := range rows {
		for k := range cols {
			out[k*rows+i] = v[i*cols+k]
		}
	}
	return out
}
