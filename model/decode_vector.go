package model

import (
	"bytes"
	"math"
	"reflect"
	"unsafe"
)

// dataAlign is where tensor data start, in the file and in memory, so that an
// engine may use them in place.
const dataAlign = 16

// header checks a vector of elements of size bytes at pos, and gives the
// element count and the position of the first.
func (d *decoder) header(pos uint64, size int) (n, first uint64, err error) {
	if err := d.need(pos, 4, 4, "vector"); err != nil {
		return 0, 0, err
	}
	n = uint64(d.u32(pos))
	if err := d.need(pos+4, n*uint64(size), 1, "vector"); err != nil {
		return 0, 0, err
	}
	return n, pos + 4, nil
}

func (d *decoder) str(pos uint64, v reflect.Value) error {
	n, first, err := d.header(pos, 1)
	if err != nil {
		return err
	}
	if err := d.need(first+n, 1, 1, "end of a string"); err != nil {
		return err
	}
	if d.buf[first+n] != 0 {
		return malformed("string at byte %d has no end", pos)
	}
	if err := d.charge(n); err != nil {
		return err
	}
	v.SetString(string(d.buf[first : first+n]))
	return nil
}

func (d *decoder) tables(f *field, pos uint64, v reflect.Value) error {
	n, first, err := d.header(pos, 4)
	if err != nil {
		return err
	}
	if err := d.charge(8 * n); err != nil {
		return err
	}
	list := reflect.MakeSlice(v.Type(), int(n), int(n))
	v.Set(list)
	for i := range int(n) {
		at, err := d.offset(first + 4*uint64(i))
		if err != nil {
			return underIndex(i, err)
		}
		p := reflect.New(f.elem)
		list.Index(i).Set(p)
		d.path[len(d.path)-1].index = i
		if err := d.table(at, p.Elem()); err != nil {
			return underIndex(i, err)
		}
	}
	return nil
}

func (d *decoder) vector(f *field, pos uint64, v reflect.Value) error {
	n, first, err := d.header(pos, f.size)
	if err != nil {
		return err
	}
	if f.size == 1 && v.Type().Elem().Kind() == reflect.Uint8 {
		data, err := d.bytes(first, n, f.align)
		v.SetBytes(data)
		return err
	}
	if err := d.charge(n * uint64(f.size)); err != nil {
		return err
	}
	src := d.buf[first : first+n*uint64(f.size)]
	switch out := v.Addr().Interface().(type) {
	case *[]bool:
		*out = elements(src, 1, func(p uint64) bool { return src[p] != 0 })
	case *[]uint16:
		*out = elements(src, 2, func(p uint64) uint16 { return d.u16(first + p) })
	case *[]int32:
		*out = elements(src, 4, func(p uint64) int32 { return int32(d.u32(first + p)) })
	case *[]uint32:
		*out = elements(src, 4, func(p uint64) uint32 { return d.u32(first + p) })
	case *[]float32:
		*out = elements(src, 4, func(p uint64) float32 { return math.Float32frombits(d.u32(first + p)) })
	case *[]int64:
		*out = elements(src, 8, func(p uint64) int64 { return int64(d.u64(first + p)) })
	default:
		panic("BUG: vector of " + v.Type().String())
	}
	return nil
}

func elements[T any](src []byte, size int, get func(p uint64) T) []T {
	out := make([]T, len(src)/size)
	for i := range out {
		out[i] = get(uint64(i * size))
	}
	return out
}

// bytes lends n bytes of the model's copy of the file. Data that are asked to
// be aligned and are not, get a copy. Vectors at distinct places count against
// the budget although they cost nothing here, so that whoever copies or writes
// the model needs no more memory either.
func (d *decoder) bytes(pos, n uint64, align int) ([]byte, error) {
	if n == 0 {
		return []byte{}, nil
	}
	if b := d.seen[pos]; uint64(len(b)) == n {
		return b, nil
	}
	if err := d.charge(n); err != nil {
		return nil, err
	}
	b := d.buf[pos : pos+n : pos+n]
	if align > 1 && pos%uint64(align) != 0 {
		b = alignedCopy(b)
	}
	d.seen[pos] = b
	return b, nil
}

// resolveExtents takes data that lie outside the flatbuffer into the model.
func (d *decoder) resolveExtents(m *Model) error {
	for i, b := range m.Buffers {
		if err := d.resolve(&b.External, &b.Data); err != nil {
			return under("buffers", underIndex(i, err))
		}
	}
	for i, g := range m.Subgraphs {
		for j, op := range g.Operators {
			if err := d.resolve(&op.LargeCustomOptions, &op.CustomOptions); err != nil {
				return under("subgraphs", underIndex(i, under("operators", underIndex(j, err))))
			}
		}
	}
	return nil
}

func (d *decoder) resolve(e *Extent, data *[]byte) error {
	if e.Offset <= 1 {
		return nil
	}
	if e.Offset > uint64(len(d.buf)) || e.Size > uint64(len(d.buf)) {
		return malformed("%d bytes at byte %d lie outside the file of %d bytes", e.Size, e.Offset, len(d.buf))
	}
	if len(*data) > 0 {
		return malformed("data both inside and outside the flatbuffer")
	}
	if err := d.need(e.Offset, e.Size, 1, "external data"); err != nil {
		return err
	}
	b, err := d.bytes(e.Offset, e.Size, dataAlign)
	*data, *e = b, Extent{}
	return err
}

// trailer is what lies behind the last byte in use; a writer's zero padding
// does not count.
func (d *decoder) trailer() []byte {
	rest := d.buf[d.end:]
	if len(rest) <= 2*dataAlign && len(bytes.Trim(rest, "\x00")) == 0 {
		return nil
	}
	return rest
}

// alignedCopy copies b to memory that starts at a multiple of dataAlign.
func alignedCopy(b []byte) []byte {
	room := make([]byte, len(b)+dataAlign-1)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(room))) % dataAlign)
	out := room[skip : skip+len(b) : skip+len(b)]
	copy(out, b)
	return out
}
