package model

// The option tables of recurrent operators and embeddings.

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
