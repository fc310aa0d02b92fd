package model

import "testing"

// tenMegabytes is a net of a hundred convolutions with 10 MB of weights.
func tenMegabytes() *Model {
	b := NewBuilder()
	x := b.Input("x", TypeFloat32, 1, 64, 64, 53)
	for range 100 {
		x = b.Conv2D(x, Const(b, "", []int{53, 3, 3, 53}, make([]float32, 9*53*53)), None, Conv2DOptions{Activation: ActRelu})
	}
	return b.Model(x)
}

func BenchmarkRead10MB(b *testing.B) {
	file := mustWrite(b, tenMegabytes())
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := Read(file); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite10MB(b *testing.B) {
	m := tenMegabytes()
	for b.Loop() {
		mustWrite(b, m)
	}
}

func BenchmarkInferShapes(b *testing.B) {
	m := tenMegabytes()
	for b.Loop() {
		if err := m.InferShapes(0); err != nil {
			b.Fatal(err)
		}
	}
}
