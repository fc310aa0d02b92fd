package fallback

import (
	"math"

	"edged"
	"edged/model"
)

// maxRank is the highest number of dimensions of a tensor.
const maxRank = 8

// tensor is an edge of the planned graph, or a scratch area of one operator.
type tensor struct {
	index int // in the subgraph, -1 for scratch
	name  string
	typ   model.TensorType
	shape []int // nil until it is known
	quant quant

	raw      []byte        // the file's constant content, else nil
	sparse   bool          // raw holds fewer values than shape says: for DENSIFY alone
	fold     []*step       // the steps that compute it once, before the first frame
	root     *tensor       // the tensor whose memory it shares, else nil
	view     *view         // its place in root, a concatenation; nil: it is all of it
	deferred *deferredPool // the max pool that is still to compute it, or nil
	input    bool          // of the graph
	output   bool          // of the graph

	data        []byte // its memory while the engine runs
	first, last int    // steps that write and read it, -1: none
	keep        bool   // it must outlive the last step
	offset      int64  // in the arena
	bytes       int64  // with the border
	border      border // around each image, of zeros or zero points
}

// quant is TFLite's affine quantisation: real = scale * (q - zero). One scale,
// or one for every index of dimension axis; no scale: not quantised.
type quant struct {
	scale []float32
	zero  []int32
	axis  int
}

func (q quant) scaleAt(i int) float32 { return q.scale[min(i, len(q.scale)-1)] }

// zero0 is the zero point of a tensor quantised as a whole.
func (q quant) zero0() int32 {
	if len(q.zero) == 0 {
		return 0
	}
	return q.zero[0]
}

func (q quant) zeroAt(i int) int32 {
	if len(q.zero) == 0 {
		return 0
	}
	return q.zero[min(i, len(q.zero)-1)]
}

// perTensor says that one finite positive scale stands for the whole tensor.
func (q quant) perTensor() bool {
	return len(q.scale) == 1 && q.scale[0] > 0 && !math.IsInf(float64(q.scale[0]), 0)
}

func (q quant) same(o quant) bool {
	return len(q.scale) == len(o.scale) && (len(q.scale) == 0 || q.scale[0] == o.scale[0] && q.zero0() == o.zero0())
}

// dtypes maps the model's element types to edged's; others are not computed.
var dtypes = map[model.TensorType]edged.DType{
	model.TypeFloat32: edged.Float32, model.TypeFloat16: edged.Float16, model.TypeInt8: edged.Int8,
	model.TypeUint8: edged.Uint8, model.TypeInt16: edged.Int16, model.TypeInt32: edged.Int32,
	model.TypeInt64: edged.Int64, model.TypeBool: edged.Bool, model.TypeUint32: edged.Uint32,
	model.TypeUint16: edged.Uint16, model.TypeFloat64: edged.Float64, model.TypeUint64: edged.Uint64,
}

// elem is the size of one element in bytes.
func (t *tensor) elem() int { return dtypes[t.typ].Size() }

// elems is the product of the dimensions.
func (t *tensor) elems() int { return product(t.shape) }

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// constant says that the content is known before the first frame.
func (t *tensor) constant() bool {
	return t.raw != nil || t.fold != nil || t.root != nil && t.root.constant()
}

// memory is the tensor that owns t's memory.
func (t *tensor) memory() *tensor {
	for t.root != nil {
		t = t.root
	}
	return t
}

func (t *tensor) content() []byte { return t.data }
func (t *tensor) f32() []float32  { return edged.View[float32](t.data) }
func (t *tensor) i8() []int8      { return edged.View[int8](t.data) }
func (t *tensor) i16() []int16    { return edged.View[int16](t.data) }
func (t *tensor) i32() []int32    { return edged.View[int32](t.data) }
func (t *tensor) i64() []int64    { return edged.View[int64](t.data) }

// quantised says that t holds 8-bit values with a scale.
func (t *tensor) quantised() bool { return t.typ == model.TypeInt8 || t.typ == model.TypeUint8 }

// bounds are the extreme values of t's 8-bit or 16-bit type.
func (t *tensor) bounds() (lo, hi int32) {
	switch t.typ {
	case model.TypeUint8:
		return 0, 255
	case model.TypeInt16:
		return math.MinInt16, math.MaxInt16
	}
	return math.MinInt8, math.MaxInt8
}

func (t *tensor) spec() edged.Spec {
	s := edged.Spec{Name: t.name, Shape: append([]int{}, t.shape...), Type: dtypes[t.typ]}
	if t.quant.perTensor() {
		s.Quant = edged.Quant{Scale: t.quant.scale[0], ZeroPoint: t.quant.zero0()}
	}
	return s
}
