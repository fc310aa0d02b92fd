package rewrite

import (
	"encoding/binary"

	"edged/model"
)

// ints reads an int32 or int64 constant; ok is false for anything else.
func ints(m *model.Model, t *model.Tensor) (_ []int, ok bool) {
	b := m.Data(t)
	var out []int
	switch t.Type {
	case model.TypeInt32:
		for ; len(b) >= 4; b = b[4:] {
			out = append(out, int(int32(binary.LittleEndian.Uint32(b))))
		}
	case model.TypeInt64:
		for ; len(b) >= 8; b = b[8:] {
			out = append(out, int(int64(binary.LittleEndian.Uint64(b))))
		}
	default:
		return nil, false
	}
	return out, len(out) > 0
}

// int32Bytes is v as the bytes of an int32 constant.
func int32Bytes(v ...int) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(x)))
	}
	return b
}

func elems(shape []int32) int {
	n := 1
	for _, s := range shape {
		n *= int(s)
	}
	return n
}
