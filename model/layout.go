package model

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// kind tells how a field of a table is stored.
type kind uint8

const (
	fieldScalar kind = iota // inline, size bytes
	fieldString             // offset to a length, bytes and a NUL
	fieldVector             // offset to a length and scalars of size bytes
	fieldTable              // offset to a table
	fieldTables             // offset to a length and offsets to tables
	fieldUnion              // two fields: a byte that names the member, an offset to its table
	fieldExtent             // two fields of 8 bytes: offset, size
	// fieldOpcode is an operator's number. Numbers over 127 did not fit the
	// byte of field 0, so the schema added an int32 as field 3, and a reader
	// takes the larger of the two.
	fieldOpcode
)

const opcodeWide = 3 // the field number of the wide operator number

// field is one field of a table, and the Go field that holds it.
type field struct {
	name    string
	index   int // of the Go struct's field
	number  int // of the table's field
	kind    kind
	size    int // bytes of a scalar, or of one element of a vector
	align   int // of a vector's first element
	def     int64
	plus    int64 // what the Go field holds more than the file, so that its zero means the default
	always  bool  // a string that is written even where empty: there, absent means invalid
	members string
	elem    reflect.Type // the struct of a table or of a vector's tables
}

// layout is how a Go struct lies in the file.
type layout struct {
	fields []field
	known  []bool // by field number
}

// layouts caches what the struct tags say.
type layouts map[reflect.Type]*layout

func (ls layouts) of(t reflect.Type) *layout {
	if l := ls[t]; l != nil {
		return l
	}
	l := &layout{}
	for i := range t.NumField() {
		f, ok := parseField(t.Field(i))
		if !ok {
			continue
		}
		f.index = i
		l.fields = append(l.fields, f)
		l.know(f.number)
		switch f.kind {
		case fieldUnion, fieldExtent:
			l.know(f.number + 1)
		case fieldOpcode:
			l.know(opcodeWide)
		}
	}
	ls[t] = l
	return l
}

func (l *layout) know(number int) {
	for len(l.known) <= number {
		l.known = append(l.known, false)
	}
	l.known[number] = true
}

// parseField reads a tag: `fb:"NUMBER[,default=N][,plus=N][,align=N][,always][,union=NAME][,opcode][,extent]"`.
func parseField(s reflect.StructField) (field, bool) {
	tag, ok := s.Tag.Lookup("fb")
	if !ok {
		return field{}, false
	}
	f := field{name: strings.ToLower(s.Name[:1]) + s.Name[1:]}
	parts := strings.Split(tag, ",")
	f.number = mustAtoi(parts[0])
	f.classify(s.Type)
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "default":
			f.def = int64(mustAtoi(value))
		case "plus":
			f.plus = int64(mustAtoi(value))
		case "align":
			f.align = mustAtoi(value)
		case "always":
			f.always = true
		case "union":
			f.kind, f.members = fieldUnion, value
		case "opcode":
			f.kind = fieldOpcode
		case "extent":
			f.kind = fieldExtent
		default:
			panic("BUG: unknown tag " + part)
		}
	}
	return f, true
}

func (f *field) classify(t reflect.Type) {
	switch t.Kind() {
	case reflect.String:
		f.kind = fieldString
	case reflect.Pointer:
		f.kind, f.elem = fieldTable, t.Elem()
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Pointer {
			f.kind, f.elem = fieldTables, t.Elem().Elem()
			return
		}
		f.kind, f.size = fieldVector, int(t.Elem().Size())
		f.align = f.size
	case reflect.Interface, reflect.Struct: // the tag says which
	default:
		f.kind, f.size = fieldScalar, int(t.Size())
	}
}

func mustAtoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(fmt.Sprintf("BUG: number in tag: %v", err))
	}
	return n
}

// memberOf finds the struct that a union's number stands for.
func memberOf(union string, number uint8) (reflect.Type, bool) {
	list := unions[union]
	if number == 0 || int(number) > len(list) {
		return nil, false
	}
	return reflect.TypeOf(list[number-1]), true
}

// numberOf is the reverse of memberOf.
func numberOf(union string, t reflect.Type) (uint8, bool) {
	for i, m := range unions[union] {
		if reflect.TypeOf(m) == t {
			return uint8(i + 1), true
		}
	}
	return 0, false
}
