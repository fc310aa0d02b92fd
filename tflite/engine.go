//go:build tflite && cgo

package tflite

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"

	tf "github.com/mattn/go-tflite"

	"edged"
	"edged/model"
)

// maxThreads bounds the threads chosen by default: the boards edged is for
// have two to four cores that run nothing else.
const maxThreads = 4

// engine owns five C objects. Fields that are nil were never made or are freed.
type engine struct {
	name        string
	graph       *model.Model // without its data: what messages and limits need
	fixed       bool         // the shapes must stay: see fixPadding
	limits      edged.Options
	refused     string // why XNNPACK was asked for and does not run
	model       *tf.Model
	options     *tf.InterpreterOptions
	delegate    *xnnpack // nil for the builtin kernels
	plugin      *plugin  // nil but with an external delegate
	interpreter *tf.Interpreter
	report      *report

	inputs, outputs []tensor
	dynamic         bool // some output's shape is known only after Run
}

var errClosed = errors.New("tflite: engine is closed")

// Linked tells whether TensorFlow Lite is part of this binary.
func Linked() bool { return true }

// Open loads a model with the XNNPACK delegate, float32, int8 and uint8.
// Operators that XNNPACK does not know, and all in uint8, run on TFLite's
// builtin kernels; a graph that it refuses runs on them altogether, and Name
// says so. The file is copied. The error of a model that cannot run names the
// operator.
func Open(file []byte, o edged.Options) (edged.Engine, error) { return open(file, o, true) }

// OpenBuiltin loads a model on TFLite's builtin kernels alone.
func OpenBuiltin(file []byte, o edged.Options) (edged.Engine, error) { return open(file, o, false) }

func open(file []byte, o edged.Options, delegate bool) (edged.Engine, error) {
	e := &engine{name: nameBuiltin}
	err := e.admit(&file, o, delegate)
	if err == nil {
		err = e.load(file, threads(o), delegate)
	}
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("tflite: %w", err)
	}
	return e, nil
}

// admit checks the file in Go, where a fault is an error and not an abort, and
// replaces it where XNNPACK needs another one.
func (e *engine) admit(file *[]byte, o edged.Options, delegate bool) error {
	m, err := read(*file)
	if err != nil {
		return err
	}
	e.graph, e.limits = skeleton(m), o
	if err := checkMemory(e.graph, o); err != nil {
		return err
	}
	m.Unknown = nil // the library reads the file without it, too
	if len(m.Repairs) > 0 {
		if *file, err = m.Write(); err != nil {
			return err
		}
	}
	if !delegate {
		return nil
	}
	for i, t := range e.graph.Subgraphs[0].Tensors {
		m.Subgraphs[0].Tensors[i].Shape = t.Shape // as inferred: a file may leave them open
	}
	e.fixed = shortWindows(m)
	changed, refused := fixPadding(m)
	if e.refused = cmp.Or(refused, unread(m), oneSlope(m)); e.refused != "" || !changed {
		return nil
	}
	*file, err = m.Write()
	return err
}

func threads(o edged.Options) int {
	if o.Threads > 0 {
		return o.Threads
	}
	return min(runtime.GOMAXPROCS(0), maxThreads)
}

func (e *engine) load(file []byte, threads int, delegate bool) error {
	quiet()
	e.report = newReport()
	if e.model = tf.NewModel(file); e.model == nil {
		return errors.New("library refuses the file: not a .tflite model")
	}
	if e.options = tf.NewInterpreterOptions(); e.options == nil {
		return errors.New("no memory for the interpreter's options")
	}
	e.options.SetNumThread(threads)
	e.report.attach(e.options)
	if e.interpreter = tf.NewInterpreter(e.model, e.options); e.interpreter == nil {
		return e.explain("load the model")
	}
	if delegate && e.refused == "" {
		if err := e.delegateTo(threads); err != nil {
			return err
		}
	}
	return e.allocate()
}

// delegateTo gives XNNPACK the operators that it knows. Where it refuses the
// graph TFLite takes the delegate back as a whole, and the builtin kernels run
// all of it: slower, and right. The engine's name says so.
func (e *engine) delegateTo(threads int) error {
	if e.delegate = newXNNPACK(threads); e.delegate == nil {
		e.refused = "this processor"
		return nil
	}
	status := e.delegate.apply(e.interpreter)
	lines := e.report.take()
	switch status {
	case tf.OK:
		e.name = nameXNNPACK
	case statusApplicationError:
		e.refused = "shapes that depend on values"
	case statusDelegateError:
		e.refused = refusal(e.graph, lines)
	default:
		return fmt.Errorf("cannot apply XNNPACK: %s", explain(e.graph, lines))
	}
	return nil
}

// allocate plans the memory of the shapes in force and reads every tensor.
func (e *engine) allocate() error {
	if e.interpreter.AllocateTensors() != tf.OK {
		return e.explain("prepare the model")
	}
	if err := e.readInputs(); err != nil {
		return err
	}
	return e.readOutputs()
}

func (e *engine) readInputs() (err error) {
	e.inputs, err = e.read(e.interpreter.GetInputTensorCount(), e.interpreter.GetInputTensor)
	return err
}

func (e *engine) readOutputs() (err error) {
	e.outputs, err = e.read(e.interpreter.GetOutputTensorCount(), e.interpreter.GetOutputTensor)
	if err != nil {
		return err
	}
	for i := range e.outputs {
		e.dynamic = e.dynamic || e.outputs[i].t.Data() == nil
	}
	return nil
}

func (e *engine) read(n int, get func(int) *tf.Tensor) ([]tensor, error) {
	ts := make([]tensor, n)
	for i := range ts {
		t := get(i)
		if t == nil {
			return nil, fmt.Errorf("library lends no tensor %d", i)
		}
		spec, err := describe(t)
		if err != nil {
			return nil, err
		}
		ts[i] = tensor{t, spec}
		if t.Data() == nil {
			continue // dynamic: its size comes with Run
		}
		if err := ts[i].check(); err != nil {
			return nil, err
		}
	}
	return ts, nil
}

// explain turns TFLite's reports into one error.
func (e *engine) explain(doing string) error {
	return fmt.Errorf("cannot %s: %s", doing, explain(e.graph, e.report.take()))
}

func (e *engine) Name() string {
	if e.refused != "" {
		return e.name + " (xnnpack refuses " + e.refused + ")"
	}
	return e.name
}

func (e *engine) Inputs() []edged.Spec { return specs(e.inputs) }

// Outputs describes the outputs. A shape that depends on the input's values is
// right after Run; until then it is what the file says.
func (e *engine) Outputs() []edged.Spec { return specs(e.outputs) }

func (e *engine) Input(i int) []byte { return e.inputs[i].bytes() }

// Output lends output i, nil where its size is known only after Run.
func (e *engine) Output(i int) []byte { return e.outputs[i].bytes() }

func (e *engine) Run() error {
	if e.interpreter == nil {
		return errClosed
	}
	if e.interpreter.Invoke() != tf.OK {
		return fmt.Errorf("tflite: %w", e.explain("run the model"))
	}
	if !e.dynamic {
		return nil
	}
	if err := e.readOutputs(); err != nil {
		return fmt.Errorf("tflite: %w", err)
	}
	return nil
}

func (e *engine) Resize(i int, shape []int) error {
	if e.interpreter == nil {
		return errClosed
	}
	if err := e.resize(i, shape); err != nil {
		return fmt.Errorf("tflite: resize input %d to %v: %w", i, shape, err)
	}
	return nil
}

func (e *engine) resize(i int, shape []int) error {
	if i < 0 || i >= len(e.inputs) {
		return fmt.Errorf("the model has %d inputs", len(e.inputs))
	}
	if len(shape) != len(e.inputs[i].spec.Shape) {
		return fmt.Errorf("the rank must stay %d", len(e.inputs[i].spec.Shape))
	}
	if slices.Equal(shape, e.inputs[i].spec.Shape) {
		return nil
	}
	if e.fixed && e.refused == "" {
		return errors.New("the model has a SAME window shorter than its stride, whose padding XNNPACK fixes at load: use the engine tflite-builtin or go")
	}
	dims := make([]int32, len(shape))
	for k, d := range shape {
		if d < 1 || int(int32(d)) != d {
			return fmt.Errorf("dimension %d is %d: it must be from 1 to 2147483647", k, d)
		}
		dims[k] = int32(d)
	}
	e.graph.Subgraphs[0].Tensors[e.graph.Subgraphs[0].Inputs[i]].Shape = dims
	if err := checkMemory(e.graph, e.limits); err != nil {
		return err
	}
	if e.interpreter.ResizeInputTensor(i, dims) != tf.OK {
		return e.explain("take the shape")
	}
	return e.allocate()
}

// Close frees in the order TFLite asks for: the interpreter uses the delegate,
// both use the options' reporter, and everything reads the model's bytes.
func (e *engine) Close() error {
	e.inputs, e.outputs = nil, nil
	if e.interpreter != nil {
		e.interpreter.Delete()
		e.interpreter = nil
	}
	if e.delegate != nil {
		e.delegate.Delete()
		e.delegate = nil
	}
	if e.plugin != nil {
		e.plugin.Delete()
		e.plugin = nil
	}
	if e.options != nil {
		e.options.Delete()
		e.options = nil
	}
	if e.model != nil {
		e.model.Delete()
		e.model = nil
	}
	if e.report != nil {
		e.report.Delete()
		e.report = nil
	}
	return nil
}
