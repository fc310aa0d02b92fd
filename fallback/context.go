package fallback

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"edged"
	"edged/model"
)

// node is an operator as it is planned: fusion may have taken the padding,
// dilation, activation or residual of its neighbours into it.
type node struct {
	index   int
	code    *model.OperatorCode
	op      *model.Operator
	in, out []int32
	fused   fused

	absorbed bool // an operator planned before computes its result
}

// opContext is what a planner sees of its operator.
type opContext struct {
	p       *plan
	n       *node
	in      []*tensor // nil where an optional input is left out
	out     []*tensor
	packers []*packer
	choice  []Candidate // where there was one
	needs   needs       // of what computes the result
}

// nodes checks the operators' references.
func (p *plan) nodes() ([]*node, error) {
	var list []*node
	for i, op := range p.sub.Operators {
		if int(op.OpcodeIndex) >= len(p.m.OperatorCodes) {
			return nil, &model.MalformedError{Path: opPath(i), Problem: fmt.Sprintf("operator code %d does not exist", op.OpcodeIndex)}
		}
		n := &node{index: i, code: p.m.Code(op), op: op, in: op.Inputs, out: op.Outputs, fused: unfused}
		for _, t := range n.in {
			if t < -1 || int(t) >= len(p.tensors) {
				return nil, &model.MalformedError{Path: opPath(i), Problem: fmt.Sprintf("input tensor %d does not exist", t)}
			}
		}
		for _, t := range n.out {
			if t < 0 || int(t) >= len(p.tensors) {
				return nil, &model.MalformedError{Path: opPath(i), Problem: fmt.Sprintf("output tensor %d does not exist", t)}
			}
		}
		list = append(list, n)
	}
	return list, nil
}

func opPath(i int) string { return fmt.Sprintf("subgraphs[0].operators[%d]", i) }

// planNode has the operator's planner emit its steps.
func (p *plan) planNode(n *node) error {
	if n.absorbed {
		return nil
	}
	if n.fused.before != nil {
		if err := p.planNode(n.fused.before); err != nil {
			return err
		}
	}
	c := &opContext{p: p, n: n}
	spec, err := c.lookup()
	if err != nil {
		return err
	}
	if len(n.in) < spec.minIn || len(n.in) > spec.maxIn || len(n.out) < 1 || spec.outs > 0 && len(n.out) != spec.outs {
		return c.malformed("%d inputs and %d outputs", len(n.in), len(n.out))
	}
	if err := c.operands(spec.minIn); err != nil {
		return err
	}
	return c.finish(spec.plan(c))
}

// operands finds the operator's tensors, of whose inputs the first least must be
// there.
func (c *opContext) operands(least int) error {
	n, p := c.n, c.p
	for i, index := range n.in {
		var t *tensor
		if index >= 0 {
			t = p.tensors[index]
		}
		if t == nil && i < least {
			return c.malformed("input %d is left out", i)
		}
		if t != nil && t.shape == nil {
			return c.malformed("input %d, tensor %d, is computed by no earlier operator", i, index)
		}
		if t != nil && t.sparse && n.code.Builtin != model.OpDensify {
			return c.unsupported("input %d, tensor %d %q, is stored sparse, which only DENSIFY unpacks", i, index, t.name)
		}
		c.in = append(c.in, t)
	}
	for _, index := range n.out {
		t := p.tensors[index]
		if t.shape != nil || t.input {
			return c.malformed("output tensor %d is written a second time, or is a constant or an input", index)
		}
		c.out = append(c.out, t)
	}
	return nil
}

// finish checks that the planner, which returned err, gave every output a shape.
func (c *opContext) finish(err error) error {
	if err != nil {
		return err
	}
	for i, t := range c.out {
		if t.shape == nil {
			return c.malformed("output %d has no shape", i)
		}
	}
	return nil
}

func (c *opContext) where() string { return fmt.Sprintf("%s (%s)", opPath(c.n.index), c.name()) }

func (c *opContext) name() string {
	if c.n.code.Builtin == model.OpCustom {
		return c.n.code.Custom
	}
	return c.n.code.Builtin.String()
}

func (c *opContext) malformed(format string, args ...any) error {
	return &model.MalformedError{Path: c.where(), Problem: fmt.Sprintf(format, args...)}
}

// unsupported names the operator, its version and its index.
func (c *opContext) unsupported(format string, args ...any) error {
	return &model.UnsupportedError{Path: opPath(c.n.index),
		Problem: fmt.Sprintf("%s version %d: %s", c.name(), c.n.code.Version, fmt.Sprintf(format, args...))}
}

// shape sets output i's shape.
func (c *opContext) shape(i int, dims ...int) error {
	if err := c.p.setShape(c.out[i], append([]int{}, dims...)); err != nil {
		return fmt.Errorf("%s: %w", c.where(), err)
	}
	return nil
}

// emit adds a step that computes every output from the inputs named, nil ones
// aside, and from this operator's scratch. by names the routine.
func (c *opContext) emit(by routine, units, work int, reads []*tensor, run func(w *worker, lo, hi int)) *step {
	return c.emitTo(by, units, work, reads, c.out, run)
}

// emitTo is emit for a step that writes to other tensors. The step that it
// returns moves when the next one is emitted.
func (c *opContext) emitTo(by routine, units, work int, reads, writes []*tensor, run func(w *worker, lo, hi int)) *step {
	s := step{op: c.n.index, name: c.name(), how: how{routine: by}, units: units, work: work, run: run, writes: writes}
	constant := true
	for _, t := range reads {
		if t != nil {
			s.reads = append(s.reads, t)
			constant = constant && t.constant()
		}
	}
	s.packers = c.packers
	if len(c.out) > 0 && slices.Contains(writes, c.out[0]) {
		s.choice, s.needs = c.choice, c.needs
	}
	if !constant {
		c.p.steps = append(c.p.steps, s)
		return &c.p.steps[len(c.p.steps)-1]
	}
	for _, t := range writes {
		if len(t.fold) == 0 {
			c.p.fixedBytes += t.bytes
		}
		t.fold = append(t.fold, &s)
	}
	c.p.folding = min(c.p.folding+int64(work), mostFolding+1)
	c.p.once = append(c.p.once, &s)
	return &s
}

// scratch is an area of n bytes between two steps of this operator.
func (c *opContext) scratch(n int) (*tensor, error) {
	t := &tensor{index: -1, typ: model.TypeUint8, first: -1, last: -1}
	c.p.scratch = append(c.p.scratch, t)
	return t, c.p.setShape(t, []int{n})
}

// private is an area of n bytes for every worker; part gives a worker's own.
func (c *opContext) private(n int) (*tensor, error) {
	n = int(align(int64(n)))
	t := &tensor{index: -1, typ: model.TypeUint8, first: -1, last: -1}
	if err := c.p.setShape(t, []int{n * c.p.workers}); err != nil {
		return nil, err
	}
	c.p.private = append(c.p.private, t)
	return t, c.p.claim(t.bytes)
}

// part is worker w's own part of private area t, of n elements of type T. A step
// whose result decides a shape runs before there is memory: it gets some.
func part[T any](t *tensor, w *worker, n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero)) * n
	if t.data == nil && n > 0 {
		return edged.View[T](aligned(int64(size)))
	}
	return edged.View[T](t.data[w.id*int(align(int64(size))):][:size])
}

// packed is a constant of n bytes that fill computes once, before the first
// frame.
func (c *opContext) packed(n int, fill func(t *tensor)) (*tensor, error) {
	t := &tensor{index: -1, typ: model.TypeUint8, first: -1, last: -1}
	if err := c.p.setShape(t, []int{n}); err != nil {
		return nil, err
	}
	return t, c.later(n, func() {
		t.data = aligned(int64(n))
		fill(t)
	})
}

// later has fill run once, when the inputs' constants can be read, and counts
// bytes for what it makes.
func (c *opContext) later(bytes int, fill func()) error {
	k := &packer{from: c.in, fill: fill, bytes: int64(bytes)}
	c.packers = append(c.packers, k)
	c.p.packers = append(c.p.packers, k)
	return c.p.claim(int64(bytes))
}

// ints is an integer operand that shapes depend on: known at plan time, or the
// graph is refused.
func (c *opContext) ints(i int) ([]int, error) {
	t := c.in[i]
	if !t.constant() {
		return nil, c.unsupported("input %d, tensor %d %q, decides a shape but is computed from the frame", i, t.index, t.name)
	}
	if t.typ != model.TypeInt32 && t.typ != model.TypeInt64 {
		return nil, c.malformed("input %d is %v, not int32 or int64", i, t.typ)
	}
	const most = 4096 // no list of axes, sizes or paddings is longer
	if t.elems() > most {
		return nil, c.malformed("input %d has %d elements", i, t.elems())
	}
	if err := c.p.claim(0); err != nil {
		return nil, err
	}
	b := c.p.content(t)
	v := make([]int, t.elems())
	for k := range v {
		if t.typ == model.TypeInt32 {
			v[k] = int(int32(binary.LittleEndian.Uint32(b[4*k:])))
		} else {
			v[k] = int(int64(binary.LittleEndian.Uint64(b[8*k:])))
		}
	}
	return v, nil
}

// options are the operator's own table, or the zero one where the file has none.
func options[T any](c *opContext) (T, error) {
	switch o := c.n.op.Options.(type) {
	case nil:
		var zero T
		return zero, nil
	case *T:
		return *o, nil
	case *model.UnknownOptions:
		var zero T
		return zero, c.unsupported("options of kind %d, which is newer than this edged", o.Kind)
	default:
		var zero T
		return zero, c.malformed("options of type %T", o)
	}
}

// isType says whether all tensors given, nil ones aside, have type typ.
func isType(typ model.TensorType, tensors ...*tensor) bool {
	for _, t := range tensors {
		if t != nil && t.typ != typ {
			return false
		}
	}
	return true
}

// types is the refusal of a combination of element types.
func (c *opContext) types() error {
	s := ""
	for _, t := range c.in {
		if t != nil {
			s += " " + t.typ.String()
		}
	}
	return c.unsupported("not computed for inputs%s and output %v", s, c.out[0].typ)
}
