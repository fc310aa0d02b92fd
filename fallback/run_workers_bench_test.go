package fallback

import (
	"math/rand/v2"
	"testing"

	"edged"
	"edged/model"
)

// BenchmarkAveragePool measures the pool at the end of a classifier: one window
// over the whole map.
func BenchmarkAveragePool(b *testing.B) {
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		b.Run(typ.String(), func(b *testing.B) {
			g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(1, 1))}
			o := &model.Pool2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2, FilterHeight: 7, FilterWidth: 7}
			e := open(b, file(b, g.Builder, g.q(g.Op(model.OpAveragePool2D, o, g.in(1, 7, 7, 1024)))), edged.Options{Threads: 1})
			for b.Loop() {
				if err := e.Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
