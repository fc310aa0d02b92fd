// Package fallback runs .tflite graphs in Go alone: the engine for boards that
// have no TensorFlow Lite library, and the independent witness of the proofs.
//
// Open reads and checks the model, then plans once: every shape, every
// tensor's lifetime and its place in one arena, packed weights, fused padding,
// activations and sums. Run walks the plan's steps and, once each worker has met
// them, allocates nothing. A step is a range of independent units (rows, tiles)
// that the workers claim; no sum is split between units, so results do not
// depend on who computes which, nor on the number of threads.
//
// Quantised operators compute what TensorFlow Lite 2.9's built-in kernels
// compute on amd64, bit for bit; float operators stay within the bounds that
// the tests state.
package fallback

import (
	"errors"
	"fmt"
	"runtime"

	"edged"
	"edged/internal/kernel"
	"edged/model"
)

// maxThreads bounds the workers that an engine starts when Options leave the
// number open: nets for boards rarely gain beyond four cores.
const maxThreads = 4

// Engine runs one graph. It implements edged.Engine.
type Engine struct {
	graph    *model.Model
	options  edged.Options
	shapes   map[int][]int // of inputs, where Resize changed them
	mapped   []byte        // the file that graph lies in, where it is mapped
	routines *kernel.Routines
	plan     *plan
	pool     *workerPool
}

var _ edged.Opener = Open

var errClosed = errors.New("go engine: engine is closed, or a resize failed")

// Open loads the first subgraph of a .tflite file. It keeps no reference to
// file. The error wraps a *model.MalformedError or a *model.UnsupportedError
// where the model is to blame, a *MemoryError where it asks for too much.
func Open(file []byte, o edged.Options) (edged.Engine, error) {
	e, err := openEngine(file, model.Read, o, nil)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// OpenMapped is Open for a file that the caller has mapped into memory, read
// only, and keeps there until the engine is closed. Weights are packed from
// where they are, and the system may have their pages back: the engine never
// holds a model twice.
func OpenMapped(file []byte, o edged.Options) (*Engine, error) {
	return openEngine(file, model.ReadShared, o, file)
}

func openEngine(file []byte, read func([]byte) (*model.Model, error), o edged.Options, mapped []byte) (*Engine, error) {
	k, err := kernel.Default()
	if err != nil {
		return nil, err
	}
	return openOn(k, file, read, o, mapped)
}

// openOn opens an engine on the routines k.
func openOn(k *kernel.Routines, file []byte, read func([]byte) (*model.Model, error), o edged.Options, mapped []byte) (*Engine, error) {
	m, err := read(file)
	if err != nil {
		return nil, err
	}
	e := &Engine{graph: m, routines: k, options: o, shapes: map[int][]int{}, mapped: mapped}
	e.options.Threads = threads(o)
	e.pool = newWorkerPool(e.options.Threads)
	if err := e.replan(); err != nil {
		e.pool.close()
		return nil, err
	}
	return e, nil
}

// threads is the number of workers that o asks for.
func threads(o edged.Options) int {
	if o.Threads > 0 {
		return o.Threads
	}
	return min(runtime.GOMAXPROCS(0), maxThreads)
}

// replan makes the plan for the present input shapes.
func (e *Engine) replan() error {
	p, err := newPlan(e.routines, e.graph, e.options, e.shapes)
	if err != nil {
		return err
	}
	p.mapped = e.mapped
	p.bind()
	for _, w := range e.pool.workers {
		p.ownScratch.Reserve(&w.direct)
		if p.loop != nil {
			p.loop.plan.ownScratch.Reserve(&w.direct)
		}
	}
	e.plan = p
	return nil
}

// Name is "go" and the kernels' variant.
func (e *Engine) Name() string { return engineName(e.routines) }

func engineName(k *kernel.Routines) string { return "go " + string(k.Variant) }

// Inputs describes the graph's inputs in their present shapes.
func (e *Engine) Inputs() []edged.Spec { return e.specs(true) }

// Outputs describes the graph's outputs.
func (e *Engine) Outputs() []edged.Spec { return e.specs(false) }

func (e *Engine) specs(inputs bool) []edged.Spec {
	if e.plan == nil {
		return nil
	}
	list := e.plan.outputs
	if inputs {
		list = e.plan.inputs
	}
	specs := make([]edged.Spec, len(list))
	for i, t := range list {
		specs[i] = t.spec()
	}
	return specs
}

// Input lends input i's memory.
func (e *Engine) Input(i int) []byte {
	if e.plan == nil {
		return nil
	}
	return e.plan.inputs[i].data
}

// Output lends output i's memory.
func (e *Engine) Output(i int) []byte {
	if e.plan == nil {
		return nil
	}
	return e.plan.outputs[i].data
}

// Run computes the outputs.
func (e *Engine) Run() error {
	if e.plan == nil {
		return errClosed
	}
	return e.plan.compute(e.pool, nil)
}

// Resize gives input i another shape and plans again.
func (e *Engine) Resize(i int, shape []int) error {
	if e.plan == nil {
		return errClosed
	}
	if i < 0 || i >= len(e.plan.inputs) {
		return fmt.Errorf("go engine: input %d to resize: the model has %d", i, len(e.plan.inputs))
	}
	e.shapes[e.plan.inputs[i].index] = append([]int(nil), shape...)
	e.plan = nil
	if err := e.replan(); err != nil {
		return fmt.Errorf("go engine: resize of input %d to %v: %w", i, shape, err)
	}
	return nil
}

// ArenaBytes is the memory that one frame works in: inputs, outputs and all
// between, without constants and packed weights.
func (e *Engine) ArenaBytes() int64 {
	if e.plan == nil {
		return 0
	}
	return e.plan.arenaBytes
}

// Close stops the workers and gives up the memory. It may be called twice.
func (e *Engine) Close() error {
	if e.pool != nil {
		e.pool.close()
	}
	e.plan, e.pool, e.graph = nil, nil, nil
	return nil
}
