package model

import (
	"math/rand/v2"
	"reflect"
)

// randomModel fills every table of the schema with random content, indices
// kept valid: what the codec can carry is carried in all combinations.
func randomModel(r *rand.Rand) *Model {
	m := &Model{Version: SchemaVersion, Buffers: []*Buffer{{}}}
	f := filler{r}
	for range r.IntN(5) {
		m.Buffers = append(m.Buffers, &Buffer{Data: f.bytes(100)})
	}
	for range 1 + r.IntN(4) {
		c := &OperatorCode{Builtin: BuiltinOperator(r.IntN(len(operatorNames))), Version: int32(r.IntN(12))}
		if c.Builtin == OpCustom {
			c.Custom = f.text()
		}
		m.OperatorCodes = append(m.OperatorCodes, c)
	}
	for range 1 + r.IntN(2) {
		m.Subgraphs = append(m.Subgraphs, f.subgraph(m))
	}
	m.Description = f.text()
	for range r.IntN(3) {
		m.Metadata = append(m.Metadata, &Metadata{f.text(), uint32(r.IntN(len(m.Buffers)))})
		m.MetadataBuffer = append(m.MetadataBuffer, int32(r.IntN(len(m.Buffers))))
	}
	for range r.IntN(3) {
		m.ExternalBufferGroups = append(m.ExternalBufferGroups, &ExternalBufferGroup{f.text()})
		m.ExternalBuffers = append(m.ExternalBuffers, &ExternalBuffer{r.Uint32(), r.Uint32(), r.Uint64(), r.Uint64(), f.text()})
	}
	for range r.IntN(3) {
		m.SignatureDefs = append(m.SignatureDefs, f.signature(m))
	}
	if r.IntN(4) == 0 {
		m.Trailer = append([]byte("PK\x03\x04"), f.bytes(50)...)
	}
	return m
}

type filler struct{ r *rand.Rand }

func (f filler) bytes(limit int) []byte {
	b := make([]byte, f.r.IntN(limit))
	for i := range b {
		b[i] = byte(f.r.Uint32())
	}
	return b
}

func (f filler) text() string { return string(f.bytes(6)) }

func (f filler) index(n int) int32 { return int32(f.r.IntN(n)) }

func (f filler) indices(n int) []int32 {
	if f.r.IntN(4) == 0 {
		return nil
	}
	list := make([]int32, f.r.IntN(4))
	for i := range list {
		list[i] = f.index(n)
	}
	return list
}

func (f filler) subgraph(m *Model) *Subgraph {
	g := &Subgraph{Name: f.text()}
	for range 1 + f.r.IntN(5) {
		t := &Tensor{}
		f.fill(reflect.ValueOf(t).Elem())
		// Constant data must fit the shape: strings are of no fixed size.
		t.Type, t.Buffer, t.ExternalBuffer = TypeString, uint32(f.r.IntN(len(m.Buffers))), 0
		f.settle(t)
		g.Tensors = append(g.Tensors, t)
	}
	n := len(g.Tensors)
	g.Inputs, g.Outputs = f.indices(n), f.indices(n)
	for range f.r.IntN(4) {
		op := &Operator{}
		f.fill(reflect.ValueOf(op).Elem())
		op.OpcodeIndex = uint32(f.r.IntN(len(m.OperatorCodes)))
		op.Inputs, op.Outputs, op.Intermediates = f.indices(n), f.indices(n), f.indices(n)
		g.Operators = append(g.Operators, op)
	}
	return g
}

// settle takes out of a tensor what Read would repair or refuse.
func (f filler) settle(t *Tensor) {
	q := t.Quantization
	if q == nil {
		return
	}
	if looseDimension(t) {
		q.QuantizedDimension = 0
	}
	switch d := q.Details.(type) { // tensor 0 is always there
	case *BlockwiseQuantization:
		d.Scales, d.ZeroPoints = 0, -1
	case *MultiAxisQuantization:
		d.Scales, d.ZeroPoints = 0, -1
	}
}

func (f filler) signature(m *Model) *SignatureDef {
	s := &SignatureDef{SubgraphIndex: uint32(f.r.IntN(len(m.Subgraphs))), Key: f.text(), DeprecatedTag: f.text()}
	n := len(m.Subgraphs[s.SubgraphIndex].Tensors)
	for range f.r.IntN(3) {
		s.Inputs = append(s.Inputs, &TensorMap{f.text(), uint32(f.index(n))})
		s.Outputs = append(s.Outputs, &TensorMap{f.text(), uint32(f.index(n))})
	}
	return s
}

// fill sets every field of the table v at random, often to its default.
func (f filler) fill(v reflect.Value) {
	ls := layouts{}
	for _, field := range ls.of(v.Type()).fields {
		f.field(&field, v.Field(field.index))
	}
}

func (f filler) field(field *field, v reflect.Value) {
	switch field.kind {
	case fieldScalar:
		f.scalar(v)
	case fieldString:
		v.SetString(f.text())
	case fieldVector:
		if f.r.IntN(3) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), f.r.IntN(5), 5).Slice3(0, 0, 0))
			for range f.r.IntN(5) {
				x := reflect.New(v.Type().Elem()).Elem()
				f.scalar(x)
				v.Set(reflect.Append(v, x))
			}
		}
	case fieldTable:
		if f.r.IntN(2) == 0 {
			v.Set(reflect.New(field.elem))
			f.fill(v.Elem())
		}
	case fieldTables:
		for range f.r.IntN(3) {
			p := reflect.New(field.elem)
			f.fill(p.Elem())
			v.Set(reflect.Append(v, p))
		}
	case fieldUnion:
		f.union(field, v)
	}
}

func (f filler) union(field *field, v reflect.Value) {
	list := unions[field.members]
	if f.r.IntN(4) == 0 {
		return
	}
	p := reflect.New(reflect.TypeOf(list[f.r.IntN(len(list))]))
	f.fill(p.Elem())
	if op := (&Operator{Options: p.Interface(), Options2: p.Interface()}); op.subgraphs() != nil || op.subgraphs2() != nil {
		p.Elem().SetZero() // subgraph 0 is always there
	}
	v.Set(p)
}

func (f filler) scalar(v reflect.Value) {
	n := f.r.Int64N(7) - 2
	if f.r.IntN(3) == 0 {
		n = f.r.Int64()
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(n%2 == 0)
	case reflect.Float32:
		v.SetFloat(float64(float32(n) / 3))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(n) & (1<<(8*v.Type().Size()-1) - 1))
	default:
		v.SetInt(n << (64 - 8*v.Type().Size()) >> (64 - 8*v.Type().Size()))
	}
}
