package fallback

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"edged"
	"edged/internal/kernel"
	"edged/internal/kernel/conv"
	"edged/model"
)

// step is one pass of an operator over independent units of work.
type step struct {
	op      int    // the operator's index in the file
	name    string // of the operator
	how     how    // what computes it
	units   int    // rows, tiles or blocks; shared out among the workers
	work    int    // about how many elementary operations the whole step takes
	run     func(w *worker, lo, hi int)
	reads   []*tensor
	writes  []*tensor
	done    bool      // of a step that runs once: it has
	packers []*packer // of a step that runs once: what it needs
	choice  []Candidate
	needs   needs // of a worker's memory; may be nil
	macs    int64 // of both operators, of a fused 1x1; else 0

	can       abilities
	concat    *concat   // the concatenation that it is
	conv      *banded   // the convolution that it is
	pads      *banded   // the convolution whose input it copies into a border
	chainable chainable // the convolution that may have a 1x1 convolution behind it
}

// abilities are what a step can do with tensors that do not lie in one piece:
// the passes that give tensors borders, and write operands into their
// concatenation, ask for them.
type abilities struct {
	reads struct {
		border []*tensor // with a border around each image
		gaps   []*tensor // with gaps between the pixels, which belong to others
	}
	writes struct {
		border bool // it fills the border in every frame
		gaps   bool // it leaves the gaps as they are
	}
}

// plan is everything Run needs.
type plan struct {
	m          *model.Model
	routines   *kernel.Routines // that compute it
	sub        *model.Subgraph
	limit      int64
	tensors    []*tensor
	inputs     []*tensor
	outputs    []*tensor
	steps      []step
	schedule   *schedule   // over the steps
	once       []*step     // compute constants from constants
	packers    []*packer   // fill packed weights
	meter      *meter      // while they do
	rates      *conv.Rates // of this machine, once a choice needs them
	scratch    []*tensor
	private    []*tensor    // scratch of which every worker has a part
	ownScratch conv.Scratch // of every worker, for its convolutions
	workers    int
	mapped     []byte      // the file that constants lie in, where it is mapped
	winograd   bool        // where it pays and is accurate
	loop       *windowLoop // what is computed for each window, of a graph of that form; or nil
	origin     []int       // the file's numbers of the operators, where the engine wrote some of them; -1: none
	spent      bool        // a pass took more memory that it could do without

	folding    int64 // elementary operations of the once steps
	fixedBytes int64 // constants, folded tensors, packed weights and the workers' own memory
	arenaBytes int64
	ownArena   int64 // of it, what the steps work in: without the windows' own
}

// ceiling replaces a memory limit of zero: it keeps a hostile file from asking
// for the whole machine, and no board runs a net of this size.
const ceiling = min(1<<32, math.MaxInt/2)

// newPlan allocates nothing of the size that the model asks for; bind does.
// In-place concatenations hold all their memory from the first operand on, and
// fused 1x1 convolutions hold what the first convolution reads together with what
// the second writes: where that is over the limit, it plans again without both.
//
// A graph of the form windows, unless it was resized, is planned for one window at
// a time.
func newPlan(k *kernel.Routines, m *model.Model, o edged.Options, shapes map[int][]int) (*plan, error) {
	if len(shapes) == 0 {
		if w := matchWindows(m); w != nil {
			p, err := planWindows(newSharer(w), len(w.body), func(m *model.Model) (*plan, error) { return planGraph(k, m, o, nil) })
			if err == nil || errors.As(err, new(*MemoryError)) {
				return p, err
			} // what is wrong is told of the graph as it stands
		}
	}
	return planGraph(k, m, o, shapes)
}

// planGraph plans a graph as it stands.
func planGraph(k *kernel.Routines, m *model.Model, o edged.Options, shapes map[int][]int) (*plan, error) {
	p, err := newPlanOf(k, m, o, shapes, true)
	if tooMuch := (*MemoryError)(nil); p != nil && p.spent && errors.As(err, &tooMuch) {
		return newPlanOf(k, m, o, shapes, false)
	}
	return p, err
}

// newPlanOf plans, with or without the passes that may take more memory.
func newPlanOf(k *kernel.Routines, m *model.Model, o edged.Options, shapes map[int][]int, more bool) (*plan, error) {
	s, err := newPlanner(k, m, o, shapes)
	if err != nil {
		return nil, err
	}
	for _, pass := range passes {
		if pass.spends && !more {
			continue
		}
		if err := pass.run(s); err != nil {
			return s.p, err
		}
	}
	return s.p, nil
}

// newPlanner checks the tensors and the operators' references.
func newPlanner(k *kernel.Routines, m *model.Model, o edged.Options, shapes map[int][]int) (*planner, error) {
	limit := o.MemoryLimit
	if limit <= 0 {
		limit = ceiling
	}
	if len(m.Subgraphs) == 0 {
		return nil, &model.MalformedError{Path: "subgraphs", Problem: "there is none"}
	}
	p := &plan{m: m, routines: k, sub: m.Subgraphs[0], limit: limit, meter: &meter{}, workers: o.Threads, winograd: !o.Exact && conv.WinogradOn()}
	if err := p.loadTensors(shapes); err != nil {
		return nil, err
	}
	nodes, err := p.nodes()
	if err != nil {
		return nil, err
	}
	return &planner{p: p, f: newFuser(p, nodes)}, nil
}

// loadTensors takes over the file's tensors, checked.
func (p *plan) loadTensors(shapes map[int][]int) error {
	for i, mt := range p.sub.Tensors {
		t := &tensor{index: i, name: mt.Name, typ: mt.Type, first: -1, last: -1, raw: p.m.Data(mt)}
		p.tensors = append(p.tensors, t)
		if mt.IsVariable {
			return &model.UnsupportedError{Path: path(i), Problem: "a variable tensor (a state between frames), which the Go engine does not keep"}
		}
		if err := t.loadQuant(mt); err != nil {
			return err
		}
		if t.raw == nil {
			continue
		}
		if err := p.loadConstant(t, mt); err != nil {
			return err
		}
	}
	for _, i := range p.sub.Inputs {
		if err := p.loadInput(int(i), shapes); err != nil {
			return err
		}
	}
	for _, i := range p.sub.Outputs {
		if i < 0 || int(i) >= len(p.tensors) {
			return &model.MalformedError{Path: "subgraphs[0].outputs", Problem: fmt.Sprintf("tensor %d does not exist", i)}
		}
		if p.tensors[i].sparse {
			return &model.UnsupportedError{Path: path(int(i)), Problem: "a graph output that is stored sparse"}
		}
		p.outputs = append(p.outputs, p.tensors[i])
		p.tensors[i].output = true
	}
	return nil
}

func (p *plan) loadInput(i int, shapes map[int][]int) error {
	if i < 0 || i >= len(p.tensors) {
		return &model.MalformedError{Path: "subgraphs[0].inputs", Problem: fmt.Sprintf("tensor %d does not exist", i)}
	}
	t := p.tensors[i]
	if t.raw != nil || t.input {
		return p.tensorError(i, "a graph input is constant or named twice")
	}
	shape, resized := shapes[i]
	if !resized {
		shape = toInts(p.sub.Tensors[i].Shape)
	}
	t.input, t.keep, t.first = true, true, 0
	p.inputs = append(p.inputs, t)
	return p.setShape(t, shape)
}

// loadConstant checks a constant's size against its shape. Sparse weights
// stand compressed: DENSIFY checks those, and nothing else may read them.
func (p *plan) loadConstant(t *tensor, mt *model.Tensor) error {
	if t.elem() == 0 {
		return nil // strings and the like: refused by the operator that reads them
	}
	if mt.Sparsity != nil {
		t.sparse, t.shape = true, toInts(mt.Shape)
		return checkShape(t.shape)
	}
	if err := p.setShape(t, toInts(mt.Shape)); err != nil {
		return err
	}
	if int64(len(t.raw)) < t.bytes {
		return p.tensorError(t.index, fmt.Sprintf("%d bytes of data for %d elements of %v", len(t.raw), t.elems(), dtypes[t.typ]))
	}
	t.raw = t.raw[:t.bytes]
	return nil
}

func (t *tensor) loadQuant(mt *model.Tensor) error {
	q := mt.Quantization
	if q == nil {
		return nil
	}
	if how := mt.Blocks(); how != "" {
		return &model.UnsupportedError{Path: path(t.index), Problem: how}
	}
	t.quant = quant{scale: q.Scale, axis: int(q.QuantizedDimension)}
	for _, z := range q.ZeroPoint {
		if z != int64(int32(z)) {
			return &model.MalformedError{Path: path(t.index), Problem: fmt.Sprintf("zero point %d", z)}
		}
		t.quant.zero = append(t.quant.zero, int32(z))
	}
	return nil
}

func (p *plan) tensorError(i int, problem string) error {
	return &model.MalformedError{Path: path(i), Problem: problem}
}

func path(tensor int) string { return "subgraphs[0].tensors[" + strconv.Itoa(tensor) + "]" }

func toInts(v []int32) []int {
	r := make([]int, len(v))
	for i, d := range v {
		r[i] = int(d)
	}
	return r
}

func checkShape(shape []int) error {
	if len(shape) > maxRank {
		return fmt.Errorf("shape %v has more than %d dimensions", shape, maxRank)
	}
	n := 1
	for _, d := range shape {
		if d < 0 || d > math.MaxInt32 || d > 0 && n > math.MaxInt/16/d {
			return fmt.Errorf("shape %v is negative or too large", shape)
		}
		n *= max(d, 1)
	}
	return nil
}

// setShape fixes t's shape and size, and refuses what can never fit.
func (p *plan) setShape(t *tensor, shape []int) error {
	if err := checkShape(shape); err != nil {
		return &model.MalformedError{Path: path(t.index), Problem: err.Error()}
	}
	if t.elem() == 0 {
		return &model.UnsupportedError{Path: path(t.index), Problem: fmt.Sprintf("tensors of type %v are not computed", t.typ)}
	}
	t.shape = shape
	t.bytes = int64(product(shape)) * int64(t.elem())
	if t.bytes > p.limit {
		return &MemoryError{Need: t.bytes, Limit: p.limit}
	}
	return nil
}

// mostFolding bounds the elementary operations on constants before the first
// frame: a few seconds. Real nets unpack weights and compute shapes.
const mostFolding = 1 << 32

// claim counts n bytes that stay for the life of the plan.
func (p *plan) claim(n int64) error {
	p.fixedBytes += n
	if p.fixedBytes > p.limit {
		return &MemoryError{Need: p.fixedBytes, Limit: p.limit}
	}
	if p.folding > mostFolding {
		return &model.UnsupportedError{Path: "subgraphs[0]", Problem: fmt.Sprintf("operators on constants take %d operations or more before the first frame", p.folding)}
	}
	return nil
}
