package fallback

import (
	"math/rand/v2"
	"testing"

	"edged"
	"edged/internal/kernel/cpu"
	"edged/model"
)

func int8s(r *rand.Rand, n int) []int8 {
	v := make([]int8, n)
	for i := range v {
		v[i] = int8(r.IntN(255) - 127)
	}
	return v
}

// TestI16x8LongSums: rows that are cut in parts, of every length near a cut and
// with the greatest values, sum as int64 does.
func TestI16x8LongSums(t *testing.T) {
	for _, v := range cpu.Available() {
		for _, n := range []int{1, 2, 511, 512, 513, 1023, 1025, 1537} {
			r := rand.New(rand.NewPCG(uint64(n), 9))
			const outputs, rows = 19, 7
			weights, bias := int8s(r, outputs*n), make([]int64, outputs)
			for i := range bias {
				bias[i] = r.Int64N(1<<40) - 1<<39
			}
			b := model.NewBuilder()
			x := b.Quant(b.Input("x", model.TypeInt16, rows, n), 0.001, 0)
			w := b.Quant(model.Const(b, "w", []int{outputs, n}, weights), 0.01, 0)
			y := b.Quant(b.FullyConnected(x, w, model.Const(b, "b", []int{outputs}, bias), model.FullyConnectedOptions{}), 20, 0)
			e, err := on(v)(file(t, b, y), edged.Options{Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			in := edged.View[int16](e.Input(0))
			for i := range in {
				if in[i] = int16(r.Uint32()); i < n {
					in[i] = -32768
				}
			}
			if err := e.Run(); err != nil {
				t.Fatal(err)
			}
			m, wrong := newMultiplier(float64(float32(0.001)*float32(0.01))/float64(float32(20))), 0
			for i, got := range edged.View[int16](e.Output(0)) {
				sum := bias[i%outputs]
				for k := range n {
					sum += int64(in[i/outputs*n+k]) * int64(weights[i%outputs*n+k])
				}
				if got != scaleWide(sum, m, -32768, 32767) {
					wrong++
				}
			}
			if wrong > 0 {
				t.Errorf("%s, %d terms: %d sums are wrong", v, n, wrong)
			}
			e.Close()
		}
	}
}
