package model

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

func TestReadSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":           {nil, "too few"},
		"a ZIP":           {[]byte("PK\x03\x04 and more"), "no .tflite file"},
		"another version": {mustWrite(t, &Model{Version: 2}), "schema version 2"},
		"only a head":     {[]byte("\x00\x00\x00\x00TFL3"), "points nowhere"},
	} {
		_, err := Read(c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "model: ") {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

// external makes a file whose last buffer lies behind the flatbuffer.
func external(t *testing.T, data []byte, shift uint64) []byte {
	t.Helper()
	m := zoo(t)
	b := &Buffer{External: Extent{Offset: 2, Size: uint64(len(data))}}
	m.Buffers = append(m.Buffers, b)
	n := uint64(len(mustWrite(t, m)))
	b.External.Offset = (n+15)/16*16 + shift
	file := mustWrite(t, m)
	file = append(file, make([]byte, b.External.Offset-n)...)
	return append(file, data...)
}

func TestExternalBuffersBecomeInternal(t *testing.T) {
	data := bytes.Repeat([]byte("weights "), 100)
	for _, shift := range []uint64{0, 3} {
		m, err := Read(external(t, data, shift))
		if err != nil {
			t.Fatal(err)
		}
		last := m.Buffers[len(m.Buffers)-1]
		if !bytes.Equal(last.Data, data) || last.External != (Extent{}) {
			t.Errorf("%d bytes, external %v", len(last.Data), last.External)
		}
		if at := uintptr(unsafe.Pointer(&last.Data[0])); at%dataAlign != 0 {
			t.Errorf("data at %x in memory", at)
		}
		if len(m.Trailer) > 0 {
			t.Errorf("the external data are taken for a trailer of %d bytes", len(m.Trailer))
		}
		checkRoundTrip(t, m)
	}
}

func TestExternalBuffersOutsideTheFile(t *testing.T) {
	for _, e := range []Extent{{1 << 40, 4}, {8, 1 << 40}, {1<<64 - 1, 1<<64 - 1}, {100, 1 << 30}} {
		m := zoo(t)
		m.Buffers = append(m.Buffers, &Buffer{External: e})
		_, err := Read(mustWrite(t, m))
		var bad *MalformedError
		if !errors.As(err, &bad) || !strings.HasPrefix(bad.Path, "buffers[") {
			t.Errorf("%v: error %v", e, err)
		}
	}
}

func TestLargeCustomOptionsBecomeInternal(t *testing.T) {
	m := zoo(t)
	op := m.Subgraphs[0].Operators[0]
	op.LargeCustomOptions = Extent{Offset: 4, Size: 4} // the identifier will do
	again, err := Read(mustWrite(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Subgraphs[0].Operators[0].CustomOptions; string(got) != fileIdentifier {
		t.Errorf("custom options %q", got)
	}
}

func TestTrailerIsKept(t *testing.T) {
	zip := []byte("PK\x03\x04labels.txt, and so on; a ZIP is found from its end")
	for _, padding := range []int{0, 1, 5, 15} {
		file := append(mustWrite(t, zoo(t)), make([]byte, padding)...)
		m, err := Read(append(file, zip...))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(m.Trailer, zip) || len(m.Trailer) != padding+len(zip) {
			t.Errorf("trailer %q", m.Trailer)
		}
		if out := mustWrite(t, m); !bytes.HasSuffix(out, zip) {
			t.Error("the trailer is not at the end")
		}
		checkRoundTrip(t, m)
	}
	m, err := Read(append(mustWrite(t, zoo(t)), make([]byte, 20)...))
	if err != nil || m.Trailer != nil {
		t.Errorf("padding is taken for a trailer: %q, %v", m.Trailer, err)
	}
}

// Operator numbers over 127 have a field of their own, and older readers look
// at the old one.
func TestOperatorNumbers(t *testing.T) {
	for _, code := range []BuiltinOperator{0, 1, 126, 127, 128, 206, 1000} {
		m := &Model{Version: SchemaVersion, OperatorCodes: []*OperatorCode{{Builtin: code, Version: 3}}}
		checkRoundTrip(t, m)
		again, err := Read(mustWrite(t, m))
		if err != nil || again.OperatorCodes[0].Builtin != code {
			t.Errorf("%v came back as %v, %v", code, again.OperatorCodes[0].Builtin, err)
		}
	}
	if s := BuiltinOperator(1000).String(); s != "BUILTIN_1000" {
		t.Errorf("an unknown operator is called %s", s)
	}
}

// Many operators on a tensor of very many dimensions would cost the product.
func TestTooManyDimensions(t *testing.T) {
	m := zoo(t)
	m.Subgraphs[0].Tensors[0].Shape = make([]int32, 100_000)
	_, err := m.Write()
	var unknown *UnsupportedError
	if !errors.As(err, &unknown) || unknown.Path != "subgraphs[0].tensors[0].shape" {
		t.Errorf("error %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, m := range map[string]*Model{
		"options that are none": {Version: SchemaVersion, OperatorCodes: []*OperatorCode{{}},
			Subgraphs: []*Subgraph{{Operators: []*Operator{{Options: 7}}}}},
		"options of no operator": {Version: SchemaVersion, OperatorCodes: []*OperatorCode{{}},
			Subgraphs: []*Subgraph{{Operators: []*Operator{{Options: &Tensor{}}}}}},
	} {
		if _, err := m.Write(); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func TestValidateFindsLooseEnds(t *testing.T) {
	for want, change := range map[string]func(m *Model){
		"subgraphs[0].operators[0].opcodeIndex":  func(m *Model) { m.Subgraphs[0].Operators[0].OpcodeIndex = 999 },
		"subgraphs[0].operators[2].inputs[1]":    func(m *Model) { m.Subgraphs[0].Operators[2].Inputs[1] = 999 },
		"subgraphs[0].operators[3].outputs[0]":   func(m *Model) { m.Subgraphs[0].Operators[3].Outputs[0] = -1 },
		"subgraphs[0].operators[1].intermediate": func(m *Model) { m.Subgraphs[0].Operators[1].Intermediates = []int32{1 << 30} },
		"subgraphs[0].operators[0].options":      func(m *Model) { m.Subgraphs[0].Operators[0].Options = &IfOptions{ThenSubgraphIndex: 5} },
		"subgraphs[0].inputs[0]":                 func(m *Model) { m.Subgraphs[0].Inputs[0] = -1 },
		"subgraphs[0].outputs[1]":                func(m *Model) { m.Subgraphs[0].Outputs[1] = 1 << 20 },
		"subgraphs[0].tensors[1].buffer":         func(m *Model) { m.Subgraphs[0].Tensors[1].Buffer = 1 << 31 },
		"subgraphs[0].tensors[2]":                func(m *Model) { m.Subgraphs[0].Tensors[2].Shape[0] = 9 },
		"subgraphs[0].tensors[2].shape":          func(m *Model) { m.Subgraphs[0].Tensors[2].Shape = []int32{-8} },
		"metadata[0]":                            func(m *Model) { m.Metadata[0].Buffer = 99 },
		"metadataBuffer[0]":                      func(m *Model) { m.MetadataBuffer = []int32{-1} },
		"signatureDefs[0]":                       func(m *Model) { m.SignatureDefs[0].Outputs[0].TensorIndex = 1 << 31 },
	} {
		m := zoo(t)
		change(m)
		var bad *MalformedError
		if err := m.Validate(); !errors.As(err, &bad) || !strings.HasPrefix(bad.Path, want) {
			t.Errorf("%s: %v", want, err)
		}
		if _, err := m.Write(); err == nil {
			t.Errorf("%s: written", want)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	m := zoo(t)
	before := dump(t, m)
	c := m.Clone()
	scramble(reflect.ValueOf(c).Elem())
	if dump(t, m) != before {
		t.Error("changing the clone changed the model")
	}
}

// scramble changes everything that can be reached.
func scramble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			scramble(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			scramble(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			scramble(v.Index(i))
		}
	case reflect.String:
		v.SetString("?")
	case reflect.Uint8, reflect.Uint32:
		v.SetUint(v.Uint() ^ 1)
	case reflect.Int32, reflect.Int64, reflect.Int8:
		v.SetInt(v.Int() ^ 1)
	}
}
