package npy

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRoundTrip(t *testing.T) {
	for _, d := range descriptors {
		for _, shape := range [][]int{{}, {0}, {3}, {2, 3}, {1, 2, 3, 4}, {5, 0, 2}} {
			a := &Array{Type: d.t, Shape: shape}
			n, _ := a.bytes(math.MaxInt64)
			a.Data = make([]byte, n)
			for i := range a.Data {
				a.Data[i] = byte(i * 7)
			}
			var file bytes.Buffer
			if err := Write(&file, a); err != nil {
				t.Fatal(err)
			}
			if at := file.Len() - len(a.Data); at%alignment != 0 {
				t.Errorf("%s%v: data at byte %d", d.t, shape, at)
			}
			b, err := Read(&file, n)
			if err != nil {
				t.Fatal(err)
			}
			if b.Type != a.Type || !cmp.Equal(b.Shape, a.Shape) || !bytes.Equal(b.Data, a.Data) {
				t.Errorf("%s%v came back as %s%v", a.Type, a.Shape, b.Type, b.Shape)
			}
		}
	}
}

// The bytes that numpy.save(f, numpy.float32([[1, 2, 3]])) writes.
func TestWriteAsNumPyDoes(t *testing.T) {
	data := binary.LittleEndian.AppendUint32(nil, math.Float32bits(1))
	data = binary.LittleEndian.AppendUint32(data, math.Float32bits(2))
	data = binary.LittleEndian.AppendUint32(data, math.Float32bits(3))
	var file bytes.Buffer
	if err := Write(&file, &Array{Type: Float32, Shape: []int{1, 3}, Data: data}); err != nil {
		t.Fatal(err)
	}
	head := "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }"
	head += strings.Repeat(" ", 127-len(head)) + "\n"
	if got := file.Bytes(); !bytes.Equal(got, append([]byte(head), data...)) {
		t.Errorf("wrote %q", got)
	}
}

// npyFile makes a file of format version major around a header.
func npyFile(major byte, header string, data ...byte) []byte {
	b := append([]byte(magic), major, 0)
	if major == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(header)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(header)))
	}
	return append(append(b, header...), data...)
}

func TestReadVariants(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want Array
	}{
		"version 2":  {npyFile(2, "{'descr': '<i2', 'fortran_order': False, 'shape': (2,)}\n", 1, 0, 2, 0), Array{Int16, []int{2}, []byte{1, 0, 2, 0}}},
		"big endian": {npyFile(1, "{'shape': (1,), 'fortran_order': False, 'descr': '>i4'}", 1, 2, 3, 4), Array{Int32, []int{1}, []byte{4, 3, 2, 1}}},
		"bool":       {npyFile(1, `{"descr": "|b1", "fortran_order": False, "shape": ()}`, 1), Array{Bool, []int{}, []byte{1}}},
		"python 2":   {npyFile(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (1L, 2L), }", 8, 9), Array{Uint8, []int{1, 2}, []byte{8, 9}}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := Read(bytes.NewReader(c.file), 100)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&c.want, a); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":          {nil, "no .npy file"},
		"another format": {[]byte("PK\x03\x04 and so on"), "no .npy file"},
		"version 9":      {npyFile(9, ""), "version 9"},
		"huge header":    {append([]byte(magic), 2, 0, 255, 255, 255, 255), "header of"},
		"cut header":     {npyFile(1, "{'descr': '<f4'")[:15], "header"},
		"column-major":   {npyFile(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}"), "ascontiguousarray"},
		"structs":        {npyFile(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"), "plain numbers"},
		"complex":        {npyFile(1, "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}"), `"c8"`},
		"pickled":        {npyFile(1, "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"), `"O"`},
		"missing key":    {npyFile(1, "{'descr': '<f4', 'fortran_order': False}"), "keys"},
		"extra key":      {npyFile(1, "{'x': 1}"), "unknown key"},
		"negative":       {npyFile(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), "no number"},
		"overflow": {npyFile(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647)}"),
			"too large"},
		"over the limit": {npyFile(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000,)}"), "over the limit"},
		"short data":     {npyFile(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 1, 2, 3), "3 bytes"},
		"trailing":       {npyFile(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x"), "keys"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(c.file), 1000)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, a := range []*Array{
		{Type: "complex64", Shape: []int{0}},
		{Type: Float32, Shape: []int{2}, Data: make([]byte, 4)},
		{Type: Float32, Shape: []int{-1}},
		{Type: Uint8, Shape: make([]int, 33)},
	} {
		if err := Write(&bytes.Buffer{}, a); err == nil {
			t.Errorf("wrote %s%v with %d bytes", a.Type, a.Shape, len(a.Data))
		}
	}
}

func FuzzNpy(f *testing.F) {
	f.Add(npyFile(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n", make([]byte, 8)...))
	f.Add(npyFile(2, "{'descr': '>i8', 'fortran_order': False, 'shape': (), }\n", make([]byte, 8)...))
	f.Add(npyFile(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (3L,)}", 0, 1, 0))
	f.Fuzz(func(t *testing.T, file []byte) {
		const limit = 1 << 16
		a, err := Read(bytes.NewReader(file), limit)
		if err != nil {
			return
		}
		if len(a.Data) > limit {
			t.Fatalf("%d bytes of data over the limit", len(a.Data))
		}
		var out bytes.Buffer
		if err := Write(&out, a); err != nil {
			t.Fatal(err)
		}
		b, err := Read(&out, limit)
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(a, b) {
			t.Errorf("%v came back as %v", a, b)
		}
	})
}
