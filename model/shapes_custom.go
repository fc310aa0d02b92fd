package model

import "encoding/binary"

// OpConvolution2DTransposeBias is MediaPipe's transposed convolution with a
// bias: inputs x [N,H,W,I], filter [O,kh,kw,I] and bias [O].
const OpConvolution2DTransposeBias = "Convolution2DTransposeBias"

// customShapeRules holds the rules of custom operators, by their names.
var customShapeRules = map[string]shapeRule{
	OpConvolution2DTransposeBias: shapeTransposeBias, OpDetectionPostProcess: shapeDetectionPostProcess,
}

// TransposeBiasOptions reads the custom options of MediaPipe's transposed
// convolution: three int32, TFLite's C enum of paddings (1 same, 2 valid) and
// the strides along x and y.
func TransposeBiasOptions(op *Operator) (TransposeConvOptions, error) {
	b := op.CustomOptions
	if len(b) < 12 {
		return TransposeConvOptions{}, malformed("%d bytes of custom options where 12 are asked for", len(b))
	}
	word := func(i int) int32 { return int32(binary.LittleEndian.Uint32(b[4*i:])) }
	o := TransposeConvOptions{StrideW: word(1), StrideH: word(2)}
	switch word(0) {
	case 1:
		o.Padding = PaddingSame
	case 2:
		o.Padding = PaddingValid
	default:
		return o, unsupported("padding %d", word(0))
	}
	if o.StrideW < 1 || o.StrideH < 1 {
		return o, malformed("strides %d, %d", o.StrideH, o.StrideW)
	}
	return o, nil
}

// TransposeBiasSize is the output length of MediaPipe's transposed convolution
// along one axis, and how much of it is cut off before the first pixel.
func TransposeBiasSize(p Padding, in, k, stride int64) (out, before int64) {
	cut := int64(0)
	if p == PaddingSame {
		cut = max(0, k-(in-1)%stride-1)
	}
	return stride*(in-1) + k - cut, cut / 2
}

func shapeTransposeBias(o *opShape) ([]dims, error) {
	opt, err := TransposeBiasOptions(o.op)
	if err != nil {
		return nil, err
	}
	in, err := o.ranked(0, 4)
	if err != nil {
		return nil, err
	}
	f, err := o.ranked(1, 4)
	if err != nil {
		return nil, err
	}
	if f[3] != in[3] || in[1] < 1 || in[2] < 1 {
		return nil, malformed("filter %v does not fit an input of %v", f, in)
	}
	h, _ := TransposeBiasSize(opt.Padding, in[1], f[1], int64(opt.StrideH))
	w, _ := TransposeBiasSize(opt.Padding, in[2], f[2], int64(opt.StrideW))
	return one(dims{in[0], h, w, f[0]}), nil
}
