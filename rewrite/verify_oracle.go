package rewrite

import (
	"fmt"
	"runtime"
	"slices"

	"edged"
	"edged/model"
)

// proofOptions are those of every engine in a proof: one thread, and plain
// summation, so that whole numbers stay whole and the bound on sums holds.
var proofOptions = edged.Options{Threads: 1, Exact: true}

// oracle is the baseline ready to run on crops of a fixed size.
type oracle struct {
	what    string // for the report
	file    []byte
	size    pair // of a crop
	engines []edged.Engine
	local   bool     // no padding: crops smaller than the frame tile it
	n       []pair   // units of each output in one run
	in      [][]atom // how its input lies in memory
	dims    []dims   // how each output does
	patch   edged.Engine
	bigger  bool // the enlarged baseline, not the file itself
	v       *verification
}

// resizedBase is what the report calls the baseline that the engine resized.
const resizedBase = "baseline resized to the frame"

// dims are the steps in memory, in elements, from one position or channel of
// an output to the next.
type dims struct{ y, x, c int }

// newOracle opens the baseline: the file as it is wherever crops of its own
// size can show every output; else its enlargement to the frame, which is
// first compared with the file.
func (v *verification) newOracle(base []byte) (*oracle, error) {
	o := &oracle{what: "baseline", file: base, size: v.net.input.n, v: v, local: true, in: v.net.inDims}
	for _, c := range v.outs {
		o.local = o.local && c.local()
	}
	if !o.local && v.report.Contract == Patch {
		return nil, &Refusal{Reason: "the baseline pads its maps, or uses a statistic of the whole map: no dense graph keeps the patch contract", Instead: "verify --contract frame"}
	}
	if !o.local && (v.frame != o.size) {
		lo, err := v.net.strided()
		if err != nil {
			return nil, err
		}
		lo.m.UpdateVersions()
		if o.file, err = lo.m.Write(); err != nil {
			return nil, err
		}
		o.size, o.bigger, o.in, o.what = v.frame, true, nhwc(), "baseline enlarged to the frame"
	}
	n := v.o.Workers
	if n <= 0 {
		n = min(2, runtime.GOMAXPROCS(0))
	}
	for range n {
		e, err := o.start(v.open)
		if err != nil {
			o.close()
			return nil, fmt.Errorf("rewrite: baseline: %w", err)
		}
		o.engines = append(o.engines, e)
	}
	if v.net.isPatch() && (o.bigger || v.report.Contract == Frame) {
		var err error
		if o.patch, err = v.openSized(v.open, base); err != nil {
			o.close()
			return nil, fmt.Errorf("rewrite: baseline: %w", err)
		}
	}
	o.findUnits()
	if err := o.oneKernelSet(); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

// start opens the oracle's file on some engine, at the size of its crops.
func (o *oracle) start(open edged.Opener) (edged.Engine, error) {
	if o.bigger {
		return open(o.file, proofOptions)
	}
	return o.v.openSized(open, o.file)
}

// openSized opens the baseline, and has the engine itself resize it where its
// size is open. A place-holder at which no engine loads it is replaced.
func (v *verification) openSized(open edged.Opener, file []byte) (edged.Engine, error) {
	shape := intsOf(v.net.g.Tensors[v.net.input.tensor].Shape)
	e, err := open(file, proofOptions)
	if err == nil {
		if slices.Equal(e.Inputs()[0].Shape, shape) {
			return e, nil
		}
		err = e.Resize(0, shape)
	}
	if err == nil {
		return e, nil
	}
	if e != nil {
		_ = e.Close()
	}
	m, err1 := model.Read(file)
	if err1 != nil {
		return nil, err
	}
	if m.OpenSize() == "" {
		return nil, err
	}
	if m, err1 = withInput(m, v.net.g.Tensors[v.net.input.tensor].Shape); err1 != nil {
		return nil, err1
	}
	if file, err1 = m.Write(); err1 != nil {
		return nil, err1
	}
	return open(file, proofOptions)
}

// KernelError says that an engine runs the two models of a verification on
// different kernels, between which integers may differ by one.
type KernelError struct{ Base, Dense string }

func (e *KernelError) Error() string {
	return fmt.Sprintf("rewrite: the baseline runs on %q and the dense model on %q, and integers are equal only within one kernel set: use --engine tflite-builtin or fallback", e.Base, e.Dense)
}

// oneKernelSet checks what the engines say they are, for nets with integers.
func (o *oracle) oneKernelSet() error {
	integers := o.v.net.input.typ != model.TypeFloat32
	for _, nd := range o.v.net.nodes {
		integers = integers || nd.out[0].typ != model.TypeFloat32
	}
	for _, e := range append(o.engines[:1:1], o.patch) {
		if integers && e != nil && e.Name() != o.v.dense.Name() {
			return &KernelError{e.Name(), o.v.dense.Name()}
		}
	}
	return nil
}

func (o *oracle) close() {
	for _, e := range append(o.engines, o.patch) {
		if e != nil {
			_ = e.Close()
		}
	}
}

// findUnits notes how many units each output of a run has, and where they lie.
func (o *oracle) findUnits() {
	for i, c := range o.v.outs {
		n := c.val.n
		if !o.local {
			n = pair{c.val.grid[0].n, c.val.grid[1].n}
		}
		o.n = append(o.n, n)
		if o.bigger {
			s := o.engines[0].Outputs()[i].Shape
			o.dims = append(o.dims, dims{y: s[2] * s[3], x: s[3], c: 1})
			continue
		}
		o.dims = append(o.dims, stepsOf(o.v.net.layouts[c.tensor]))
	}
}

// newWide opens the baseline, untouched, resized by the engine to the whole
// frame: one run for each phase instead of one for each patch. nil where the
// file does not take another size, or comes out in another layout: a head that
// is fully connected, a reshape.
func (v *verification) newWide(o *oracle) *oracle {
	if !o.local || o.bigger || v.windowed || v.frame == o.size {
		return nil
	}
	w := &oracle{what: resizedBase, file: o.file, size: v.frame, v: v, local: true, in: v.net.inDims}
	for range o.engines {
		e, err := v.open(o.file, proofOptions)
		if err != nil {
			w.close()
			return nil
		}
		w.engines = append(w.engines, e)
		shape := v.wideShape(e.Inputs()[0].Shape)
		if !v.widens(o.file, shape) || e.Resize(0, shape) != nil || !w.fits(e) {
			w.close()
			return nil
		}
	}
	return w
}

// wideShape is the baseline's input shape with the frame's height and width.
func (v *verification) wideShape(of []int) []int {
	shape := slices.Clone(of)
	for i, s := range v.net.inDims {
		for _, a := range s {
			if a != atomC {
				shape[i] = v.frame[a]
			}
		}
	}
	return shape
}

// widens says that every map of the baseline grows with an input of this shape
// as the arithmetic of the net says. One that a slice cuts to a constant size
// does not, and nothing need fail: of one element, it is broadcast.
func (v *verification) widens(file []byte, shape []int) bool {
	m, err := model.Read(file)
	if err != nil {
		return false
	}
	dims := make([]int32, len(shape))
	for i, d := range shape {
		dims[i] = int32(d)
	}
	if m, err = withInput(m, dims); err != nil {
		return false
	}
	tensors := m.Subgraphs[0].Tensors
	for _, nd := range v.net.nodes {
		for _, o := range nd.out {
			if o.tensor >= 0 && (int(o.tensor) >= len(tensors) || elems(tensors[o.tensor].Shape) != o.grid[0].n*o.grid[1].n*o.ch) {
				return false
			}
		}
	}
	return true
}

// fits reports whether the resized baseline's outputs are the maps that the
// arithmetic of the net says, and notes their units.
func (o *oracle) fits(e edged.Engine) bool {
	if e.Name() != o.v.oracle.engines[0].Name() {
		return false
	}
	o.n, o.dims = nil, nil
	for i, c := range o.v.outs {
		n := pair{c.val.grid[0].n, c.val.grid[1].n}
		s := e.Outputs()[i].Shape
		if len(s) != 4 || !slices.Equal(s, []int{1, n[0], n[1], c.val.ch}) {
			return false
		}
		o.n = append(o.n, n)
		o.dims = append(o.dims, dims{y: n[1] * c.val.ch, x: c.val.ch, c: 1})
	}
	return true
}

// stepsOf finds the steps of a map in a tensor's memory.
func stepsOf(l *layout) dims {
	var d dims
	step := 1
	seq := l.sequence()
	for i := len(seq) - 1; i >= 0; i-- {
		switch seq[i] {
		case atomY:
			d.y = step
		case atomX:
			d.x = step
		case atomC:
			d.c = step
		}
		step *= l.val.size(seq[i])
	}
	return d
}

// check compares the enlarged baseline with the file where both are defined: on
// an input of the file's own size.
func (o *oracle) check() error {
	if !o.bigger {
		return nil
	}
	n, err := lift(o.v.net.m)
	if err != nil {
		return err
	}
	n.prune()
	if err := n.place(n.input.n); err != nil {
		return err
	}
	lo, err := n.strided()
	if err != nil {
		return err
	}
	lo.m.UpdateVersions()
	b, err := lo.m.Write()
	if err != nil {
		return err
	}
	return o.sameAs(b)
}

func (o *oracle) sameAs(enlarged []byte) error {
	small, err := o.v.open(enlarged, proofOptions)
	if err != nil {
		return err
	}
	defer small.Close()
	file, err := fileOf(o.v.net.m)
	if err != nil {
		return err
	}
	own, err := o.v.open(file, proofOptions)
	if err != nil {
		return err
	}
	defer own.Close()
	r := newRandom(o.v.o.Seed)
	fillRandom(small.Input(0), small.Inputs()[0].Type, r, false)
	n := o.v.net
	raster{small.Input(0), n.input.n, nhwc()}.copyTo(raster{own.Input(0), n.input.n, n.inDims}, pair{}, n.input.ch, own.Inputs()[0].Type.Size())
	if err := own.Run(); err != nil {
		return err
	}
	if err := small.Run(); err != nil {
		return err
	}
	if own.Name() != small.Name() {
		return &KernelError{own.Name(), small.Name()}
	}
	for i, s := range own.Outputs() {
		a, b := realValues(own.Output(i), s), realValues(small.Output(i), small.Outputs()[i])
		l := o.v.net.layouts[o.v.outs[i].tensor]
		d := stepsOf(l)
		lim := 1e-4*spread(a) + 1e-6*magnitude(a) // an output of one value has no spread
		k := 0
		for y := range l.val.n[0] {
			for x := range l.val.n[1] {
				for c := range l.val.ch {
					if diff := abs(a[y*d.y+x*d.x+c*d.c] - b[k]); diff > lim || s.Type != edged.Float32 && diff != 0 {
						return fmt.Errorf("rewrite: the enlarged baseline differs from the file by %g on the file's own input size", diff)
					}
					k++
				}
			}
		}
	}
	return nil
}

func fileOf(m *model.Model) ([]byte, error) { return m.Write() }
