package quantize

import (
	"context"
	"fmt"
	"math"
	"slices"

	"edged"
	"edged/model"
)

// runner shows pictures to nets.
type runner struct {
	ctx     context.Context
	open    edged.Opener
	threads int
	p       Pictures
	windows bool
}

// chunkBytes bounds what is looked at in one run of a net: more tensors take more
// runs.
const chunkBytes = 128 << 20

// A patch classifier is shown at least leastWindows patches of a picture, and more
// where patches are small: so many pixels.
const (
	leastWindows  = 48
	windowsPixels = 2048 * 33 * 33
)

// visit sees a tensor after a run: its real values, which are lent.
type visit func(name string, v []float32, channels int)

// each runs m on the pictures and shows the tensors named, in as many runs as
// memory asks for.
func (r *runner) each(m *model.Model, names []string, pictures []int, see visit) error {
	g := m.Subgraphs[0]
	rest := map[string]bool{}
	for _, n := range names {
		rest[n] = true
	}
	for len(rest) > 0 {
		var more []int32
		bytes := int64(0)
		chunk := map[string]bool{}
		for i, t := range g.Tensors {
			if !rest[t.Name] || m.Data(t) != nil || len(chunk) > 0 && bytes+bytesOf(t) > chunkBytes {
				continue
			}
			if !slices.Contains(g.Outputs, int32(i)) && !slices.Contains(g.Inputs, int32(i)) {
				more = append(more, int32(i))
			}
			bytes += bytesOf(t)
			chunk[t.Name] = true
			delete(rest, t.Name)
		}
		if len(chunk) == 0 {
			return nil // the form has no such tensors
		}
		if err := r.run(m.WithOutputs(more...), chunk, pictures, see); err != nil {
			return err
		}
	}
	return nil
}

// run shows the pictures to one engine.
func (r *runner) run(m *model.Model, names map[string]bool, pictures []int, see visit) error {
	file, err := m.Write()
	if err != nil {
		return err
	}
	e, err := r.open(file, edged.Options{Threads: r.threads, Exact: true})
	if err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	defer e.Close()
	in := e.Inputs()[0]
	for _, i := range pictures {
		inputs, err := r.inputs(i, in)
		if err != nil {
			return err
		}
		for _, x := range inputs {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			feed(e.Input(0), in, x)
			if err := e.Run(); err != nil {
				return fmt.Errorf("quantize: %w", err)
			}
			if names[in.Name] {
				see(in.Name, x, in.Shape[len(in.Shape)-1])
			}
			for k, s := range e.Outputs() {
				if names[s.Name] {
					see(s.Name, realValues(e.Output(k), s), lastOf(s.Shape))
				}
			}
		}
	}
	return nil
}

func lastOf(shape []int) int {
	if len(shape) == 0 {
		return 1
	}
	return max(1, shape[len(shape)-1])
}

// inputs are what picture i becomes: one input, or many patches.
func (r *runner) inputs(i int, in edged.Spec) ([][]float32, error) {
	shape := slices.Clone(in.Shape)
	if len(shape) != 4 {
		return nil, fmt.Errorf("quantize: input %v is no picture", in)
	}
	if r.windows {
		h, w := r.p.Size(i)
		shape[1], shape[2] = max(shape[1], min(h, largestFrame)), max(shape[2], min(w, largestFrame))
	}
	spec := edged.Spec{Name: in.Name, Shape: shape, Type: edged.Float32}
	whole := make([]float32, spec.Elems())
	if err := r.p.Fill(i, spec, whole); err != nil {
		return nil, err
	}
	if !r.windows {
		return [][]float32{whole}, nil
	}
	return windows(whole, shape, in.Shape), nil
}

// windows cuts patches from a frame, spread evenly.
func windows(frame []float32, shape, patch []int) (list [][]float32) {
	h, w, c := shape[1]-patch[1]+1, shape[2]-patch[2]+1, shape[3]
	n := min(max(leastWindows, windowsPixels/(patch[1]*patch[2])), h*w)
	for k := range n {
		at := k * (h*w - 1) / max(1, n-1)
		y, x := at/w, (at+k*7)%w
		p := make([]float32, 0, patch[1]*patch[2]*c)
		for row := range patch[1] {
			from := ((y+row)*shape[2] + x) * c
			p = append(p, frame[from:from+patch[2]*c]...)
		}
		list = append(list, p)
	}
	return list
}

// feed writes real values as the input wants them.
func feed(dst []byte, s edged.Spec, x []float32) {
	if s.Type == edged.Float32 {
		copy(edged.View[float32](dst), x)
		return
	}
	for i, v := range x {
		dst[i] = byte(int8(max(-128, min(127, math.Round(float64(v)/float64(s.Quant.Scale))+float64(s.Quant.ZeroPoint)))))
	}
}

// realValues are an output's numbers.
func realValues(b []byte, s edged.Spec) []float32 {
	switch s.Type {
	case edged.Float32:
		return edged.View[float32](b)
	case edged.Int8:
		v := make([]float32, len(b))
		for i, x := range b {
			v[i] = s.Quant.Scale * float32(int32(int8(x))-s.Quant.ZeroPoint)
		}
		return v
	case edged.Int32, edged.Int64:
		v := make([]float32, s.Elems())
		for i := range v {
			if s.Type == edged.Int32 {
				v[i] = float32(edged.View[int32](b)[i])
			} else {
				v[i] = float32(edged.View[int64](b)[i])
			}
		}
		return v
	}
	return nil
}

// calibrate looks at every computed tensor of f on the pictures.
func (r *runner) calibrate(f *form, pictures []int) (map[string]*stats, error) {
	seen := map[string]*stats{}
	var names []string
	for _, t := range f.base.Subgraphs[0].Tensors {
		if t.Type == model.TypeFloat32 && f.base.Data(t) == nil {
			names = append(names, t.Name)
			seen[t.Name] = &stats{}
		}
	}
	bad := ""
	err := r.each(f.float, names, pictures, func(name string, v []float32, channels int) {
		s := seen[name]
		s.look(v, channels)
		if math.IsNaN(s.Hi-s.Lo) || math.IsInf(s.Hi-s.Lo, 0) {
			bad = name
		}
	})
	if err != nil {
		return nil, err
	}
	if bad != "" {
		return nil, fmt.Errorf("quantize: tensor %s of the float net is not a number on a picture", bad)
	}
	return seen, r.each(f.float, names, pictures, func(name string, v []float32, channels int) { seen[name].spread(v) })
}
