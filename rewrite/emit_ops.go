package rewrite

import (
	"math"

	"edged/model"
)

func builtin(c model.BuiltinOperator) model.OperatorCode {
	return model.OperatorCode{Builtin: c, Version: 1}
}

// reshape gives t another shape; -1 leaves the batch open.
func (e *emitter) reshape(t int32, s spec, shape ...int) int32 {
	options := &model.ReshapeOptions{}
	for _, d := range shape {
		options.NewShape = append(options.NewShape, int32(d))
	}
	return e.op(builtin(model.OpReshape), options, []int32{t, e.list(shape...)}, s)
}

// crop keeps the first n elements after begin along y and x.
func (e *emitter) crop(t int32, begin, n pair, s spec) int32 {
	if (begin == pair{}) && n == e.size(t) {
		return t
	}
	return e.op(builtin(model.OpSlice), &model.SliceOptions{},
		[]int32{t, e.list(0, begin[0], begin[1], 0), e.list(-1, n[0], n[1], -1)}, s)
}

// cropStrided keeps every s-th element after begin, n of them.
func (e *emitter) cropStrided(t int32, begin, n, step pair, s spec) int32 {
	if (step == pair{1, 1}) {
		return e.crop(t, begin, n, s)
	}
	end := pair{begin[0] + (n[0]-1)*step[0] + 1, begin[1] + (n[1]-1)*step[1] + 1}
	return e.op(builtin(model.OpStridedSlice), &model.StridedSliceOptions{BeginMask: 0b1001, EndMask: 0b1001},
		[]int32{t, e.list(0, begin[0], begin[1], 0), e.list(0, end[0], end[1], 0), e.list(1, step[0], step[1], 1)}, s)
}

// pad adds zeros (zero points) around the map.
func (e *emitter) pad(t int32, a, b pair, s spec) int32 {
	if (a == pair{}) && (b == pair{}) {
		return t
	}
	return e.op(builtin(model.OpPad), &model.PadOptions{}, []int32{t, e.pads(a, b)}, s)
}

func (e *emitter) pads(a, b pair) int32 {
	return e.ints([]int32{4, 2}, 0, 0, a[0], b[0], a[1], b[1], 0, 0)
}

// padLowest adds the type's minimum around the map: a maximum skips it.
func (e *emitter) padLowest(t int32, a, b pair, s spec) int32 {
	if (a == pair{}) && (b == pair{}) {
		return t
	}
	return e.op(builtin(model.OpPadV2), &model.PadV2Options{}, []int32{t, e.pads(a, b), e.lowest(s)}, s)
}

// lowest is a scalar constant: the least value of the type, quantised as the map.
func (e *emitter) lowest(s spec) int32 {
	var data []byte
	switch s.typ {
	case model.TypeFloat32:
		data = int32Bytes(int(int32(math.Float32bits(-math.MaxFloat32))))
	case model.TypeInt8:
		data = []byte{0x80}
	case model.TypeInt16:
		data = []byte{0x00, 0x80}
	case model.TypeUint8:
		data = []byte{0}
	default:
		panic(emitError{&Refusal{Reason: "pads a maximum over " + s.typ.String() + " elements"}})
	}
	return e.addTensor(&model.Tensor{Name: "edged/lowest", Type: s.typ, Quantization: s.quant, Buffer: e.addBuffer(data), HasRank: true})
}

// spaceToBatch splits the map into block[0]*block[1] fragments, after padding
// its end by tail.
func (e *emitter) spaceToBatch(t int32, block, tail pair, s spec) int32 {
	return e.op(builtin(model.OpSpaceToBatchND), &model.SpaceToBatchNDOptions{},
		[]int32{t, e.list(block[0], block[1]), e.ints([]int32{2, 2}, 0, tail[0], 0, tail[1])}, s)
}

// batchToSpace undoes spaceToBatch and cuts the end off, leaving n elements.
func (e *emitter) batchToSpace(t int32, block, n pair, s spec) int32 {
	have := e.size(t)
	return e.op(builtin(model.OpBatchToSpaceND), &model.BatchToSpaceNDOptions{},
		[]int32{t, e.list(block[0], block[1]), e.ints([]int32{2, 2}, 0, have[0]*block[0]-n[0], 0, have[1]*block[1]-n[1])}, s)
}

func (e *emitter) concat(axis int, in []int32, s spec) int32 {
	if len(in) == 1 {
		return in[0]
	}
	return e.op(builtin(model.OpConcatenation), &model.ConcatenationOptions{Axis: int32(axis)}, in, s)
}

// tailFor is what is missing to make n a multiple of block.
func tailFor(n, block pair) pair {
	return pair{ceilDiv(n[0], block[0])*block[0] - n[0], ceilDiv(n[1], block[1])*block[1] - n[1]}
}
