package audit

import (
	"image"
	"image/color"

	"edged"
	"edged/internal/pipeline"
)

// pictureOf turns a part of a prepared input back into a picture. part is y, x,
// height, width.
func pictureOf(input []byte, s edged.Spec, c pipeline.PrepareConfig, part [4]int) *image.NRGBA {
	w, ch := s.Shape[2], s.Shape[3]
	img := image.NewNRGBA(image.Rect(0, 0, part[3], part[2]))
	for y := range part[2] {
		for x := range part[3] {
			var px [3]byte
			for k := range 3 {
				from := min(k, ch-1)
				px[k] = pixel(input, s, c, ((part[0]+y)*w+part[1]+x)*ch+from, from)
			}
			if c.Order == edged.BGR {
				px[0], px[2] = px[2], px[0]
			}
			img.SetNRGBA(x, y, color.NRGBA{px[0], px[1], px[2], 255})
		}
	}
	return img
}

// pixel is element i of the input, of a channel, before its mean and scale.
func pixel(input []byte, s edged.Spec, c pipeline.PrepareConfig, i, ch int) byte {
	var v float64
	switch s.Type {
	case edged.Float32:
		v = float64(edged.View[float32](input)[i])
	case edged.Int8:
		v = float64(s.Quant.Scale) * float64(int32(int8(input[i]))-s.Quant.ZeroPoint)
	default:
		v = float64(s.Quant.Scale) * float64(int32(input[i])-s.Quant.ZeroPoint)
	}
	v = v/c.Scale[min(ch, len(c.Scale)-1)] + c.Mean[min(ch, len(c.Mean)-1)]
	return byte(min(max(v+0.5, 0), 255))
}
