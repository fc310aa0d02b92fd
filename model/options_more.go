package model

// The option tables that convolutional nets rarely use: recurrent operators,
// embeddings, hash tables, control flow, and the tables without fields.

// LSHProjectionOptions belongs to LSH_PROJECTION.
type LSHProjectionOptions struct {
	Type int8 `fb:"0"` // 0 unknown, 1 sparse, 2 dense
}

// ConcatEmbeddingsOptions belongs to CONCAT_EMBEDDINGS.
type ConcatEmbeddingsOptions struct {
	NumChannels            int32   `fb:"0"`
	NumColumnsPerChannel   []int32 `fb:"1"`
	EmbeddingDimPerChannel []int32 `fb:"2"`
}

// SVDFOptions belongs to SVDF.
type SVDFOptions struct {
	Rank                     int32      `fb:"0"`
	Activation               Activation `fb:"1"`
	AsymmetricQuantizeInputs bool       `fb:"2"`
}

// RNNOptions belongs to RNN.
type RNNOptions struct {
	Activation               Activation `fb:"0"`
	AsymmetricQuantizeInputs bool       `fb:"1"`
}

// SequenceRNNOptions belongs to UNIDIRECTIONAL_SEQUENCE_RNN.
type SequenceRNNOptions struct {
	TimeMajor                bool       `fb:"0"`
	Activation               Activation `fb:"1"`
	AsymmetricQuantizeInputs bool       `fb:"2"`
}

// BidirectionalSequenceRNNOptions belongs to BIDIRECTIONAL_SEQUENCE_RNN.
type BidirectionalSequenceRNNOptions struct {
	TimeMajor                bool       `fb:"0"`
	Activation               Activation `fb:"1"`
	MergeOutputs             bool       `fb:"2"`
	AsymmetricQuantizeInputs bool       `fb:"3"`
}

// LSTMOptions belongs to LSTM.
type LSTMOptions struct {
	Activation               Activation `fb:"0"`
	CellClip                 float32    `fb:"1"`
	ProjClip                 float32    `fb:"2"`
	KernelType               int8       `fb:"3"` // 0 full, 1 basic
	AsymmetricQuantizeInputs bool       `fb:"4"`
}

// UnidirectionalSequenceLSTMOptions belongs to UNIDIRECTIONAL_SEQUENCE_LSTM.
type UnidirectionalSequenceLSTMOptions struct {
	Activation               Activation `fb:"0"`
	CellClip                 float32    `fb:"1"`
	ProjClip                 float32    `fb:"2"`
	TimeMajor                bool       `fb:"3"`
	AsymmetricQuantizeInputs bool       `fb:"4"`
	DiagonalRecurrentTensors bool       `fb:"5"`
}

// BidirectionalSequenceLSTMOptions belongs to BIDIRECTIONAL_SEQUENCE_LSTM.
type BidirectionalSequenceLSTMOptions struct {
	Activation               Activation `fb:"0"`
	CellClip                 float32    `fb:"1"`
	ProjClip                 float32    `fb:"2"`
	MergeOutputs             bool       `fb:"3"`
	TimeMajor                bool       `fb:"4,default=1"`
	AsymmetricQuantizeInputs bool       `fb:"5"`
}

// CallOptions belongs to CALL.
type CallOptions struct {
	Subgraph uint32 `fb:"0"`
}

// SkipGramOptions belongs to SKIP_GRAM.
type SkipGramOptions struct {
	NgramSize        int32 `fb:"0"`
	MaxSkipSize      int32 `fb:"1"`
	IncludeAllNgrams bool  `fb:"2"`
}

// EmbeddingLookupSparseOptions belongs to EMBEDDING_LOOKUP_SPARSE.
type EmbeddingLookupSparseOptions struct {
	Combiner int8 `fb:"0"` // 0 sum, 1 mean, 2 sqrtn
}

// SparseToDenseOptions belongs to SPARSE_TO_DENSE.
type SparseToDenseOptions struct {
	ValidateIndices bool `fb:"0"`
}

// UniqueOptions belongs to UNIQUE.
type UniqueOptions struct {
	IdxOutType TensorType `fb:"0,default=2"` // int32
}

// ReverseSequenceOptions belongs to REVERSE_SEQUENCE.
type ReverseSequenceOptions struct {
	SeqDim   int32 `fb:"0"`
	BatchDim int32 `fb:"1"`
}

// IfOptions belongs to IF. Subgraph indices are indices into Model.Subgraphs.
type IfOptions struct {
	ThenSubgraphIndex int32 `fb:"0"`
	ElseSubgraphIndex int32 `fb:"1"`
}

// CallOnceOptions belongs to CALL_ONCE.
type CallOnceOptions struct {
	InitSubgraphIndex int32 `fb:"0"`
}

// WhileOptions belongs to WHILE.
type WhileOptions struct {
	CondSubgraphIndex int32 `fb:"0"`
	BodySubgraphIndex int32 `fb:"1"`
}

// HashtableOptions belongs to HASHTABLE.
type HashtableOptions struct {
	TableID    int32      `fb:"0"`
	KeyDtype   TensorType `fb:"1"`
	ValueDtype TensorType `fb:"2"`
}

// VarHandleOptions belongs to VAR_HANDLE.
type VarHandleOptions struct {
	Container  string `fb:"0"`
	SharedName string `fb:"1"`
}

// RandomOptions belongs to the RANDOM_ operators and MULTINOMIAL.
type RandomOptions struct {
	Seed  int64 `fb:"0"`
	Seed2 int64 `fb:"1"`
}

// BucketizeOptions belongs to BUCKETIZE.
type BucketizeOptions struct {
	Boundaries []float32 `fb:"0"`
}

// The option tables without fields.
type (
	PadOptions                 struct{}
	PadV2Options               struct{}
	BatchToSpaceNDOptions      struct{}
	SpaceToBatchNDOptions      struct{}
	TransposeOptions           struct{}
	ExpOptions                 struct{}
	CosOptions                 struct{}
	TopKV2Options              struct{}
	LogSoftmaxOptions          struct{}
	DequantizeOptions          struct{}
	MaximumMinimumOptions      struct{}
	TileOptions                struct{}
	LessOptions                struct{}
	LessEqualOptions           struct{}
	GreaterOptions             struct{}
	GreaterEqualOptions        struct{}
	NegOptions                 struct{}
	SelectOptions              struct{}
	SliceOptions               struct{}
	ExpandDimsOptions          struct{}
	EqualOptions               struct{}
	NotEqualOptions            struct{}
	RankOptions                struct{}
	PowOptions                 struct{}
	LogicalOrOptions           struct{}
	LogicalAndOptions          struct{}
	LogicalNotOptions          struct{}
	AbsOptions                 struct{}
	HardSwishOptions           struct{}
	FloorDivOptions            struct{}
	FloorModOptions            struct{}
	SquareOptions              struct{}
	ZerosLikeOptions           struct{}
	FillOptions                struct{}
	RangeOptions               struct{}
	SquaredDifferenceOptions   struct{}
	ReverseV2Options           struct{}
	AddNOptions                struct{}
	GatherNdOptions            struct{}
	WhereOptions               struct{}
	MatrixDiagOptions          struct{}
	MatrixSetDiagOptions       struct{}
	QuantizeOptions            struct{}
	NonMaxSuppressionV4Options struct{}
	NonMaxSuppressionV5Options struct{}
	ScatterNdOptions           struct{}
	SelectV2Options            struct{}
	DensifyOptions             struct{}
	SegmentSumOptions          struct{}
	BroadcastToOptions         struct{}
	Rfft2dOptions              struct{}
	HashtableFindOptions       struct{}
	HashtableImportOptions     struct{}
	HashtableSizeOptions       struct{}
	ReadVariableOptions        struct{}
	AssignVariableOptions      struct{}
	DynamicUpdateSliceOptions  struct{}
	UnsortedSegmentProdOptions struct{}
	UnsortedSegmentMaxOptions  struct{}
	UnsortedSegmentMinOptions  struct{}
	UnsortedSegmentSumOptions  struct{}
	ATan2Options               struct{}
	SignOptions                struct{}
	BitcastOptions             struct{}
	BitwiseXorOptions          struct{}
	RightShiftOptions          struct{}
)
