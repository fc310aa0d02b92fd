package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"edged/model"
)

// strangers are small nets of kinds that nobody here would build.
var strangers = map[string]func(s *stranger) []model.Ref{
	// A convolution with integer weights behind another operator.
	"hybrid": func(s *stranger) []model.Ref {
		x := s.Op(model.OpRelu, nil, s.Input("x", model.TypeFloat32, 1, 6, 6, 2))
		w := s.PerChannel(model.Const(s.Builder, "w", []int{2, 1, 1, 2}, []int8{3, -5, 7, 90}), 0, []float32{0.1, 0.2}, []int64{0, 0})
		return []model.Ref{s.Conv2D(x, w, model.Const(s.Builder, "b", []int{2}, s.numbers(2)),
			model.Conv2DOptions{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1})}
	},
	// A net with a state between runs; an alteration says which.
	"rnn": func(s *stranger) []model.Ref {
		const units = 512
		x := s.Input("x", model.TypeFloat32, 1, 2, 4)
		return []model.Ref{s.Custom("rnn", nil, []int{1, 2, units}, x,
			model.Const(s.Builder, "w", []int{units, 4}, s.numbers(4*units)),
			model.Const(s.Builder, "r", []int{units, units}, make([]float32, units*units)),
			model.Const(s.Builder, "b", []int{units}, s.numbers(units)),
			model.Const(s.Builder, "state", []int{1, units}, make([]float32, units)))}
	},
	"coral": func(s *stranger) []model.Ref {
		return []model.Ref{s.Custom("edgetpu-custom-op", nil, []int{1, 4}, s.Input("x", model.TypeInt8, 1, 4))}
	},
	"atan2": func(s *stranger) []model.Ref {
		x := s.Input("x", model.TypeFloat32, 1, 4)
		return []model.Ref{s.Custom("atan2", nil, []int{1, 4}, x, x)}
	},
	// A net that pads; TF pads even sizes otherwise than odd ones.
	"same": func(s *stranger) []model.Ref {
		x := s.Input("x", model.TypeFloat32, 1, 16, 16, 3)
		return []model.Ref{s.conv(s.conv(x, 8, 3, 2), 4, 3, 1)}
	},
	// Two heads, flattened so that positions mix with channels, and joined.
	"heads": func(s *stranger) []model.Ref {
		x := s.conv(s.conv(s.Input("x", model.TypeFloat32, 1, 32, 32, 3), 8, 3, 2), 8, 3, 2)
		near := s.Name(s.conv(x, 6, 1, 1), "near")
		far := s.Name(s.conv(s.conv(x, 8, 3, 2), 6, 1, 1), "far")
		return []model.Ref{s.Concat(1, s.Reshape(near, 1, 192, 2), s.Reshape(far, 1, 48, 2))}
	},
	// A patch classifier from PyTorch: planes in, and in the middle again.
	"planes": func(s *stranger) []model.Ref {
		x := s.Transpose(s.Input("x", model.TypeFloat32, 1, 3, 32, 32), 0, 2, 3, 1)
		w := model.Const(s.Builder, "w", []int{4, 3, 3, 3}, s.numbers(108))
		x = s.Conv2D(x, w, model.Const(s.Builder, "b", []int{4}, s.numbers(4)), model.Conv2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1})
		x = s.Reshape(s.Transpose(x, 0, 3, 1, 2), 1, 900)
		return []model.Ref{s.FullyConnected(x, model.Const(s.Builder, "f", []int{3, 900}, s.numbers(2700)), model.Const(s.Builder, "g", []int{3}, s.numbers(3)), model.FullyConnectedOptions{})}
	},
	// DeepLab's end: the last resize keeps the corners.
	"corners": func(s *stranger) []model.Ref {
		x := s.conv(s.conv(s.Input("x", model.TypeFloat32, 1, 33, 33, 3), 8, 3, 2), 3, 3, 2)
		return []model.Ref{s.ResizeBilinear(x, 33, 33, model.ResizeBilinearOptions{AlignCorners: true})}
	},
	// Slopes that belong to the places of the map.
	"slopes": func(s *stranger) []model.Ref {
		x := s.conv(s.Input("x", model.TypeFloat32, 1, 16, 16, 3), 4, 3, 2)
		return []model.Ref{s.conv(s.Prelu(x, model.Const(s.Builder, "a", []int{8, 8, 4}, s.numbers(256))), 2, 3, 2)}
	},
	// A number beside the picture, which the second head alone looks at.
	"beside": func(s *stranger) []model.Ref {
		x := s.Name(s.conv(s.conv(s.Input("x", model.TypeFloat32, 1, 32, 32, 3), 8, 3, 2), 3, 3, 2), "map")
		return []model.Ref{s.Mul(x, s.Input("gain", model.TypeFloat32, 1, 1, 1, 3), model.ActNone)}
	},
	// Bytes as they are in, class ids out: the greatest of three channels.
	"bytes": func(s *stranger) []model.Ref {
		x := s.Op(model.OpCast, &model.CastOptions{InDataType: model.TypeUint8, OutDataType: model.TypeFloat32}, s.Input("x", model.TypeUint8, 1, 48, 64, 3))
		return []model.Ref{s.Op(model.OpArgMax, &model.ArgMaxOptions{OutputType: model.TypeInt64}, s.colours(x), s.Ints(3))}
	},
}

// colours is a convolution that leaves three channels as they are.
func (s *stranger) colours(x model.Ref) model.Ref {
	w := model.Const(s.Builder, "w", []int{3, 1, 1, 3}, []float32{1, 0, 0, 0, 1, 0, 0, 0, 1})
	return s.Conv2D(x, w, model.Const(s.Builder, "b", []int{3}, []float32{0, 0, 0}), model.Conv2DOptions{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1})
}

// stranger is a builder whose weights are a fixed sequence.
type stranger struct {
	*model.Builder
	seed uint32
}

// numbers are n weights from -0.5 to 0.5.
func (s *stranger) numbers(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		s.seed = s.seed*1664525 + 1013904223
		v[i] = float32(s.seed>>8)/(1<<24) - 0.5
	}
	return v
}

// conv is a padded convolution of k x k with a stride.
func (s *stranger) conv(x model.Ref, out, k, stride int) model.Ref {
	in := s.Shape(x)[3]
	w := model.Const(s.Builder, "w", []int{out, k, k, in}, s.numbers(out*k*k*in))
	return s.Conv2D(x, w, model.Const(s.Builder, "b", []int{out}, s.numbers(out)),
		model.Conv2DOptions{Padding: model.PaddingSame, StrideH: int32(stride), StrideW: int32(stride), DilationH: 1, DilationW: 1})
}

// scriptNet writes a stranger's net: net FILE KIND.
func scriptNet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || strangers[args[1]] == nil {
		ts.Fatalf("usage: net file kind")
	}
	s := &stranger{Builder: model.NewBuilder(), seed: 7}
	m, err := s.Build(strangers[args[1]](s)...)
	ts.Check(err)
	file, err := m.Write()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o644))
}

// scriptPicture writes a PNG of one colour: picture FILE WIDTH HEIGHT RRGGBB.
func scriptPicture(ts *testscript.TestScript, neg bool, args []string) {
	var w, h int
	var c color.NRGBA
	if neg || len(args) != 4 {
		ts.Fatalf("usage: picture file width height rrggbb")
	}
	_, err := fmt.Sscanf(args[1]+" "+args[2]+" "+args[3], "%d %d %02x%02x%02x", &w, &h, &c.R, &c.G, &c.B)
	ts.Check(err)
	c.A = 255
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	var b bytes.Buffer
	ts.Check(png.Encode(&b, img))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}
