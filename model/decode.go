package model

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"unsafe"
)

// A file may ask for little memory once and point at it a million times. What
// Read allocates is therefore counted, and bounded by the file's size: the Go
// form of an honest file is at most a few times as large as the file.
const (
	budgetFactor = 32
	budgetBase   = 1 << 20 // bytes, for tiny files
)

const fileIdentifier = "TFL3"

// Read parses a .tflite file. The model keeps no reference to b; its byte
// vectors may share memory among themselves only where the file's do. Tensor
// data start at a 16-byte boundary in memory.
//
// The error is a *MalformedError or an *UnsupportedError.
func Read(b []byte) (*Model, error) { return read(alignedCopy(b)) }

// ReadShared is Read for a model whose byte vectors are b's own memory, where
// that is aligned: b must not change while the model is in use.
func ReadShared(b []byte) (*Model, error) {
	if uintptr(unsafe.Pointer(unsafe.SliceData(b)))%dataAlign != 0 {
		return Read(b)
	}
	return read(b)
}

func read(b []byte) (*Model, error) {
	if len(b) < 8 {
		return nil, malformed("%d bytes are too few for a .tflite file", len(b))
	}
	if id := string(b[4:8]); id != fileIdentifier {
		return nil, malformed("the file identifier is %q, not %q: this is no .tflite file", id, fileIdentifier)
	}
	d := &decoder{
		buf:     b,
		budget:  budgetBase + budgetFactor*int64(len(b)),
		layouts: layouts{},
		seen:    map[uint64][]byte{},
	}
	d.touch(8)
	root, err := d.offset(0)
	if err != nil {
		return nil, err
	}
	m := &Model{}
	if err := d.table(root, reflect.ValueOf(m).Elem()); err != nil {
		return nil, err
	}
	if m.Version != SchemaVersion {
		return nil, unsupported("schema version %d; this is a reader of version %d", m.Version, SchemaVersion)
	}
	if err := d.resolveExtents(m); err != nil {
		return nil, err
	}
	m.Trailer = d.trailer()
	m.Unknown = d.unknown
	if err := m.Validate(); err != nil {
		return nil, err
	}
	m.repair()
	return m, nil
}

// decoder walks a flatbuffer. Positions are uint64 so that no sum overflows.
type decoder struct {
	buf     []byte
	budget  int64
	end     uint64 // one past the last byte in use
	layouts layouts
	seen    map[uint64][]byte // byte vectors by position
	unknown []Unknown
	path    []step // to the table at hand
}

// charge books n bytes of allocation.
func (d *decoder) charge(n uint64) error {
	if d.budget -= int64(min(n, math.MaxInt32)); d.budget < 0 {
		return malformed("the content is over %d times as large as the file: parts of it overlap", budgetFactor)
	}
	return nil
}

func (d *decoder) touch(end uint64) { d.end = max(d.end, end) }

// need checks that n bytes at pos are in the file and aligned.
func (d *decoder) need(pos, n, align uint64, what string) error {
	if pos+n > uint64(len(d.buf)) {
		return malformed("%s of %d bytes at byte %d leaves the file of %d bytes", what, n, pos, len(d.buf))
	}
	if pos%align != 0 {
		return malformed("%s at byte %d is not aligned to %d bytes", what, pos, align)
	}
	d.touch(pos + n)
	return nil
}

func (d *decoder) u16(pos uint64) uint16 { return binary.LittleEndian.Uint16(d.buf[pos:]) }
func (d *decoder) u32(pos uint64) uint32 { return binary.LittleEndian.Uint32(d.buf[pos:]) }
func (d *decoder) u64(pos uint64) uint64 { return binary.LittleEndian.Uint64(d.buf[pos:]) }

// offset follows the offset stored at pos.
func (d *decoder) offset(pos uint64) (uint64, error) {
	if err := d.need(pos, 4, 4, "offset"); err != nil {
		return 0, err
	}
	o := d.u32(pos)
	if o == 0 || o > math.MaxInt32 {
		return 0, malformed("offset %d at byte %d points nowhere", o, pos)
	}
	return pos + uint64(o), nil
}

// vtable gives the positions of a table's fields, 0 where absent.
func (d *decoder) vtable(pos uint64) (func(number int) uint64, int, error) {
	if err := d.need(pos, 4, 4, "table"); err != nil {
		return nil, 0, err
	}
	at := int64(pos) - int64(int32(d.u32(pos)))
	if at < 0 {
		return nil, 0, malformed("table at byte %d has its vtable before the file", pos)
	}
	vt := uint64(at)
	if err := d.need(vt, 4, 2, "vtable"); err != nil {
		return nil, 0, err
	}
	size := uint64(d.u16(vt))
	if size < 4 || size%2 != 0 {
		return nil, 0, malformed("vtable at byte %d has size %d", vt, size)
	}
	if err := d.need(vt, size, 2, "vtable"); err != nil {
		return nil, 0, err
	}
	if err := d.need(pos, uint64(d.u16(vt+2)), 1, "table"); err != nil {
		return nil, 0, err
	}
	n := int(size-4) / 2
	field := func(number int) uint64 {
		if number >= n {
			return 0
		}
		if o := d.u16(vt + 4 + 2*uint64(number)); o != 0 {
			return pos + uint64(o)
		}
		return 0
	}
	return field, n, nil
}

// table fills the struct v from the table at pos.
func (d *decoder) table(pos uint64, v reflect.Value) error {
	at, n, err := d.vtable(pos)
	if err != nil {
		return err
	}
	l := d.layouts.of(v.Type())
	for number := range n {
		if at(number) != 0 && (number >= len(l.known) || !l.known[number]) {
			d.note(v.Type().Name(), fmt.Sprintf("field %d", number))
		}
	}
	if err := d.charge(16 + uint64(v.Type().Size())); err != nil {
		return err
	}
	for i := range l.fields {
		f := &l.fields[i]
		d.path = append(d.path, step{f.name, -1})
		if err := d.field(f, at, v.Field(f.index)); err != nil {
			return under(f.name, err)
		}
		d.path = d.path[:len(d.path)-1]
	}
	return nil
}

func (d *decoder) field(f *field, at func(int) uint64, v reflect.Value) error {
	switch f.kind {
	case fieldScalar:
		return d.scalar(f, at(f.number), v)
	case fieldUnion:
		return d.union(f, at, v)
	case fieldOpcode:
		return d.opcode(f, at, v)
	case fieldExtent:
		return d.extent(f, at, v.Addr().Interface().(*Extent))
	}
	if at(f.number) == 0 {
		return nil
	}
	pos, err := d.offset(at(f.number))
	if err != nil {
		return err
	}
	switch f.kind {
	case fieldString:
		return d.str(pos, v)
	case fieldVector:
		return d.vector(f, pos, v)
	case fieldTable:
		v.Set(reflect.New(f.elem))
		return d.table(pos, v.Elem())
	case fieldTables:
		return d.tables(f, pos, v)
	}
	panic("BUG: field kind")
}

// integer reads size bytes, sign extended; an absent one is def.
func (d *decoder) integer(pos uint64, size int, def int64) (int64, error) {
	if pos == 0 {
		return def, nil
	}
	if err := d.need(pos, uint64(size), uint64(size), "scalar"); err != nil {
		return 0, err
	}
	switch size {
	case 1:
		return int64(int8(d.buf[pos])), nil
	case 2:
		return int64(int16(d.u16(pos))), nil
	case 4:
		return int64(int32(d.u32(pos))), nil
	}
	return int64(d.u64(pos)), nil
}

func (d *decoder) scalar(f *field, pos uint64, v reflect.Value) error {
	n, err := d.integer(pos, f.size, f.def)
	if err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(n != 0)
	case reflect.Float32:
		v.SetFloat(float64(math.Float32frombits(uint32(n))))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(n) & (math.MaxUint64 >> (64 - 8*f.size)))
	default:
		v.SetInt(n + f.plus)
	}
	return nil
}

func (d *decoder) opcode(f *field, at func(int) uint64, v reflect.Value) error {
	narrow, err := d.integer(at(f.number), 1, 0)
	if err != nil {
		return err
	}
	wide, err := d.integer(at(opcodeWide), 4, 0)
	if err != nil {
		return err
	}
	v.SetInt(max(narrow, wide))
	return nil
}

func (d *decoder) extent(f *field, at func(int) uint64, e *Extent) error {
	offset, err := d.integer(at(f.number), 8, 0)
	if err != nil {
		return err
	}
	size, err := d.integer(at(f.number+1), 8, 0)
	*e = Extent{uint64(offset), uint64(size)}
	return err
}

func (d *decoder) union(f *field, at func(int) uint64, v reflect.Value) error {
	n, err := d.integer(at(f.number), 1, 0)
	if err != nil {
		return err
	}
	value := at(f.number + 1)
	switch {
	case n == 0 && value != 0:
		return malformed("a table of no kind")
	case value == 0:
		return nil // a kind without a table: runtimes take the defaults
	}
	t, ok := memberOf(f.members, uint8(n))
	if !ok {
		d.note(f.members, fmt.Sprintf("kind %d", uint8(n)))
		v.Set(reflect.ValueOf(&UnknownOptions{Kind: uint8(n)}))
		return nil
	}
	pos, err := d.offset(value)
	if err != nil {
		return err
	}
	p := reflect.New(t)
	v.Set(p)
	if err := d.table(pos, p.Elem()); err != nil {
		return under(fmt.Sprintf("(%s)", t.Name()), err)
	}
	return nil
}
