package rewrite

import (
	"fmt"
	"math"
	"slices"
	"time"

	"edged"
	"edged/model"
)

// PlanLine is the price of one output stride.
type PlanLine struct {
	OutputStride    [2]int  `json:"output_stride"` // y, x, input pixels
	Form            Form    `json:"form,omitempty"`
	MACs            int64   `json:"macs"`
	ActivationBytes int64   `json:"activation_bytes"` // the most that is alive at once
	FileBytes       int64   `json:"file_bytes"`
	EstimatedMS     float64 `json:"estimated_ms"` // on this machine, 0: no engine to measure with
	Measured        bool    `json:"measured"`     // run for real, not scaled from a coarser stride
	Output          [2]int  `json:"output"`       // positions of the first output
	Refused         string  `json:"refused,omitempty"`
}

// planBudget is how long one measured run may be expected to take; finer
// strides are scaled from the last one measured.
const planBudget = 400 * time.Millisecond

// Plan prices every output stride that the net can have, finest first. With a
// nil opener times stay 0.
func Plan(base *model.Model, sha string, o Options, open edged.Opener) ([]PlanLine, error) {
	strides, err := planStrides(base, sha, &o)
	if err != nil {
		return nil, err
	}
	slices.Reverse(strides) // cheapest first, to scale upwards
	var lines []PlanLine
	var scale msPerMAC
	for _, q := range strides {
		o.OutputStride = q
		l, err := planLine(base, sha, o, open, &scale)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	slices.Reverse(lines)
	return lines, nil
}

// planStrides are the strides to price: every one that the net can have, or, where
// it answers window by window, powers of two, the patch's size and what was named.
func planStrides(base *model.Model, sha string, o *Options) ([][2]int, error) {
	named := o.OutputStride
	strides, err := OutputStrides(base, *o)
	if o.Form == Windows || o.byWindows(base, sha, strides) {
		o.Form = Windows
		return windowStrides(base, *o, named)
	}
	return strides, err
}

// byWindows tells whether auto would leave windows alone, at the coarsest stride.
func (o *Options) byWindows(base *model.Model, sha string, strides [][2]int) bool {
	if o.Form != "" && o.Form != Auto || o.Contract == Frame {
		return false
	}
	w := *o
	w.OutputStride = [2]int{1 << 15, 1 << 15}
	if len(strides) > 0 {
		w.OutputStride = strides[len(strides)-1]
	}
	r, err := Rewrite(base, sha, w)
	return err == nil && r.Form == Windows
}

func windowStrides(base *model.Model, o Options, named [2]int) ([][2]int, error) {
	size, ok := PatchSize(base, o)
	if !ok {
		return nil, usagef("no price: the net answers for no single patch, and --form windows is for those")
	}
	all := [][2]int{named, size}
	for q := 1; q < min(size[0], size[1]); q *= 2 {
		all = append(all, [2]int{q, q})
	}
	slices.SortFunc(all, func(a, b [2]int) int { return a[0]*a[1] - b[0]*b[1] })
	return slices.DeleteFunc(slices.Compact(all), func(q [2]int) bool { return q[0] < 1 || q[1] < 1 }), nil
}

// PatchSize is the size of base where it is a patch classifier: a net of one
// position at its own size.
func PatchSize(base *model.Model, o Options) (size [2]int, ok bool) {
	o.Input, o.OutputStride = [2]int{}, [2]int{1, 1}
	s := &state{opts: o, base: base, form: Windows, result: &Result{}}
	for _, p := range passes[:3] {
		if p.run(s) != nil {
			return size, false
		}
	}
	if t := s.net.g.Tensors[s.net.input.tensor]; len(t.Shape) < 3 {
		return size, false // features, not a picture
	}
	return s.net.input.n, true
}

// OutputStrides are the strides that Options.OutputStride can name, finest
// first.
func OutputStrides(base *model.Model, o Options) ([][2]int, error) {
	s := &state{opts: o, base: base, result: &Result{}}
	for _, p := range passes[:3] {
		if err := p.run(s); err != nil {
			return nil, p.failed(err)
		}
	}
	return s.net.strides(), nil
}

func (n *net) strides() [][2]int {
	all := [][2]int{{1, 1}}
	for _, nd := range n.nodes {
		v := nd.out[0]
		all = append(all, [2]int{v.grid[0].e, v.grid[1].e})
	}
	slices.SortFunc(all, func(a, b [2]int) int { return a[0]*a[1] - b[0]*b[1] })
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(q [2]int) bool { return q[0] < 1 || q[1] < 1 || !n.divides(0, q[0]) || !n.divides(1, q[1]) })
}

// msPerMAC is what the last measured line took per multiplication.
type msPerMAC struct{ ms float64 }

func planLine(base *model.Model, sha string, o Options, open edged.Opener, scale *msPerMAC) (PlanLine, error) {
	l := PlanLine{OutputStride: o.OutputStride}
	r, err := Rewrite(base, sha, o)
	if why := asRefusal(err); why != nil {
		l.Refused = why.Error()
		return l, nil
	}
	if err != nil {
		return l, err
	}
	file, err := r.Model.Write()
	if err != nil {
		return l, err
	}
	l.Form, l.MACs, l.FileBytes, l.Output = r.Form, r.MACs, int64(len(file)), r.Outputs[0].Size
	l.ActivationBytes = activationBytes(r.Model)
	if open == nil {
		return l, nil
	}
	l.EstimatedMS = scale.ms * float64(l.MACs)
	if l.EstimatedMS > float64(planBudget.Milliseconds()) || l.ActivationBytes > 1<<30 {
		return l, nil
	}
	if l.EstimatedMS, err = measure(file, open); err != nil {
		return l, fmt.Errorf("rewrite: calibration: %w", err)
	}
	l.Measured = true
	if l.MACs > 0 {
		scale.ms = l.EstimatedMS / float64(l.MACs)
	}
	return l, nil
}

// measure is the fastest of several runs after a first one, in milliseconds:
// what else the machine does must not price a stride.
func measure(file []byte, open edged.Opener) (float64, error) {
	e, err := open(file, edged.Options{})
	if err != nil {
		return 0, err
	}
	defer e.Close()
	best := math.Inf(1)
	begin := time.Now()
	for i := 0; i < 4 || i < 20 && time.Since(begin) < 100*time.Millisecond; i++ {
		start := time.Now()
		if err := e.Run(); err != nil {
			return 0, err
		}
		if i > 0 {
			best = min(best, float64(time.Since(start).Microseconds())/1000)
		}
	}
	return best, nil
}

// activationBytes is the most memory that computed tensors need at once, each
// alive from its operator to its last reader.
func activationBytes(m *model.Model) int64 {
	g := m.Subgraphs[0]
	last := map[int32]int{}
	for i, op := range g.Operators {
		for _, t := range op.Inputs {
			last[t] = i
		}
	}
	for _, t := range g.Outputs {
		last[t] = len(g.Operators)
	}
	size := func(t int32) int64 {
		if t < 0 || m.Data(g.Tensors[t]) != nil {
			return 0
		}
		return int64(elems(g.Tensors[t].Shape)) * int64(g.Tensors[t].Type.Size())
	}
	alive := size(g.Inputs[0])
	peak := alive
	for i, op := range g.Operators {
		for _, t := range op.Outputs {
			alive += size(t)
		}
		peak = max(peak, alive)
		seen := map[int32]bool{}
		for _, t := range op.Inputs {
			if last[t] == i && !seen[t] {
				alive -= size(t)
			}
			seen[t] = true
		}
		for _, t := range op.Outputs {
			if _, read := last[t]; !read {
				alive -= size(t)
			}
		}
	}
	return peak
}
