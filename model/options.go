package model

// The option tables of the operators that convolutional nets use. Sizes and
// strides are in elements; a zero value is the schema's default except where
// the tag names another.

// Conv2DOptions belongs to CONV_2D.
type Conv2DOptions struct {
	Padding           Padding    `fb:"0"`
	StrideW           int32      `fb:"1"`
	StrideH           int32      `fb:"2"`
	Activation        Activation `fb:"3"`
	DilationW         int32      `fb:"4,default=1"`
	DilationH         int32      `fb:"5,default=1"`
	QuantizedBiasType TensorType `fb:"6"`
}

// Conv3DOptions belongs to CONV_3D and CONV_3D_TRANSPOSE.
type Conv3DOptions struct {
	Padding    Padding    `fb:"0"`
	StrideD    int32      `fb:"1"`
	StrideW    int32      `fb:"2"`
	StrideH    int32      `fb:"3"`
	Activation Activation `fb:"4"`
	DilationD  int32      `fb:"5,default=1"`
	DilationW  int32      `fb:"6,default=1"`
	DilationH  int32      `fb:"7,default=1"`
}

// Pool2DOptions belongs to MAX_, AVERAGE_ and L2_POOL_2D.
type Pool2DOptions struct {
	Padding      Padding    `fb:"0"`
	StrideW      int32      `fb:"1"`
	StrideH      int32      `fb:"2"`
	FilterWidth  int32      `fb:"3"`
	FilterHeight int32      `fb:"4"`
	Activation   Activation `fb:"5"`
}

// DepthwiseConv2DOptions belongs to DEPTHWISE_CONV_2D. Runtimes derive the
// multiplier from the shapes and ignore DepthMultiplier.
type DepthwiseConv2DOptions struct {
	Padding         Padding    `fb:"0"`
	StrideW         int32      `fb:"1"`
	StrideH         int32      `fb:"2"`
	DepthMultiplier int32      `fb:"3"`
	Activation      Activation `fb:"4"`
	DilationW       int32      `fb:"5,default=1"`
	DilationH       int32      `fb:"6,default=1"`
}

// TransposeConvOptions belongs to TRANSPOSE_CONV.
type TransposeConvOptions struct {
	Padding           Padding    `fb:"0"`
	StrideW           int32      `fb:"1"`
	StrideH           int32      `fb:"2"`
	Activation        Activation `fb:"3"`
	QuantizedBiasType TensorType `fb:"4"`
}

// FullyConnectedOptions belongs to FULLY_CONNECTED.
type FullyConnectedOptions struct {
	Activation               Activation    `fb:"0"`
	WeightsFormat            WeightsFormat `fb:"1"`
	KeepNumDims              bool          `fb:"2"`
	AsymmetricQuantizeInputs bool          `fb:"3"`
	QuantizedBiasType        TensorType    `fb:"4"`
}

// SoftmaxOptions belongs to SOFTMAX.
type SoftmaxOptions struct {
	Beta float32 `fb:"0"`
}

// ConcatenationOptions belongs to CONCATENATION.
type ConcatenationOptions struct {
	Axis       int32      `fb:"0"`
	Activation Activation `fb:"1"`
}

// AddOptions belongs to ADD.
type AddOptions struct {
	Activation    Activation `fb:"0"`
	PotScaleInt16 bool       `fb:"1,default=1"`
}

// SubOptions belongs to SUB.
type SubOptions struct {
	Activation    Activation `fb:"0"`
	PotScaleInt16 bool       `fb:"1,default=1"`
}

// MulOptions belongs to MUL.
type MulOptions struct {
	Activation Activation `fb:"0"`
}

// DivOptions belongs to DIV.
type DivOptions struct {
	Activation Activation `fb:"0"`
}

// L2NormOptions belongs to L2_NORMALIZATION.
type L2NormOptions struct {
	Activation Activation `fb:"0"`
}

// LocalResponseNormalizationOptions belongs to LOCAL_RESPONSE_NORMALIZATION.
type LocalResponseNormalizationOptions struct {
	Radius int32   `fb:"0"`
	Bias   float32 `fb:"1"`
	Alpha  float32 `fb:"2"`
	Beta   float32 `fb:"3"`
}

// ResizeBilinearOptions belongs to RESIZE_BILINEAR. The two sizes are relics
// that runtimes ignore.
type ResizeBilinearOptions struct {
	NewHeight        int32 `fb:"0"`
	NewWidth         int32 `fb:"1"`
	AlignCorners     bool  `fb:"2"`
	HalfPixelCenters bool  `fb:"3"`
}

// ResizeNearestNeighborOptions belongs to RESIZE_NEAREST_NEIGHBOR.
type ResizeNearestNeighborOptions struct {
	AlignCorners     bool `fb:"0"`
	HalfPixelCenters bool `fb:"1"`
}

// ReshapeOptions belongs to RESHAPE; a second input overrides NewShape.
type ReshapeOptions struct {
	NewShape []int32 `fb:"0"`
}

// SpaceToDepthOptions belongs to SPACE_TO_DEPTH.
type SpaceToDepthOptions struct {
	BlockSize int32 `fb:"0"`
}

// DepthToSpaceOptions belongs to DEPTH_TO_SPACE.
type DepthToSpaceOptions struct {
	BlockSize int32 `fb:"0"`
}

// GatherOptions belongs to GATHER.
type GatherOptions struct {
	Axis      int32 `fb:"0"`
	BatchDims int32 `fb:"1"`
}

// ReducerOptions belongs to MEAN, SUM and the REDUCE_ operators.
type ReducerOptions struct {
	KeepDims bool `fb:"0"`
}

// SqueezeOptions belongs to SQUEEZE.
type SqueezeOptions struct {
	SqueezeDims []int32 `fb:"0"`
}

// SplitOptions belongs to SPLIT.
type SplitOptions struct {
	NumSplits int32 `fb:"0"`
}

// SplitVOptions belongs to SPLIT_V.
type SplitVOptions struct {
	NumSplits int32 `fb:"0"`
}

// StridedSliceOptions belongs to STRIDED_SLICE. Bit i of a mask is about
// dimension i. Offset makes end relative to begin.
type StridedSliceOptions struct {
	BeginMask      int32 `fb:"0"`
	EndMask        int32 `fb:"1"`
	EllipsisMask   int32 `fb:"2"`
	NewAxisMask    int32 `fb:"3"`
	ShrinkAxisMask int32 `fb:"4"`
	Offset         bool  `fb:"5"`
}

// CastOptions belongs to CAST.
type CastOptions struct {
	InDataType  TensorType `fb:"0"`
	OutDataType TensorType `fb:"1"`
}

// ArgMaxOptions belongs to ARG_MAX.
type ArgMaxOptions struct {
	OutputType TensorType `fb:"0"`
}

// ArgMinOptions belongs to ARG_MIN.
type ArgMinOptions struct {
	OutputType TensorType `fb:"0"`
}

// ShapeOptions belongs to SHAPE.
type ShapeOptions struct {
	OutType TensorType `fb:"0"`
}

// PackOptions belongs to PACK.
type PackOptions struct {
	ValuesCount int32 `fb:"0"`
	Axis        int32 `fb:"1"`
}

// UnpackOptions belongs to UNPACK.
type UnpackOptions struct {
	Num  int32 `fb:"0"`
	Axis int32 `fb:"1"`
}

// LeakyReluOptions belongs to LEAKY_RELU.
type LeakyReluOptions struct {
	Alpha float32 `fb:"0"`
}

// GeluOptions belongs to GELU.
type GeluOptions struct {
	Approximate bool `fb:"0"`
}

// MirrorPadOptions belongs to MIRROR_PAD.
type MirrorPadOptions struct {
	Mode MirrorPadMode `fb:"0"`
}

// BatchMatMulOptions belongs to BATCH_MATMUL.
type BatchMatMulOptions struct {
	AdjX                     bool `fb:"0"`
	AdjY                     bool `fb:"1"`
	AsymmetricQuantizeInputs bool `fb:"2"`
}

// OneHotOptions belongs to ONE_HOT.
type OneHotOptions struct {
	Axis int32 `fb:"0"`
}

// CumsumOptions belongs to CUMSUM.
type CumsumOptions struct {
	Exclusive bool `fb:"0"`
	Reverse   bool `fb:"1"`
}

// FakeQuantOptions belongs to FAKE_QUANT.
type FakeQuantOptions struct {
	Min         float32 `fb:"0"`
	Max         float32 `fb:"1"`
	NumBits     int32   `fb:"2"`
	NarrowRange bool    `fb:"3"`
}
