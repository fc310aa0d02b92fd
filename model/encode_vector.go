package model

import (
	"encoding/binary"
	"math"
	"reflect"
	"unsafe"
)

// child writes what the offset at from leads to.
func (e *encoder) child(f *field, from uint64, v reflect.Value) error {
	if len(e.buf) > maxFlatbuffer {
		return unsupported("more than %d bytes of flatbuffer", maxFlatbuffer)
	}
	switch f.kind {
	case fieldString:
		e.str(from, v.String())
	case fieldVector:
		e.vector(f, from, v)
	case fieldTable:
		return e.table(from, v.Elem())
	case fieldUnion:
		return e.table(from, v.Elem().Elem())
	case fieldTables:
		return e.tables(from, v)
	default:
		panic("BUG: child of a scalar")
	}
	return nil
}

func (e *encoder) str(from uint64, s string) {
	pos := e.reserve(4+len(s)+1, 4)
	e.put(pos, 4, uint64(len(s)))
	copy(e.buf[pos+4:], s)
	e.point(from, pos)
}

func (e *encoder) tables(from uint64, v reflect.Value) error {
	pos := e.reserve(4+4*v.Len(), 4)
	e.put(pos, 4, uint64(v.Len()))
	e.point(from, pos)
	for i := range v.Len() {
		if err := e.table(pos+4+4*uint64(i), v.Index(i).Elem()); err != nil {
			return underIndex(i, err)
		}
	}
	return nil
}

func (e *encoder) vector(f *field, from uint64, v reflect.Value) {
	if data, ok := v.Interface().([]byte); ok {
		e.postpone(data, f.align, from)
		return
	}
	e.startVector(v.Len(), f.align, from)
	e.buf = appendElements(e.buf, v.Interface())
}

// startVector aligns the elements, not their count, as it is asked for.
func (e *encoder) startVector(n, align int, from ...uint64) {
	e.reserve(0, 4)
	for (len(e.buf)+4)%max(align, 4) != 0 {
		e.buf = append(e.buf, 0, 0, 0, 0)
	}
	for _, f := range from {
		e.point(f, uint64(len(e.buf)))
	}
	e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(n))
}

// postpone keeps a byte vector for writeData, once for all that share it.
func (e *encoder) postpone(data []byte, align int, from uint64) {
	key := byteVector{unsafe.SliceData(data), len(data)}
	i, ok := e.later[key]
	if !ok || len(data) == 0 {
		i = len(e.data)
		e.later[key] = i
		e.data = append(e.data, pendingData{bytes: data})
	}
	e.data[i].align = max(e.data[i].align, align)
	e.data[i].from = append(e.data[i].from, from)
}

func (e *encoder) writeData() {
	for _, d := range e.data {
		e.startVector(len(d.bytes), d.align, d.from...)
		e.buf = append(e.buf, d.bytes...)
	}
}

func appendElements(b []byte, elements any) []byte {
	le := binary.LittleEndian
	switch s := elements.(type) {
	case []bool:
		for _, x := range s {
			b = append(b, boolByte(x))
		}
	case []uint16:
		for _, x := range s {
			b = le.AppendUint16(b, x)
		}
	case []int32:
		for _, x := range s {
			b = le.AppendUint32(b, uint32(x))
		}
	case []uint32:
		for _, x := range s {
			b = le.AppendUint32(b, x)
		}
	case []float32:
		for _, x := range s {
			b = le.AppendUint32(b, math.Float32bits(x))
		}
	case []int64:
		for _, x := range s {
			b = le.AppendUint64(b, uint64(x))
		}
	default:
		panic("BUG: vector of an unknown type")
	}
	return b
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
