package model

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"unsafe"
)

// maxFlatbuffer is the format's limit: offsets are signed 32-bit numbers.
const maxFlatbuffer = math.MaxInt32

// Write gives the model's file. Equal models give equal bytes. Byte vectors
// that share memory are written once.
func (m *Model) Write() ([]byte, error) {
	if len(m.Unknown) > 0 {
		return nil, unsupported("%s: it would be lost in writing", m.Unknown[0])
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	size := m.dataBytes()
	if size > maxFlatbuffer {
		return nil, unsupported("%d bytes of data; a flatbuffer holds at most %d", size, maxFlatbuffer)
	}
	e := &encoder{
		buf:     make([]byte, 8, size+size/8+4096),
		layouts: layouts{},
		vtables: map[string]uint64{},
		later:   map[byteVector]int{},
	}
	copy(e.buf[4:], fileIdentifier)
	if err := e.table(0, reflect.ValueOf(m).Elem()); err != nil {
		return nil, err
	}
	e.writeData()
	if len(e.buf) > maxFlatbuffer {
		return nil, unsupported("%d bytes of flatbuffer; the format holds at most %d", len(e.buf), maxFlatbuffer)
	}
	return append(e.buf, m.Trailer...), nil
}

// dataBytes is a lower bound of the file's size, each shared slice once.
func (m *Model) dataBytes() int64 {
	total := int64(0)
	seen := map[*byte]bool{}
	for _, b := range m.Buffers {
		if p := unsafe.SliceData(b.Data); !seen[p] {
			seen[p] = true
			total += int64(len(b.Data))
		}
	}
	return total
}

// encoder writes a flatbuffer front to back: a table, then what it points to,
// and at the end the byte vectors. Offsets only lead forwards, so a vector that
// several tables share must stand behind them all.
type encoder struct {
	buf     []byte
	layouts layouts
	vtables map[string]uint64
	data    []pendingData
	later   map[byteVector]int // index into data
}

// pendingData is a byte vector, and the offsets that shall lead to it.
type pendingData struct {
	bytes []byte
	align int
	from  []uint64
}

// slot is a present field with its place in the table.
type slot struct {
	f      *field
	number int
	size   int
	value  uint64 // of a scalar
	child  bool   // an offset, patched when the child is written
}

// reserve appends n zero bytes whose start is aligned, and gives the start.
func (e *encoder) reserve(n, align int) uint64 {
	for len(e.buf)%align != 0 {
		e.buf = append(e.buf, 0)
	}
	pos := len(e.buf)
	e.buf = append(e.buf, make([]byte, n)...)
	return uint64(pos)
}

func (e *encoder) put(pos uint64, size int, v uint64) {
	switch size {
	case 1:
		e.buf[pos] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(e.buf[pos:], uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(e.buf[pos:], uint32(v))
	case 8:
		binary.LittleEndian.PutUint64(e.buf[pos:], v)
	}
}

// point makes the offset at pos lead to target.
func (e *encoder) point(pos, target uint64) { e.put(pos, 4, target-pos) }

// table writes the struct v, and makes the offset at from lead to it.
func (e *encoder) table(from uint64, v reflect.Value) error {
	l := e.layouts.of(v.Type())
	var slots []slot
	for i := range l.fields {
		f := &l.fields[i]
		s, err := present(f, v.Field(f.index))
		if err != nil {
			return under(f.name, err)
		}
		slots = append(slots, s...)
	}
	starts, pos := e.inline(slots)
	e.point(from, pos)
	for i, s := range slots {
		if !s.child {
			continue
		}
		if err := e.child(s.f, pos+uint64(starts[i]), v.Field(s.f.index)); err != nil {
			return under(s.f.name, err)
		}
	}
	return nil
}

// inline writes a table's vtable and its fixed part, large fields first so
// that nothing is padded in between, and gives the fields' places in it.
func (e *encoder) inline(slots []slot) (starts []int, pos uint64) {
	starts = make([]int, len(slots))
	end, align, numbers := 4, 4, 0
	for _, size := range [...]int{8, 4, 2, 1} {
		for i, s := range slots {
			if s.size != size {
				continue
			}
			end = (end + size - 1) / size * size
			starts[i] = end
			end += size
			align = max(align, size)
			numbers = max(numbers, s.number+1)
		}
	}
	vtable := make([]byte, 4+2*numbers)
	binary.LittleEndian.PutUint16(vtable, uint16(len(vtable)))
	binary.LittleEndian.PutUint16(vtable[2:], uint16(end))
	for i, s := range slots {
		binary.LittleEndian.PutUint16(vtable[4+2*s.number:], uint16(starts[i]))
	}
	vt, ok := e.vtables[string(vtable)]
	if !ok {
		vt = e.reserve(len(vtable), 2)
		copy(e.buf[vt:], vtable)
		e.vtables[string(vtable)] = vt
	}
	pos = e.reserve(end, align)
	e.put(pos, 4, pos-vt)
	for i, s := range slots {
		if !s.child {
			e.put(pos+uint64(starts[i]), s.size, s.value)
		}
	}
	return starts, pos
}

// present tells which fields of a table v takes: none where it is the default.
func present(f *field, v reflect.Value) ([]slot, error) {
	offset := []slot{{f: f, number: f.number, size: 4, child: true}}
	switch f.kind {
	case fieldScalar:
		bits := scalarBits(v)
		if f.plus != 0 {
			bits = uint64(int64(int32(v.Int() - f.plus)))
		}
		if bits != uint64(f.def) {
			return []slot{{f: f, number: f.number, size: f.size, value: bits}}, nil
		}
		return nil, nil
	case fieldString:
		if v.Len() == 0 && !f.always {
			return nil, nil
		}
		return offset, nil
	case fieldOpcode:
		return opcodeSlots(f, v.Int()), nil
	case fieldExtent:
		return extentSlots(f, v.Interface().(Extent)), nil
	}
	if v.IsNil() {
		return nil, nil
	}
	if f.kind != fieldUnion {
		return offset, nil
	}
	p := v.Elem()
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return nil, fmt.Errorf("model: %s holds %v, not a pointer to a struct", f.members, p.Type())
	}
	n, ok := numberOf(f.members, p.Type().Elem())
	if !ok {
		return nil, fmt.Errorf("model: %s has no member %v", f.members, p.Type().Elem())
	}
	return []slot{
		{f: f, number: f.number, size: 1, value: uint64(n)},
		{f: f, number: f.number + 1, size: 4, child: true},
	}, nil
}

func opcodeSlots(f *field, code int64) []slot {
	return []slot{
		{f: f, number: f.number, size: 1, value: uint64(min(code, math.MaxInt8))},
		{f: f, number: opcodeWide, size: 4, value: uint64(code)},
	}
}

func extentSlots(f *field, e Extent) (s []slot) {
	if e.Offset != 0 {
		s = append(s, slot{f: f, number: f.number, size: 8, value: e.Offset})
	}
	if e.Size != 0 {
		s = append(s, slot{f: f, number: f.number + 1, size: 8, value: e.Size})
	}
	return s
}

// scalarBits is the value as it is stored; -0 is not the default of a float.
func scalarBits(v reflect.Value) uint64 {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return 1
		}
		return 0
	case reflect.Float32:
		return uint64(math.Float32bits(float32(v.Float())))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint()
	}
	return uint64(v.Int())
}
