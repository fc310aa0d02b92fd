//go:build tflite && cgo

package model_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"edged/model"
)

// Random slices and windows: the arithmetic at the ends is where rules differ.
func TestRandomSlicesAreTFLites(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 300 {
		rank := 1 + r.IntN(4)
		shape, begin, end, step := make([]int, rank), make([]int, rank), make([]int, rank), make([]int, rank)
		o := model.StridedSliceOptions{BeginMask: r.Int32N(16), EndMask: r.Int32N(16)}
		for k := range rank {
			shape[k] = 1 + r.IntN(5)
			begin[k], end[k] = r.IntN(13)-6, r.IntN(13)-6
			step[k] = 1 + r.IntN(3)
			switch r.IntN(5) {
			case 0:
				step[k] = -step[k]
			case 1: // one index, which drops the dimension
				begin[k] = r.IntN(2*shape[k]) - shape[k]
				step[k] = 1
				o.BeginMask &^= 1 << k
				o.ShrinkAxisMask |= 1 << k
			}
		}
		name := fmt.Sprintf("%d: %v[%v:%v:%v] %+v", i, shape, begin, end, step, o)
		b := model.NewBuilder()
		y := b.StridedSlice(b.Input("x", model.TypeFloat32, shape...), begin, end, step, o)
		if b.Err() != nil {
			t.Fatalf("%s: %v", name, b.Err())
		}
		n := 1
		for _, d := range b.Shape(y) {
			n *= d
		}
		if n == 0 {
			continue // TFLite's own handling of empty tensors differs from kernel to kernel
		}
		checkShapes(t, name, func(b *model.Builder) []model.Ref {
			return refs(b.StridedSlice(b.Input("x", model.TypeFloat32, shape...), begin, end, step, o))
		})
	}
}

func TestRandomWindowsAreTFLites(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 300 {
		h, w, kh, kw := 1+r.IntN(20), 1+r.IntN(20), 1+r.IntN(5), 1+r.IntN(5)
		o := model.Conv2DOptions{
			Padding: model.Padding(r.IntN(2)), StrideH: 1 + r.Int32N(3), StrideW: 1 + r.Int32N(3), DilationH: 1 + r.Int32N(3), DilationW: 1 + r.Int32N(3),
		}
		fits := model.OutSize(o.Padding, int64(h), int64(kh), int64(o.StrideH), int64(o.DilationH)) > 0 &&
			model.OutSize(o.Padding, int64(w), int64(kw), int64(o.StrideW), int64(o.DilationW)) > 0
		if !fits {
			continue
		}
		checkShapes(t, fmt.Sprintf("%d: %dx%d filter %dx%d %+v", i, h, w, kh, kw, o), func(b *model.Builder) []model.Ref {
			return refs(b.Conv2D(image(b, h, w, 2), floats(b, 3, kh, kw, 2), model.None, o))
		})
	}
}
