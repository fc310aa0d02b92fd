// Package edged is the vocabulary that every room of edged shares: a Frame
// goes in, an Engine runs a graph, a Mask comes out. It holds nouns only and
// imports the standard library alone.
package edged

import (
	"fmt"
	"time"
	"unsafe"
)

// PixelFormat tells how a Frame's bytes are to be read.
type PixelFormat uint8

// The pixel formats a source may deliver: interleaved, 8 bits a channel.
const (
	BGR  PixelFormat = iota // three bytes a pixel, OpenCV's order
	RGB                     // three bytes a pixel
	Gray                    // one byte a pixel
)

// Channels is the number of bytes one pixel takes.
func (f PixelFormat) Channels() int {
	if f == Gray {
		return 1
	}
	return 3
}

func (f PixelFormat) String() string {
	switch f {
	case BGR:
		return "BGR"
	case RGB:
		return "RGB"
	case Gray:
		return "Gray"
	}
	return fmt.Sprintf("PixelFormat(%d)", uint8(f))
}

// Frame is one picture of a camera. Pixel (x, y) starts at
// Pix[y*Stride+x*Format.Channels()]. A source lends the memory: it stays valid
// until the source is asked for its next frame.
type Frame struct {
	Pix    []byte
	Stride int // bytes from one row to the next
	W, H   int // pixels
	Format PixelFormat
	Seq    uint64    // the source's own count, from 1; a gap is a frame passed over
	Number uint64    // the camera's own, which may begin anew; 0: it tells none
	Time   time.Time // when the source took it, wall clock with monotonic reading
	PartID string    // what the trigger named, else empty

	Row    int64 // of a line camera's strip: the number of its first row
	Begins bool  // the first since the source was opened; of a line camera's strip: rows before it are missing, a new picture begins

	// Reduced is how many of the camera's pixels, along each side, one of these
	// stands for: 2, 4 or 8 where the source decoded no more. 0 and 1: itself.
	Reduced int
}

// Scale is Reduced, at least 1.
func (f *Frame) Scale() int { return max(f.Reduced, 1) }

// Full is the size of the camera's picture: what frame pixels are counted in.
func (f *Frame) Full() (w, h int) { return f.W * f.Scale(), f.H * f.Scale() }

// Grid places a mask on the frame it was made from. The centre of mask pixel
// (row r, column c) lies at frame pixel Origin + (r, c)*Stride, per axis in the
// order y, x; the centre of frame pixel 0 is 0.
type Grid struct {
	Stride [2]float64
	Origin [2]float64
}

// On is g in the pixels of f as it is, where those are larger than the camera's.
func (g Grid) On(f *Frame) Grid {
	k := float64(f.Scale())
	for i := range g.Stride {
		g.Stride[i] /= k
		g.Origin[i] = (g.Origin[i] - (k-1)/2) / k
	}
	return g
}

// Mask is one class id for every position of a grid. Position (row, col) is
// Pix[row*Stride+col].
type Mask struct {
	Pix    []uint8
	Stride int // bytes from one row to the next
	W, H   int // positions
	Grid   Grid
}

// Reason is why a verdict is not OK: one rule that was broken, or what else
// decided.
type Reason struct {
	Rule  int     `json:"rule"`  // number of the camera's rule, from 1; 0: none
	Class string  `json:"class"` // that the rule looks at
	Zone  string  `json:"zone"`  // where it was broken; empty: the whole mask
	Kind  string  `json:"kind"`  // one of the kinds below
	Count int     `json:"count"` // blobs that counted
	Px    int     `json:"px"`    // mask positions that they cover
	Limit float64 `json:"limit"` // what was allowed, in the kind's unit
	Text  string  `json:"text"`  // the same for people
}

// The kinds of reasons that rules give.
const (
	ReasonPresent = "present" // the class is there, none is allowed
	ReasonCount   = "count"   // more blobs than Limit
	ReasonRatio   = "ratio"   // a larger share of the mask than Limit
)

// Blob is one connected component of a class: the box around it in frame pixels.
type Blob struct {
	Class string  `json:"class"`
	Zone  string  `json:"zone,omitempty"` // that holds its centre
	X     int     `json:"x"`
	Y     int     `json:"y"`
	W     int     `json:"w"`
	H     int     `json:"h"`
	Px    int     `json:"px"`              // mask positions that it covers
	Score float64 `json:"score,omitempty"` // mean of its positions; 0: the model keeps none
	Cut   bool    `json:"cut,omitempty"`   // of a line camera: it reaches an end of its part behind which it may go on
}

// Quality are measures of a picture itself, of the part that the model saw.
type Quality struct {
	Dark     float64 `json:"dark"`            // share of black pixels
	Bright   float64 `json:"bright"`          // share of white pixels
	Contrast float64 `json:"contrast"`        // standard deviation of brightness
	Blur     float64 `json:"blur"`            // variance of the Laplacian
	Alike    int     `json:"alike,omitempty"` // pictures in a row that were the same, this one included; 0: nobody counts
}

// MaxBlobs is how many blobs a result lists, the largest.
const MaxBlobs = 64

// DType is the element type of a tensor.
type DType uint8

// The element types that edged's engines exchange.
const (
	Float32 DType = iota + 1
	Float16
	Float64
	Int8
	Uint8
	Int16
	Uint16
	Int32
	Uint32
	Int64
	Uint64
	Bool
)

var dtypes = [...]struct {
	name string
	size int
}{
	Float32: {"float32", 4}, Float16: {"float16", 2}, Float64: {"float64", 8},
	Int8: {"int8", 1}, Uint8: {"uint8", 1}, Int16: {"int16", 2}, Uint16: {"uint16", 2},
	Int32: {"int32", 4}, Uint32: {"uint32", 4}, Int64: {"int64", 8}, Uint64: {"uint64", 8},
	Bool: {"bool", 1},
}

// Size is the number of bytes one element takes, 0 for an unknown type.
func (t DType) Size() int {
	if int(t) < len(dtypes) {
		return dtypes[t].size
	}
	return 0
}

func (t DType) String() string {
	if int(t) < len(dtypes) && dtypes[t].name != "" {
		return dtypes[t].name
	}
	return fmt.Sprintf("DType(%d)", uint8(t))
}

// Quant is TFLite's affine quantisation of a whole tensor:
// real = Scale * (q - ZeroPoint). A zero Scale means not quantised.
type Quant struct {
	Scale     float32
	ZeroPoint int32
}

// Spec describes one input or output of an Engine. Images are NHWC.
type Spec struct {
	Name  string
	Shape []int
	Type  DType
	Quant Quant
}

// Elems is the number of elements, the product of Shape.
func (s Spec) Elems() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Bytes is the size of the tensor's memory.
func (s Spec) Bytes() int { return s.Elems() * s.Type.Size() }

func (s Spec) String() string { return fmt.Sprintf("%s %s%v", s.Name, s.Type, s.Shape) }

// Engine runs one loaded graph. One goroutine at a time may use it.
//
// Input and Output lend the tensor's own memory, little endian and dense in
// row-major order. A slice of Input stays valid until Resize or Close, one of
// Output until the next Run, Resize or Close. Close may be called twice.
type Engine interface {
	// Name tells the engine and its kernel set, for example "tflite 2.9.0 xnnpack".
	Name() string
	Inputs() []Spec
	Outputs() []Spec
	Input(i int) []byte
	Output(i int) []byte
	// Run computes every output from the inputs.
	Run() error
	// Resize gives input i a new shape and plans again. After an error the
	// engine is unusable except for Close.
	Resize(i int, shape []int) error
	Close() error
}

// Options are what every engine understands. The zero value is a good default.
type Options struct {
	Threads     int   // 0: the engine chooses
	MemoryLimit int64 // bytes of tensors a model may ask for, 0: no limit
	Exact       bool  // no algorithm that rounds more than plain summation does (Winograd)
}

// Opener loads a .tflite held in memory. It keeps no reference to model after
// it returns, unless it says so.
type Opener func(model []byte, o Options) (Engine, error)

// Rows computes a net's map over a picture without end, row by row. One goroutine
// at a time may use it.
//
// Row t of the map is the whole picture's as soon as it is decided: nothing that is
// pushed later changes it. Rows decided come in order, none twice and none left out.
type Rows interface {
	Name() string
	// In describes the rows of one Push: [1, the most, width, channels].
	In() Spec
	// Out describes rows of the map: [1, the most that a Push or End gives, width, classes].
	Out() Spec
	// Input lends the memory of the rows to push next; it is another after each call.
	Input() []byte
	// Push takes the first n rows of Input and tells how many rows of the map are
	// decided by them, which Output lends until the next call.
	Push(n int) (decided int, err error)
	Output() []byte
	// End tells that the picture has no more rows, decides the rest of its map, and
	// begins a new picture.
	End() (decided int, err error)
	// Reset gives the picture up and begins a new one.
	Reset()
	// Delay is how many rows may wait for others before they are computed.
	Delay() int
	Close() error
}

// View reinterprets a tensor's bytes as elements of type T without copying.
// It panics where b is misaligned or no whole number of elements long.
func View[T any](b []byte) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	if len(b)%size != 0 {
		panic(fmt.Sprintf("BUG: view of %d bytes in elements of %d", len(b), size))
	}
	if len(b) == 0 {
		return nil
	}
	p := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(p)%unsafe.Alignof(zero) != 0 {
		panic("BUG: view of misaligned memory")
	}
	return unsafe.Slice((*T)(p), len(b)/size)
}
