package model

import "fmt"

// TensorType is the element type of a tensor.
type TensorType int8

// The element types of the schema.
const (
	TypeFloat32    TensorType = 0
	TypeFloat16    TensorType = 1
	TypeInt32      TensorType = 2
	TypeUint8      TensorType = 3
	TypeInt64      TensorType = 4
	TypeString     TensorType = 5
	TypeBool       TensorType = 6
	TypeInt16      TensorType = 7
	TypeComplex64  TensorType = 8
	TypeInt8       TensorType = 9
	TypeFloat64    TensorType = 10
	TypeComplex128 TensorType = 11
	TypeUint64     TensorType = 12
	TypeResource   TensorType = 13
	TypeVariant    TensorType = 14
	TypeUint32     TensorType = 15
	TypeUint16     TensorType = 16
	TypeInt4       TensorType = 17
	TypeBFloat16   TensorType = 18
	TypeInt2       TensorType = 19
	TypeUint4      TensorType = 20
	TypeFloat8E4M3 TensorType = 21
	TypeFloat8E5M2 TensorType = 22
)

var tensorTypes = [...]struct {
	name string
	bits int // 0: no fixed size
}{
	TypeFloat32: {"float32", 32}, TypeFloat16: {"float16", 16}, TypeInt32: {"int32", 32}, TypeUint8: {"uint8", 8},
	TypeInt64: {"int64", 64}, TypeString: {"string", 0}, TypeBool: {"bool", 8}, TypeInt16: {"int16", 16},
	TypeComplex64: {"complex64", 64}, TypeInt8: {"int8", 8}, TypeFloat64: {"float64", 64}, TypeComplex128: {"complex128", 128},
	TypeUint64: {"uint64", 64}, TypeResource: {"resource", 0}, TypeVariant: {"variant", 0}, TypeUint32: {"uint32", 32},
	TypeUint16: {"uint16", 16}, TypeInt4: {"int4", 4}, TypeBFloat16: {"bfloat16", 16},
	TypeInt2: {"int2", 2}, TypeUint4: {"uint4", 4}, TypeFloat8E4M3: {"float8_e4m3fn", 8}, TypeFloat8E5M2: {"float8_e5m2", 8},
}

// String gives the type's usual name in lower case, "float32".
func (t TensorType) String() string {
	if t >= 0 && int(t) < len(tensorTypes) {
		return tensorTypes[t].name
	}
	return fmt.Sprintf("type(%d)", int8(t))
}

// Bits is the size of one element, 0 where it has no fixed size (strings,
// resources, unknown types). Elements of less than 8 share a byte.
func (t TensorType) Bits() int {
	if t >= 0 && int(t) < len(tensorTypes) {
		return tensorTypes[t].bits
	}
	return 0
}

// Size is the number of bytes one element takes, 0 where that is no whole
// number of bytes or not fixed.
func (t TensorType) Size() int { return t.Bits() / 8 }

// Padding is how a window operator treats the border.
type Padding int8

// PaddingSame pads so that ceil(in/stride) outputs result, PaddingValid not at all.
const (
	PaddingSame  Padding = 0
	PaddingValid Padding = 1
)

func (p Padding) String() string { return enumName(int(p), "padding", "SAME", "VALID") }

// Activation is the function fused behind an operator.
type Activation int8

// The fused activations of the schema.
const (
	ActNone      Activation = 0
	ActRelu      Activation = 1
	ActReluN1To1 Activation = 2
	ActRelu6     Activation = 3
	ActTanh      Activation = 4
	ActSignBit   Activation = 5
)

func (a Activation) String() string {
	return enumName(int(a), "activation", "NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
}

// DimensionType tells how a level of a sparse tensor is stored.
type DimensionType int8

// The storage kinds of sparse levels.
const (
	DimensionDense     DimensionType = 0
	DimensionSparseCSR DimensionType = 1
)

func (d DimensionType) String() string { return enumName(int(d), "dimension", "DENSE", "SPARSE_CSR") }

// MirrorPadMode is what MIRROR_PAD repeats.
type MirrorPadMode int8

// MirrorReflect leaves the border element out, MirrorSymmetric repeats it.
const (
	MirrorReflect   MirrorPadMode = 0
	MirrorSymmetric MirrorPadMode = 1
)

func (m MirrorPadMode) String() string { return enumName(int(m), "mode", "REFLECT", "SYMMETRIC") }

// WeightsFormat is the layout of FULLY_CONNECTED's weights.
type WeightsFormat int8

// The layouts of FULLY_CONNECTED's weights.
const (
	WeightsDefault          WeightsFormat = 0
	WeightsShuffled4x16Int8 WeightsFormat = 1
)

func (w WeightsFormat) String() string {
	return enumName(int(w), "format", "DEFAULT", "SHUFFLED4x16INT8")
}

func enumName(v int, kind string, names ...string) string {
	if v >= 0 && v < len(names) {
		return names[v]
	}
	return fmt.Sprintf("%s(%d)", kind, v)
}
