package model

// The option tables of BuiltinOptions2: StableHLO operators, which most
// runtimes cannot run. They are here so that a file which holds them in a
// branch that is never taken is still carried over whole.

// StablehloConcatenateOptions belongs to STABLEHLO_CONCATENATE.
type StablehloConcatenateOptions struct {
	Dimension int64 `fb:"0"`
}

// StablehloBroadcastInDimOptions belongs to STABLEHLO_BROADCAST_IN_DIM.
type StablehloBroadcastInDimOptions struct {
	BroadcastDimensions []int64 `fb:"0"`
}

// StablehloSliceOptions belongs to STABLEHLO_SLICE.
type StablehloSliceOptions struct {
	StartIndices []int64 `fb:"0"`
	LimitIndices []int64 `fb:"1"`
	Strides      []int64 `fb:"2"`
}

// StablehloConvolutionOptions belongs to STABLEHLO_CONVOLUTION.
type StablehloConvolutionOptions struct {
	WindowStrides                []int64  `fb:"0"`
	Padding                      []int64  `fb:"1"`
	LhsDilation                  []int64  `fb:"2"`
	RhsDilation                  []int64  `fb:"3"`
	WindowReversal               []bool   `fb:"4"`
	InputBatchDimension          int64    `fb:"5"`
	InputFeatureDimension        int64    `fb:"6"`
	InputSpatialDimensions       []int64  `fb:"7"`
	KernelInputFeatureDimension  int64    `fb:"8"`
	KernelOutputFeatureDimension int64    `fb:"9"`
	KernelSpatialDimensions      []int64  `fb:"10"`
	OutputBatchDimension         int64    `fb:"11"`
	OutputFeatureDimension       int64    `fb:"12"`
	OutputSpatialDimensions      []int64  `fb:"13"`
	FeatureGroupCount            int64    `fb:"14"`
	BatchGroupCount              int64    `fb:"15"`
	PrecisionConfig              []uint32 `fb:"16"`
}

// StablehloCustomCallOptions belongs to STABLEHLO_CUSTOM_CALL.
type StablehloCustomCallOptions struct {
	CallTargetName     string  `fb:"0"`
	HasSideEffect      bool    `fb:"1"`
	BackendConfig      string  `fb:"2"`
	APIVersion         int32   `fb:"3"`
	CalledComputations []int32 `fb:"4"`
	CustomAttributes   []byte  `fb:"5"`
}

// StablehloReduceOptions belongs to STABLEHLO_REDUCE.
type StablehloReduceOptions struct {
	Dimensions        []int64 `fb:"0"`
	BodySubgraphIndex int32   `fb:"1"`
}

// StablehloScatterOptions belongs to STABLEHLO_SCATTER.
type StablehloScatterOptions struct {
	IndicesAreSorted               bool    `fb:"0"`
	UpdateWindowDims               []int64 `fb:"1"`
	InsertedWindowDims             []int64 `fb:"2"`
	ScatterDimsToOperandDims       []int64 `fb:"3"`
	IndexVectorDim                 int64   `fb:"4"`
	UniqueIndices                  bool    `fb:"5"`
	UpdateComputationSubgraphIndex int32   `fb:"6"`
}

// StablehloCompareOptions belongs to STABLEHLO_COMPARE.
type StablehloCompareOptions struct {
	ComparisonDirection uint32 `fb:"0"` // EQ, NE, GE, GT, LE, LT
	CompareType         uint32 `fb:"1"` // none, float, float total order, signed, unsigned
}

// StablehloDynamicSliceOptions belongs to STABLEHLO_DYNAMIC_SLICE.
type StablehloDynamicSliceOptions struct {
	SliceSizes []int64 `fb:"0"`
}

// StablehloPadOptions belongs to STABLEHLO_PAD.
type StablehloPadOptions struct {
	EdgePaddingLow  []int64 `fb:"0"`
	EdgePaddingHigh []int64 `fb:"1"`
	InteriorPadding []int64 `fb:"2"`
}

// StablehloIotaOptions belongs to STABLEHLO_IOTA.
type StablehloIotaOptions struct {
	IotaDimension int64 `fb:"0"`
}

// StablehloDotGeneralOptions belongs to STABLEHLO_DOT_GENERAL.
type StablehloDotGeneralOptions struct {
	LhsBatchingDimensions    []int64  `fb:"0"`
	RhsBatchingDimensions    []int64  `fb:"1"`
	LhsContractingDimensions []int64  `fb:"2"`
	RhsContractingDimensions []int64  `fb:"3"`
	PrecisionConfig          []uint32 `fb:"4"`
}

// StablehloReduceWindowOptions belongs to STABLEHLO_REDUCE_WINDOW.
type StablehloReduceWindowOptions struct {
	WindowDimensions  []int64 `fb:"0"`
	WindowStrides     []int64 `fb:"1"`
	BaseDilations     []int64 `fb:"2"`
	WindowDilations   []int64 `fb:"3"`
	Padding           []int64 `fb:"4"`
	BodySubgraphIndex int32   `fb:"5"`
}

// StablehloSortOptions belongs to STABLEHLO_SORT.
type StablehloSortOptions struct {
	Dimension               int64 `fb:"0"`
	IsStable                bool  `fb:"1"`
	ComparatorSubgraphIndex int32 `fb:"2"`
}

// StablehloWhileOptions belongs to STABLEHLO_WHILE.
type StablehloWhileOptions struct {
	CondSubgraphIndex int32 `fb:"0"`
	BodySubgraphIndex int32 `fb:"1"`
}

// StablehloGatherOptions belongs to STABLEHLO_GATHER.
type StablehloGatherOptions struct {
	OffsetDims         []int64 `fb:"0"`
	CollapsedSliceDims []int64 `fb:"1"`
	StartIndexMap      []int64 `fb:"2"`
	IndexVectorDim     int64   `fb:"3"`
	SliceSizes         []int64 `fb:"4"`
	IndicesAreSorted   bool    `fb:"5"`
}

// StablehloTransposeOptions belongs to STABLEHLO_TRANSPOSE.
type StablehloTransposeOptions struct {
	Permutation []int64 `fb:"0"`
}

// DilateOptions belongs to DILATE.
type DilateOptions struct{}

// StablehloRngBitGeneratorOptions belongs to STABLEHLO_RNG_BIT_GENERATOR.
type StablehloRngBitGeneratorOptions struct {
	Algorithm int8 `fb:"0"` // 0 default, 1 Philox, 2 ThreeFry
}

// ReduceWindowOptions belongs to REDUCE_WINDOW.
type ReduceWindowOptions struct {
	ReduceFunction int32 `fb:"0"` // unsupported, add, mul, minimum, maximum, all, any
}

// StableHLOCompositeOptions belongs to STABLEHLO_COMPOSITE.
type StableHLOCompositeOptions struct {
	Name                       string `fb:"0"`
	DecompositionSubgraphIndex int32  `fb:"1"`
	CompositeAttributes        []byte `fb:"2"`
	CompositeAttributesFormat  int8   `fb:"3"` // 0: FlexBuffers
	Version                    int32  `fb:"4"`
}

// StablehloShiftLeftOptions belongs to STABLEHLO_SHIFT_LEFT.
type StablehloShiftLeftOptions struct{}

// StablehloCaseOptions belongs to STABLEHLO_CASE.
type StablehloCaseOptions struct {
	BranchSubgraphIndices []int32 `fb:"0"`
}
