package model

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// shortConstant is how many elements of a constant are written out; longer
// ones are given by a digest.
const shortConstant = 16

// Dump writes the whole model as text, one line a tensor and one an operator.
// The text is stable, and whatever changes a result changes it: it is for
// people, and for tests that compare a graph before and after a pass. Options
// that have their default are left out.
func (m *Model) Dump(w io.Writer) error {
	d := &dumper{w: bufio.NewWriter(w), m: m, layouts: layouts{}, digests: map[byteVector]string{}}
	d.line("model version %d %q", m.Version, m.Description)
	for i, g := range m.Subgraphs {
		d.subgraph(i, g)
	}
	for _, s := range m.SignatureDefs {
		d.line("signature %q of subgraph %d%s", s.Key, s.SubgraphIndex, s.tag())
		d.tensorMaps("in", s.Inputs)
		d.tensorMaps("out", s.Outputs)
	}
	for _, e := range m.Metadata {
		d.line("metadata %q = %s", e.Name, d.bytes(m.bufferData(e.Buffer)))
	}
	for _, id := range m.MetadataBuffer {
		d.line("metadata buffer %d = %s", id, d.bytes(m.bufferData(uint32(id))))
	}
	if len(m.Trailer) > 0 {
		d.line("trailer = %s", d.bytes(m.Trailer))
	}
	if err := d.w.Flush(); err != nil {
		return fmt.Errorf("model: dump: %w", err)
	}
	return nil
}

func (m *Model) bufferData(id uint32) []byte {
	if int(id) >= len(m.Buffers) {
		return nil
	}
	return m.Buffers[id].Data
}

func (s *SignatureDef) tag() string {
	if s.DeprecatedTag == "" {
		return ""
	}
	return fmt.Sprintf(" tag %q", s.DeprecatedTag)
}

// dumper writes lines; bufio keeps the first error.
type dumper struct {
	w       *bufio.Writer
	m       *Model
	layouts layouts
	digests map[byteVector]string // many tensors may share one buffer
}

func (d *dumper) line(format string, args ...any) { fmt.Fprintf(d.w, format+"\n", args...) }

func (d *dumper) tensorMaps(side string, list []*TensorMap) {
	for _, t := range list {
		d.line("  %s %q = t%d", side, t.Name, t.TensorIndex)
	}
}

func (d *dumper) subgraph(i int, g *Subgraph) {
	d.line("subgraph %d %q %s -> %s", i, g.Name, refs(g.Inputs), refs(g.Outputs))
	for k, t := range g.Tensors {
		d.line("  t%d %s", k, d.tensor(t))
	}
	for k, op := range g.Operators {
		d.line("  %d: %s = %s", k, refs(op.Outputs), d.operator(op))
	}
}

// refs lists tensors: "(t0, t1, -)", a dash for an optional one left out.
func refs(ids []int32) string {
	s := make([]string, len(ids))
	for i, id := range ids {
		if s[i] = fmt.Sprintf("t%d", id); id < 0 {
			s[i] = "-"
		}
	}
	return "(" + strings.Join(s, ", ") + ")"
}

// FormatShape writes a shape without spaces: "[1,32,32,3]".
func FormatShape(shape []int32) string {
	return strings.ReplaceAll(fmt.Sprint(shape), " ", ",")
}

func (d *dumper) tensor(t *Tensor) string {
	s := fmt.Sprintf("%q %v%s", t.Name, t.Type, FormatShape(t.Shape))
	if t.ShapeSignature != nil && !slices.Equal(t.ShapeSignature, t.Shape) {
		s += " signature " + FormatShape(t.ShapeSignature)
	}
	if t.IsVariable {
		s += " variable"
	}
	if q := t.Quantization; q != nil {
		s += d.quantization(q)
	}
	if p := t.Sparsity; p != nil {
		s += d.sparsity(p)
	}
	for _, v := range t.VariantTensors {
		s += fmt.Sprintf(" of %v%s", v.Type, FormatShape(v.Shape))
	}
	if data := d.m.Data(t); data != nil {
		s += " = " + d.constant(t, data)
	}
	return s
}

// constant writes short numbers out: they are shapes, pads and axes.
func (d *dumper) constant(t *Tensor, data []byte) string {
	n, err := Elements(t.Shape)
	if err != nil || n > shortConstant || t.Sparsity != nil {
		return d.bytes(data)
	}
	if v, err := Ints(t.Type, data); err == nil {
		return fmt.Sprint(v)
	}
	if v, err := Floats(t.Type, data); err == nil {
		return fmt.Sprint(v)
	}
	return d.bytes(data)
}

// bytes gives data by their length and the start of their SHA-256.
func (d *dumper) bytes(data []byte) string {
	key := byteVector{unsafe.SliceData(data), len(data)}
	if d.digests[key] == "" {
		sum := sha256.Sum256(data)
		d.digests[key] = fmt.Sprintf("%d bytes #%x", len(data), sum[:6])
	}
	return d.digests[key]
}

func (d *dumper) quantization(q *Quantization) string {
	s := fmt.Sprintf(" scale %s zero %s", d.list(q.Scale), d.list(q.ZeroPoint))
	if len(q.Scale) > 1 || q.QuantizedDimension != 0 {
		s += fmt.Sprintf(" axis %d", q.QuantizedDimension)
	}
	if len(q.Min) > 0 || len(q.Max) > 0 {
		s += fmt.Sprintf(" range %s to %s", d.list(q.Min), d.list(q.Max))
	}
	switch c := q.Details.(type) {
	case *CustomQuantization:
		s += " custom " + d.bytes(c.Custom)
	case *BlockwiseQuantization:
		s += fmt.Sprintf(" blocks of %d: scales t%d zero points t%d", c.BlockSize, c.Scales, c.ZeroPoints)
	case *MultiAxisQuantization:
		s += fmt.Sprintf(" axes %v blocks of %d: scales t%d zero points t%d", c.QuantizedDimensions, c.BlockSize, c.Scales, c.ZeroPoints)
	}
	return s
}

// list writes a short list, or the length and a digest of a long one; a single
// value stands alone.
func (d *dumper) list(values any) string {
	v := reflect.ValueOf(values)
	switch n := v.Len(); {
	case n == 1:
		return fmt.Sprint(v.Index(0))
	case n > shortConstant:
		sum := sha256.Sum256(fmt.Append(nil, values))
		return fmt.Sprintf("%d values #%x", n, sum[:6])
	}
	return fmt.Sprint(values)
}

func (d *dumper) sparsity(p *Sparsity) string {
	s := fmt.Sprintf(" sparse order %s blocks %s", FormatShape(p.TraversalOrder), FormatShape(p.BlockMap))
	for _, l := range p.DimMetadata {
		s += fmt.Sprintf(" %v %d", l.Format, l.DenseSize)
		for _, a := range []any{l.ArraySegments, l.ArrayIndices} {
			if values := l.values(a); values != nil {
				s += " " + d.list(values)
			}
		}
	}
	return s
}

func (l *DimensionMetadata) values(a any) any {
	switch v := a.(type) {
	case *Int32Vector:
		return v.Values
	case *Uint16Vector:
		return v.Values
	case *Uint8Vector:
		return v.Values
	}
	return nil
}

func (d *dumper) operator(op *Operator) string {
	code := d.m.Code(op)
	s := fmt.Sprintf("%s v%d %s", code.Name(), code.Version, refs(op.Inputs))
	s += d.options(op.Options) + d.options(op.Options2)
	if len(op.CustomOptions) > 0 {
		s += fmt.Sprintf(" custom %s format %d", d.bytes(op.CustomOptions), op.CustomOptionsFormat)
	}
	if slices.Contains(op.MutatingVariableInputs, true) {
		s += fmt.Sprintf(" mutates %v", op.MutatingVariableInputs)
	}
	if len(op.Intermediates) > 0 {
		s += " intermediates " + refs(op.Intermediates)
	}
	return s
}

// options writes the fields that differ from the schema's defaults.
func (d *dumper) options(o any) string {
	if o == nil {
		return ""
	}
	var s strings.Builder
	v := reflect.ValueOf(o).Elem()
	for _, f := range d.layouts.of(v.Type()).fields {
		field := v.Field(f.index)
		_, telling := field.Interface().(Padding) // its default, SAME, is worth saying
		if f.kind == fieldScalar && scalarBits(field) == uint64(f.def) && !telling || f.kind != fieldScalar && field.Len() == 0 {
			continue
		}
		if f.kind == fieldVector {
			fmt.Fprintf(&s, " %s=%s", f.name, strings.ReplaceAll(d.list(field.Interface()), " ", ","))
			continue
		}
		fmt.Fprintf(&s, " %s=%v", f.name, field.Interface())
	}
	return s.String()
}
