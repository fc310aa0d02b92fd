// Package npy reads and writes NumPy's .npy files, the form in which tensors
// come from and go to people's scripts. Source: NumPy's format description,
// versions 1.0 and 2.0.
package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// Array is a dense array in row-major order, little endian.
type Array struct {
	Type  Type
	Shape []int // empty for a scalar
	Data  []byte
}

// Type is the type of an element, by NumPy's name.
type Type string

// The element types that tensors have.
const (
	Float32 Type = "float32"
	Float64 Type = "float64"
	Float16 Type = "float16"
	Int8    Type = "int8"
	Uint8   Type = "uint8"
	Int16   Type = "int16"
	Uint16  Type = "uint16"
	Int32   Type = "int32"
	Uint32  Type = "uint32"
	Int64   Type = "int64"
	Uint64  Type = "uint64"
	Bool    Type = "bool"
)

// descriptors are the types' codes in the file, without the byte order.
var descriptors = []struct {
	code string
	t    Type
	size int
}{
	{"f4", Float32, 4}, {"f8", Float64, 8}, {"f2", Float16, 2}, {"i1", Int8, 1}, {"u1", Uint8, 1}, {"i2", Int16, 2},
	{"u2", Uint16, 2}, {"i4", Int32, 4}, {"u4", Uint32, 4}, {"i8", Int64, 8}, {"u8", Uint64, 8}, {"b1", Bool, 1},
}

// Size is the number of bytes of an element, 0 for an unknown type.
func (t Type) Size() int {
	for _, d := range descriptors {
		if d.t == t {
			return d.size
		}
	}
	return 0
}

const (
	magic     = "\x93NUMPY"
	alignment = 64      // of the data, so that a mapped file can be used in place
	maxHeader = 1 << 16 // bytes; real ones have about a hundred
	maxRank   = 32      // NumPy's own limit
)

// Read reads one array of at most limit bytes of data.
func Read(r io.Reader, limit int64) (*Array, error) {
	header, err := readHeader(r)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	a, order, err := parseHeader(header)
	if err != nil {
		return nil, fmt.Errorf("npy: header %q: %w", header, err)
	}
	size, err := a.bytes(limit)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	// A file that claims much and holds little costs only what it holds.
	var data bytes.Buffer
	n, err := io.Copy(&data, io.LimitReader(r, size))
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	if n != size {
		return nil, fmt.Errorf("npy: %d bytes of data where %s%v takes %d", n, a.Type, a.Shape, size)
	}
	a.Data = data.Bytes()
	if order == '>' {
		swap(a.Data, a.Type.Size())
	}
	return a, nil
}

// bytes is the size of the data, checked against the limit.
func (a *Array) bytes(limit int64) (int64, error) {
	n := int64(a.Type.Size())
	for _, d := range a.Shape {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension in %v", a.Shape)
		}
		if d > 0 && n > math.MaxInt64/int64(d) {
			return 0, fmt.Errorf("%s%v is too large", a.Type, a.Shape)
		}
		n *= int64(d)
	}
	if n > limit {
		return 0, fmt.Errorf("%s%v takes %d bytes, over the limit of %d", a.Type, a.Shape, n, limit)
	}
	return n, nil
}

func readHeader(r io.Reader) (string, error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil || string(start[:6]) != magic {
		return "", errors.New("this is no .npy file")
	}
	var length int
	switch major := start[6]; major {
	case 1:
		var b [2]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return "", fmt.Errorf("header: %w", err)
		}
		length = int(binary.LittleEndian.Uint16(b[:]))
	case 2, 3:
		var b [4]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return "", fmt.Errorf("header: %w", err)
		}
		if n := binary.LittleEndian.Uint32(b[:]); n <= maxHeader {
			length = int(n)
		} else {
			return "", fmt.Errorf("header of %d bytes", n)
		}
	default:
		return "", fmt.Errorf("format version %d.%d; this reads 1, 2 and 3", major, start[7])
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	return strings.TrimRight(string(b), " \n"), nil
}

// Write writes an array in format version 1.0, as NumPy itself does.
func Write(w io.Writer, a *Array) error {
	size, err := a.bytes(math.MaxInt64)
	if err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	if size != int64(len(a.Data)) {
		return fmt.Errorf("npy: %d bytes of data where %s%v takes %d", len(a.Data), a.Type, a.Shape, size)
	}
	head, err := a.header()
	if err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	if _, err := w.Write(a.Data); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	return nil
}

func (a *Array) header() ([]byte, error) {
	code := ""
	for _, d := range descriptors {
		if d.t == a.Type {
			code = "<" + d.code
			if d.size == 1 {
				code = "|" + d.code
			}
		}
	}
	if code == "" {
		return nil, fmt.Errorf("unknown type %q", a.Type)
	}
	if len(a.Shape) > maxRank {
		return nil, fmt.Errorf("%d dimensions; NumPy has at most %d", len(a.Shape), maxRank)
	}
	var shape strings.Builder
	for _, d := range a.Shape {
		fmt.Fprintf(&shape, "%d, ", d)
	}
	tuple := strings.TrimSuffix(shape.String(), " ")
	if len(a.Shape) > 1 {
		tuple = strings.TrimSuffix(tuple, ",")
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", code, tuple)
	const before = len(magic) + 4
	pad := alignment - (before+len(text)+1)%alignment
	text += strings.Repeat(" ", pad%alignment) + "\n"
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...), nil
}

// swap turns big-endian elements round.
func swap(b []byte, size int) {
	for ; len(b) >= size && size > 1; b = b[size:] {
		for i := range size / 2 {
			b[i], b[size-1-i] = b[size-1-i], b[i]
		}
	}
}
