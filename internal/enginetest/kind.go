package enginetest

import (
	"math"

	"edged/model"
)

// kind is the arithmetic that a case exercises.
type kind struct {
	name  string
	dtype model.TensorType // of the activations
	form  weightForm
}

// weightForm is how an operator with weights stores them.
type weightForm int

const (
	plain      weightForm = iota // the activations' type, one scale
	perChannel                   // int8, one scale an output channel
	hybrid                       // int8 weights, float32 activations: dynamic range
	hybridPerChannel
	half // float16 behind DEQUANTIZE
)

var (
	f32       = kind{"float32", model.TypeFloat32, plain}
	i8        = kind{"int8", model.TypeInt8, plain}
	u8        = kind{"uint8", model.TypeUint8, plain}
	i32       = kind{"int32", model.TypeInt32, plain}
	i64       = kind{"int64", model.TypeInt64, plain}
	boolean   = kind{"bool", model.TypeBool, plain}
	i16       = kind{"int16x8", model.TypeInt16, perChannel}
	i16Plain  = kind{"int16", model.TypeInt16, plain}
	i8Channel = kind{"int8-per-channel", model.TypeInt8, perChannel}
	dynamic   = kind{"dynamic-range", model.TypeFloat32, hybrid}
	dynamicPC = kind{"dynamic-range-per-channel", model.TypeFloat32, hybridPerChannel}
	f16       = kind{"float16-weights", model.TypeFloat32, half}
)

func (k kind) quantised() bool {
	return k.dtype == model.TypeInt8 || k.dtype == model.TypeUint8 || k.dtype == model.TypeInt16
}

func scaleOf(q *model.Quantization) float32 {
	if q == nil {
		return 1
	}
	return q.Scale[0]
}

func affine(scale float32, zero int64) *model.Quantization {
	return &model.Quantization{Scale: []float32{scale}, ZeroPoint: []int64{zero}}
}

// quant is a random quantisation of the case's kind, nil for float32 and int32.
func (g *graph) quant() *model.Quantization {
	if !g.kind.quantised() {
		return nil
	}
	if g.kind.dtype == model.TypeInt16 {
		return affine(0.00002*float32(math.Exp2(4*g.r.Float64())), 0)
	}
	return g.quantScaled(0.004 * float32(math.Exp2(4*g.r.Float64())))
}

// quantScaled is a quantisation with the given scale and a random zero point,
// sometimes at an end of the range.
func (g *graph) quantScaled(scale float32) *model.Quantization {
	if g.kind.dtype == model.TypeInt16 {
		return affine(scale, 0)
	}
	low, high := int64(-128), int64(127)
	if g.kind.dtype == model.TypeUint8 {
		low, high = 0, 255
	}
	middle := (low + high) / 2
	return affine(scale, pick(g, low, high, middle, middle+g.r.Int64N(101)-50, middle+g.r.Int64N(101)-50))
}

// fixedQuant is the quantisation that TFLite demands of an operator's output.
func (g *graph) fixedQuant(scale float32, zeroInt8, zeroUint8 int64) *model.Quantization {
	switch g.kind.dtype {
	case model.TypeInt8:
		return affine(scale, zeroInt8)
	case model.TypeUint8:
		return affine(scale, zeroUint8)
	case model.TypeInt16:
		return affine(1.0/32768, 0)
	}
	return nil
}

// weights adds the constant weights of a convolution-like operator and returns
// the tensor to read and its scales. axis is the dimension of output channels.
func (g *graph) weights(shape []int32, axis int32) (id int32, scales []float32) {
	n, span := elems(shape), float32(1)
	if g.unit {
		span = float32(math.Sqrt(3 / float64(g.terms)))
	}
	switch g.kind.form {
	case half:
		id = g.constant(model.TypeFloat16, shape, nil, g.values(model.TypeFloat16, n, -span, span))
		return g.dequantize(id), nil
	case perChannel, hybridPerChannel:
		q := &model.Quantization{QuantizedDimension: axis}
		for range shape[axis] {
			q.Scale = append(q.Scale, g.weightScale())
			q.ZeroPoint = append(q.ZeroPoint, 0)
		}
		return g.constant(model.TypeInt8, shape, q, g.symmetric(n)), q.Scale
	case hybrid:
		q := affine(g.weightScale(), 0)
		return g.constant(model.TypeInt8, shape, q, g.symmetric(n)), q.Scale
	}
	switch g.kind.dtype {
	case model.TypeInt8, model.TypeInt16:
		q := affine(g.weightScale(), 0)
		return g.constant(model.TypeInt8, shape, q, g.symmetric(n)), q.Scale
	case model.TypeUint8:
		q := affine(g.weightScale(), int64(g.between(100, 155)))
		return g.constant(model.TypeUint8, shape, q, g.values(model.TypeUint8, n, 0, 0)), q.Scale
	}
	return g.constant(model.TypeFloat32, shape, nil, g.values(model.TypeFloat32, n, -span, span)), nil
}

// weightScale is a random scale of quantised weights. Uniform bytes deviate by
// 74, so that 1/(74 sqrt(K)) keeps the size of a sum of K terms.
func (g *graph) weightScale() float32 {
	if g.unit {
		return (0.5 + g.r.Float32()) / (74 * float32(math.Sqrt(float64(g.terms))))
	}
	return 0.002 + 0.02*g.r.Float32()
}

// symmetric are n random int8 values without -128, as TFLite's quantiser
// writes weights.
func (g *graph) symmetric(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(int8(g.between(-127, 127)))
	}
	return b
}

// bias adds the bias for n output channels: float32 beside float activations,
// else int32 with the scales of the accumulators.
func (g *graph) bias(n int32, x int32, scales []float32) int32 {
	if !g.kind.quantised() {
		data := g.values(model.TypeFloat32, int(n), -1, 1)
		return g.constant(model.TypeFloat32, []int32{n}, nil, data)
	}
	q := &model.Quantization{}
	for _, s := range scales {
		q.Scale = append(q.Scale, s*scaleOf(g.sg.Tensors[x].Quantization))
		q.ZeroPoint = append(q.ZeroPoint, 0)
	}
	if g.kind.dtype == model.TypeInt16 {
		return g.constant(model.TypeInt64, []int32{n}, q, g.wideBias(n))
	}
	v := make([]int32, n)
	for i := range v {
		v[i] = g.between(-4000, 4000)
	}
	return g.constant(model.TypeInt32, []int32{n}, q, int32s(v...))
}

// wideBias are biases that sums of 32 bits would not hold.
func (g *graph) wideBias(n int32) []byte {
	var b []byte
	for range n {
		b = appendInt(b, model.TypeInt64, g.r.Int64N(1<<24)-1<<23)
	}
	return b
}

func (g *graph) dequantize(x int32) int32 {
	out := g.tensor(model.TypeFloat32, g.shapeOf(x), nil)
	g.op(model.OpDequantize, &model.DequantizeOptions{}, []int32{x}, out)
	return out
}

// accumulated is an output whose scale suits sums of g.terms products, so that
// its values spread over the range instead of saturating.
func (g *graph) accumulated(x int32, scales []float32) int32 {
	if !g.kind.quantised() {
		return g.tensor(g.kind.dtype, nil, nil)
	}
	largest := float32(0)
	for _, s := range scales {
		largest = max(largest, s)
	}
	// Uniform bytes deviate by 74 from their mean; three deviations fill the range.
	if g.kind.dtype == model.TypeInt16 {
		deviation := 74 * 18900 * float32(math.Sqrt(float64(g.terms))) * largest * scaleOf(g.sg.Tensors[x].Quantization)
		return g.tensor(g.kind.dtype, nil, affine(deviation*3/32768*(0.5+g.r.Float32()), 0))
	}
	deviation := 74 * 74 * float32(math.Sqrt(float64(g.terms))) * largest * scaleOf(g.sg.Tensors[x].Quantization)
	return g.tensor(g.kind.dtype, nil, g.quantScaled(deviation*3/128*(0.5+g.r.Float32())))
}
