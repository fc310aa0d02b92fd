package quantize

import (
	"encoding/binary"
	"fmt"
	"math"

	"edged/model"
)

// Recipe is what must be known of a net to quantise it, by the names of its
// computed tensors.
type Recipe struct {
	Input  *Range               // what a prepared picture can hold; nil: the input's own range below
	Ranges map[string]Range     // of the computed tensors; one that shares its scale with others may be missing
	Means  map[string][]float64 // means by channel, for the correction of biases; nil: none is made
	Shift  map[string][]float64 // to be taken from the biases of the layers that write these tensors, by channel
}

// Apply writes the int8 graph: input and outputs are int8 too. m is not changed.
func Apply(m *model.Model, r *Recipe) (*model.Model, error) {
	c, err := plain(m)
	if err != nil {
		return nil, err
	}
	q, err := apply(c, r)
	if err != nil {
		return nil, err
	}
	return q, forget(q)
}

// apply works on m itself, which is plain.
func apply(m *model.Model, r *Recipe) (*model.Model, error) {
	if err := check(m); err != nil {
		return nil, err
	}
	q := &quantiser{m: m, g: m.Subgraphs[0], ranges: map[int32]Range{}, quant: map[int32]affine{}, means: r.Means, shift: r.Shift}
	ownConstants(m)
	q.index()
	q.takeRanges(r)
	if err := q.settle(); err != nil {
		return nil, err
	}
	q.widen()
	for i, op := range q.g.Operators {
		if err := q.operator(op); err != nil {
			return nil, fmt.Errorf("quantize: %s: %w", called(m, q.g, i), err)
		}
	}
	q.activations()
	compact(m)
	m.UpdateVersions()
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("quantize: %w", err)
	}
	return m, nil
}

// forget takes out of the manifest what was said of the float graph.
func forget(m *model.Model) error {
	f, err := m.Manifest()
	if err != nil || f == nil {
		return err
	}
	f.Certificate, f.TunedFrom = nil, ""
	if f.Sample != nil {
		f.Sample.Values = nil
	}
	return m.SetManifest(f)
}

// quantiser is a graph on its way to int8.
type quantiser struct {
	m      *model.Model
	g      *model.Subgraph
	made   []*model.Operator // by tensor
	own    []*model.Operator // QUANTIZE operators that were put in
	input  *affine           // of the graph's input, where it is settled
	ranges map[int32]Range
	quant  map[int32]affine // of every float tensor
	means  map[string][]float64
	shift  map[string][]float64
}

// index finds the operator that writes each tensor.
func (q *quantiser) index() {
	q.made = make([]*model.Operator, len(q.g.Tensors))
	for _, op := range q.g.Operators {
		for _, t := range op.Outputs {
			q.made[t] = op
		}
	}
}

// ownConstants gives each use of a float constant a tensor of its own, so that one
// zero that stands in two places does not tie their scales together.
func ownConstants(m *model.Model) {
	g := m.Subgraphs[0]
	seen := map[int32]bool{}
	for _, op := range g.Operators {
		for i, t := range op.Inputs {
			if !isFloat(g, t) || m.Data(g.Tensors[t]) == nil {
				continue
			}
			if seen[t] {
				c := *g.Tensors[t]
				g.Tensors = append(g.Tensors, &c)
				op.Inputs[i] = int32(len(g.Tensors) - 1)
			}
			seen[t] = true
		}
	}
}

// noRange is where a number is no value but stands for "as low as can be": what
// rewriting pads max pools with.
const noRange = 1e30

func (q *quantiser) takeRanges(r *Recipe) {
	for i, t := range q.g.Tensors {
		if t.Type != model.TypeFloat32 {
			continue
		}
		if data := q.m.Data(t); data != nil {
			if x, ok := rangeOf(data); ok {
				q.ranges[int32(i)] = x
			}
		} else if x, ok := r.Ranges[t.Name]; ok {
			q.ranges[int32(i)] = x
		}
	}
	if r.Input != nil {
		a := rangeQuant(*r.Input)
		q.input = &a
		q.ranges[q.g.Inputs[0]] = *r.Input
	}
}

func rangeOf(data []byte) (r Range, ok bool) {
	for i := 0; i+4 <= len(data); i += 4 {
		v := float64(math.Float32frombits(binary.LittleEndian.Uint32(data[i:])))
		if math.Abs(v) > noRange {
			continue
		}
		r, ok = r.union(Range{v, v}), true
	}
	return r, ok
}

// operator writes op's constants as integers.
func (q *quantiser) operator(op *model.Operator) error {
	r, _ := ruleOf(q.m, q.g, op)
	if r.weights != nil {
		return q.weights(op, r.weights)
	}
	for i, t := range op.Inputs {
		if !isFloat(q.g, t) {
			continue
		}
		c := q.g.Tensors[t]
		if data := q.m.Data(c); data != nil {
			v, err := model.Floats(c.Type, data)
			if err != nil {
				return err
			}
			a := q.quant[t]
			op.Inputs[i] = q.constant(c, model.TypeInt8, int8Bytes(a.values(v)), []float32{a.scale}, []int64{int64(a.zero)}, 0)
		}
	}
	return nil
}

// constant adds a quantised twin of tensor like.
func (q *quantiser) constant(like *model.Tensor, t model.TensorType, data []byte, scale []float32, zero []int64, axis int) int32 {
	c := *like
	c.Type, c.Buffer = t, addBuffer(q.m, data)
	c.Quantization = &model.Quantization{Scale: scale, ZeroPoint: zero, QuantizedDimension: int32(axis)}
	q.g.Tensors = append(q.g.Tensors, &c)
	return int32(len(q.g.Tensors) - 1)
}

func int8Bytes(v []int8) []byte {
	b := make([]byte, len(v))
	for i, x := range v {
		b[i] = byte(x)
	}
	return b
}

// weights quantises the filter and the bias of op.
func (q *quantiser) weights(op *model.Operator, at *weighted) error {
	g, filter := q.g, op.Inputs[at.filter]
	f := g.Tensors[filter]
	w, err := model.Floats(f.Type, q.m.Data(f))
	if err != nil {
		return err
	}
	c := at.channels(f)
	if c.n < 1 || len(w)%c.n != 0 {
		return fmt.Errorf("weights of shape %v", f.Shape)
	}
	in := q.quant[op.Inputs[at.data]].scale
	var bias []float32
	b := at.biasOf(op)
	if b >= 0 {
		if bias, err = model.Floats(model.TypeFloat32, q.m.Data(g.Tensors[b])); err != nil {
			return err
		}
	}
	small, scales := quantiseWeights(w, c, leastScales(bias, in, c.n))
	if b >= 0 {
		q.correct(op, at, w, small, scales, bias)
		if by := q.shift[g.Tensors[op.Outputs[0]].Name]; len(by) == len(bias) {
			for k := range bias {
				bias[k] -= float32(by[k])
			}
		}
		ints, steps := quantiseBias(bias, in, scales)
		data, err := binary.Append(nil, binary.LittleEndian, ints)
		if err != nil {
			return err
		}
		op.Inputs[at.bias] = q.constant(g.Tensors[b], model.TypeInt32, data, steps, make([]int64, c.n), 0)
	}
	op.Inputs[at.filter] = q.constant(f, model.TypeInt8, int8Bytes(small), scales, make([]int64, c.n), at.axis)
	return nil
}

// activations turns the computed tensors into int8.
func (q *quantiser) activations() {
	for i, t := range q.g.Tensors {
		if t.Type != model.TypeFloat32 || q.m.Data(t) != nil {
			continue
		}
		a := q.quant[int32(i)]
		t.Type = model.TypeInt8
		t.Quantization = &model.Quantization{Scale: []float32{a.scale}, ZeroPoint: []int64{int64(a.zero)}}
	}
}

// widen enlarges output scales that the kernels' fixed-point arithmetic cannot
// reach from their inputs': a difference that all but vanishes, say.
func (q *quantiser) widen() {
	for range len(q.g.Operators) {
		changed := false
		for _, op := range q.g.Operators {
			changed = q.reachable(op) || changed
		}
		if !changed {
			return
		}
	}
}

// reachable gives op's output the least scale that TFLite's kernels take, where
// its own is below, and tells whether it changed.
func (q *quantiser) reachable(op *model.Operator) bool {
	var in float64
	for _, t := range op.Inputs {
		if a, ok := q.quant[t]; ok {
			in = max(in, float64(a.scale))
		}
	}
	least := 0.0
	switch q.m.Code(op).Builtin {
	case model.OpAdd, model.OpSub: // 2*in / (2^20 * out) < 1
		least = in / (1 << 18)
	case model.OpSquaredDifference: // 2*in^2 / (2^14 * out) < 1
		least = in * in / (1 << 12)
	case model.OpHardSwish: // in/128 / out <= 1
		least = in / 128
	default:
		return false
	}
	y := op.Outputs[0]
	a := q.quant[y]
	if float64(a.scale) >= least || q.fixedOf(y) != nil {
		return false
	}
	a.scale = float32(least * (1 + 1e-6))
	for _, group := range q.members() {
		for _, t := range group {
			if t == y {
				for _, x := range group {
					q.quant[x] = a
				}
			}
		}
	}
	return true
}
