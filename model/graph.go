// Package model holds a .tflite graph in memory: reading, writing, text dump,
// shape inference, building, and edged's manifest.
//
// The types mirror TensorFlow Lite's schema (version 3d, which holds every table
// from TensorFlow 2.9 to today's LiteRT), with Go names. Struct tags give the
// place in the file: `fb:"N"` is a table's field number, and the codec in
// decode.go and encode.go is driven by them, so that what is declared here is
// exactly what is read and written. A file that holds a field which is not
// declared here is read without it, and Unknown names it; Write refuses such a
// model, so that nothing is dropped in silence.
package model

// SchemaVersion is the one version of the schema that TFLite loads.
const SchemaVersion = 3

// Model is a whole .tflite file.
type Model struct {
	Version        uint32          `fb:"0"`
	OperatorCodes  []*OperatorCode `fb:"1"`
	Subgraphs      []*Subgraph     `fb:"2"` // the first is the main graph
	Description    string          `fb:"3"`
	Buffers        []*Buffer       `fb:"4"` // the first is empty: "no data"
	MetadataBuffer []int32         `fb:"5"` // deprecated by Metadata
	Metadata       []*Metadata     `fb:"6"`
	SignatureDefs  []*SignatureDef `fb:"7"`

	ExternalBufferGroups []*ExternalBufferGroup `fb:"8"`
	ExternalBuffers      []*ExternalBuffer      `fb:"9"` // weights in other files; Read refuses tensors that name one

	// Unknown is what Read found and has no name for; see Rewritable.
	Unknown []Unknown
	// Repairs is what Read put right, in words for people.
	Repairs []string

	// Trailer is what follows the flatbuffer in the file, as it is: TFLite's
	// metadata tools append a ZIP of label files there.
	Trailer []byte
}

// OperatorCode names an operator and the version of its semantics. Custom is
// the name of an operator whose Builtin is OpCustom.
type OperatorCode struct {
	Builtin BuiltinOperator `fb:"0,opcode"` // fields 0 and 3: see fieldOpcode
	Custom  string          `fb:"1"`
	Version int32           `fb:"2,default=1"`
}

// Subgraph is one function: tensors, and operators in execution order.
type Subgraph struct {
	Tensors   []*Tensor   `fb:"0"`
	Inputs    []int32     `fb:"1"` // indices into Tensors
	Outputs   []int32     `fb:"2"`
	Operators []*Operator `fb:"3"`
	Name      string      `fb:"4"`

	DebugMetadata int32 `fb:"5,default=-1,plus=1"` // 1 + index into the debug metadata's subgraphs, 0: none
}

// Tensor is an edge of the graph. Images are NHWC.
type Tensor struct {
	Shape          []int32           `fb:"0"`
	Type           TensorType        `fb:"1"`
	Buffer         uint32            `fb:"2"` // index into Model.Buffers; an empty buffer means computed at run time
	Name           string            `fb:"3"`
	Quantization   *Quantization     `fb:"4"`
	IsVariable     bool              `fb:"5"`
	Sparsity       *Sparsity         `fb:"6"`
	ShapeSignature []int32           `fb:"7"` // Shape with -1 where a dimension is unknown
	HasRank        bool              `fb:"8"` // tells a scalar from an unknown shape; both have no Shape
	VariantTensors []*VariantSubType `fb:"9"`
	ExternalBuffer uint32            `fb:"10"` // ID of an ExternalBuffer that holds the data, 0: none
}

// VariantSubType is what a tensor of TypeVariant holds.
type VariantSubType struct {
	Shape   []int32    `fb:"0"`
	Type    TensorType `fb:"1"`
	HasRank bool       `fb:"2"`
}

// Quantization maps stored values to real ones: real = Scale * (q - ZeroPoint).
// With more than one scale, scale i belongs to index i of QuantizedDimension.
type Quantization struct {
	Min                []float32 `fb:"0"`
	Max                []float32 `fb:"1"`
	Scale              []float32 `fb:"2"`
	ZeroPoint          []int64   `fb:"3"`
	Details            any       `fb:"4,union=QuantizationDetails"` // nil; else a pointer to one of the types below, and Scale and ZeroPoint say nothing
	QuantizedDimension int32     `fb:"6"`
}

// CustomQuantization is an opaque alternative to Quantization's own fields.
type CustomQuantization struct {
	Custom []byte `fb:"0,align=16"`
}

// BlockwiseQuantization has a scale for every BlockSize elements. Scales and
// ZeroPoints are tensors of the same subgraph; ZeroPoints -1: all zero.
type BlockwiseQuantization struct {
	Scales     int32 `fb:"0"`
	ZeroPoints int32 `fb:"1"`
	BlockSize  int32 `fb:"2"`
}

// MultiAxisQuantization has scales along several dimensions, in blocks where
// BlockSize is not 0. Scales and ZeroPoints are as BlockwiseQuantization's.
type MultiAxisQuantization struct {
	Scales              int32   `fb:"0"`
	ZeroPoints          int32   `fb:"1"`
	BlockSize           int32   `fb:"2"`
	QuantizedDimensions []int32 `fb:"3"`
}

// Sparsity describes how a sparse tensor's data are stored: the TACO format,
// levels in TraversalOrder, each dense or compressed (CSR).
type Sparsity struct {
	TraversalOrder []int32              `fb:"0"`
	BlockMap       []int32              `fb:"1"`
	DimMetadata    []*DimensionMetadata `fb:"2"`
}

// DimensionMetadata is one storage level of a sparse tensor. The two arrays
// are nil or one of *Int32Vector, *Uint16Vector, *Uint8Vector.
type DimensionMetadata struct {
	Format        DimensionType `fb:"0"`
	DenseSize     int32         `fb:"1"`
	ArraySegments any           `fb:"2,union=SparseIndexVector"`
	ArrayIndices  any           `fb:"4,union=SparseIndexVector"`
}

// Int32Vector, Uint16Vector and Uint8Vector are index arrays of sparse levels.
type (
	Int32Vector struct {
		Values []int32 `fb:"0"`
	}
	Uint16Vector struct {
		Values []uint16 `fb:"0"`
	}
	Uint8Vector struct {
		Values []uint8 `fb:"0"`
	}
)

// Operator is a node of the graph. An input of -1 is an optional one left out.
type Operator struct {
	OpcodeIndex            uint32  `fb:"0"` // index into Model.OperatorCodes
	Inputs                 []int32 `fb:"1"` // indices into Subgraph.Tensors
	Outputs                []int32 `fb:"2"`
	Options                any     `fb:"3,union=BuiltinOptions"` // nil or a pointer to an options struct, *Conv2DOptions ...
	CustomOptions          []byte  `fb:"5"`
	CustomOptionsFormat    int8    `fb:"6"` // 0: FlexBuffers
	MutatingVariableInputs []bool  `fb:"7"`
	Intermediates          []int32 `fb:"8"`
	LargeCustomOptions     Extent  `fb:"9,extent"`                 // zero after Read: resolved into CustomOptions
	Options2               any     `fb:"11,union=BuiltinOptions2"` // nil or a pointer to a StableHLO options struct
	DebugMetadata          int32   `fb:"13,default=-1,plus=1"`     // 1 + index into the debug metadata's operators, 0: none
}

// Buffer is constant data or a metadata blob. The bytes are little endian,
// row major, and start at a 16-byte boundary in the file.
type Buffer struct {
	Data     []byte `fb:"0,align=16"`
	External Extent `fb:"1,extent"` // zero after Read: resolved into Data
}

// ExternalBufferGroup names a file that holds external buffers.
type ExternalBufferGroup struct {
	Name string `fb:"0"`
}

// ExternalBuffer is constant data in another file.
type ExternalBuffer struct {
	ID      uint32 `fb:"0"` // what Tensor.ExternalBuffer says
	Group   uint32 `fb:"1"` // index into Model.ExternalBufferGroups
	Offset  uint64 `fb:"2"`
	Length  uint64 `fb:"3"`
	Packing string `fb:"4"`
}

// Extent is where large data lie in the file outside the flatbuffer; an Offset
// of 0 or 1 means that there are none.
type Extent struct{ Offset, Size uint64 }

// Metadata names a buffer that holds a document about the model.
type Metadata struct {
	Name   string `fb:"0"`
	Buffer uint32 `fb:"1"`
}

// TensorMap gives a tensor of a signature its public name.
type TensorMap struct {
	Name        string `fb:"0,always"`
	TensorIndex uint32 `fb:"1"`
}

// SignatureDef is a named entry point of the model.
type SignatureDef struct {
	Inputs        []*TensorMap `fb:"0"`
	Outputs       []*TensorMap `fb:"1"`
	Key           string       `fb:"2,always"`
	DeprecatedTag string       `fb:"3"`
	SubgraphIndex uint32       `fb:"4"`
}

// Code is the operator code of op.
func (m *Model) Code(op *Operator) *OperatorCode { return m.OperatorCodes[op.OpcodeIndex] }

// Data is the constant content of t, or nil for a tensor that is an input or
// is computed. The bytes belong to the model.
func (m *Model) Data(t *Tensor) []byte {
	if t.Buffer == 0 || int(t.Buffer) >= len(m.Buffers) {
		return nil
	}
	if d := m.Buffers[t.Buffer].Data; len(d) > 0 {
		return d
	}
	return nil
}
