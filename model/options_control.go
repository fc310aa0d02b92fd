package model

// The option tables of control flow, variables, hash tables, random numbers and
// searches.

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
