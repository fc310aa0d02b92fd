package model

import (
	"reflect"
	"unsafe"
)

// Clone is a deep copy. Byte vectors that share all their memory in m share it
// in the copy too.
func (m *Model) Clone() *Model {
	c := cloner{}
	return c.copy(reflect.ValueOf(m)).Interface().(*Model)
}

type byteVector struct {
	first *byte
	n     int
}

type cloner map[byteVector][]byte

func (c cloner) copy(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(c.copy(v.Elem()))
		return p
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		return c.copy(v.Elem())
	case reflect.Slice:
		return c.slice(v)
	case reflect.Struct:
		s := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			s.Field(i).Set(c.copy(v.Field(i)))
		}
		return s
	}
	return v
}

func (c cloner) slice(v reflect.Value) reflect.Value {
	if v.IsNil() {
		return v
	}
	if b, ok := v.Interface().([]byte); ok {
		return reflect.ValueOf(c.bytes(b))
	}
	s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	if v.Type().Elem().Kind() != reflect.Pointer {
		reflect.Copy(s, v)
		return s
	}
	for i := range v.Len() {
		s.Index(i).Set(c.copy(v.Index(i)))
	}
	return s
}

func (c cloner) bytes(b []byte) []byte {
	key := byteVector{unsafe.SliceData(b), len(b)}
	if old, ok := c[key]; ok {
		return old
	}
	c[key] = alignedCopy(b)
	return c[key]
}
