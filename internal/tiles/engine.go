package tiles

import (
	"fmt"

	"edged"
)

// Engine runs a dense net over a frame of another size than the net's, one tile
// after the other. It holds the whole frame's input and output; what the net works
// in is one tile's.
type Engine struct {
	net    edged.Engine
	axes   Net
	output int // the net's that is laid together
	spans  [2][]Span
	in     edged.Spec
	out    edged.Spec
	input  []byte
	result []byte
}

// Open lays tiles of a net over frames of h by w. It takes the engine over.
func Open(net edged.Engine, axes Net, output, h, w int) (*Engine, error) {
	if err := axes.Validate(); err != nil {
		return nil, err
	}
	if len(net.Inputs()) != 1 || output >= len(net.Outputs()) {
		return nil, fmt.Errorf("tiles: %d inputs, %d outputs: one picture is cut, one map laid together", len(net.Inputs()), len(net.Outputs()))
	}
	e := &Engine{net: net, axes: axes, output: output, in: net.Inputs()[0], out: net.Outputs()[output]}
	for _, s := range []edged.Spec{e.in, e.out} {
		if len(s.Shape) != 4 || s.Shape[0] != 1 {
			return nil, fmt.Errorf("tiles: %v: a map of shape [1, height, width, channels] is needed", s)
		}
	}
	return e, e.Resize(0, []int{1, h, w, e.in.Shape[3]})
}

// Name tells the net's engine.
func (e *Engine) Name() string { return e.net.Name() + ", tiles" }

// Inputs describes the whole frame's.
func (e *Engine) Inputs() []edged.Spec { return []edged.Spec{e.in} }

// Outputs describes the whole frame's.
func (e *Engine) Outputs() []edged.Spec { return []edged.Spec{e.out} }

// Input lends the frame's memory.
func (e *Engine) Input(int) []byte { return e.input }

// Output lends the map's.
func (e *Engine) Output(int) []byte { return e.result }

// Resize lays tiles over frames of another size.
func (e *Engine) Resize(_ int, shape []int) error {
	if len(shape) != 4 || shape[0] != 1 || shape[3] != e.in.Shape[3] {
		return fmt.Errorf("tiles: shape %v: only height and width of %v may change", shape, e.in)
	}
	e.in.Shape = append([]int{}, shape...)
	out := []int{1, 0, 0, e.out.Shape[3]}
	for i, a := range e.axes {
		if shape[1+i] < a.Input {
			return fmt.Errorf("tiles: %v for a model of %v: %w", shape, e.net.Inputs()[0], ErrSmall)
		}
		out[1+i] = a.Length(shape[1+i])
		var err error
		if e.spans[i], err = a.Cut(shape[1+i], 0, out[1+i]); err != nil {
			return err
		}
	}
	e.out.Shape = out
	e.input, e.result = make([]byte, e.in.Bytes()), make([]byte, e.out.Bytes())
	return nil
}

// Run computes the whole map.
func (e *Engine) Run() error {
	for _, y := range e.spans[0] {
		for _, x := range e.spans[1] {
			e.feed(y.At, x.At)
			if err := e.net.Run(); err != nil {
				return err
			}
			e.keep(y, x)
		}
	}
	return nil
}

// feed copies a tile's input. What lies beyond the frame is zero: nothing sees it.
func (e *Engine) feed(y, x int) {
	dst, tile := e.net.Input(0), e.net.Inputs()[0]
	pixel := e.in.Shape[3] * e.in.Type.Size()
	row, width := tile.Shape[2]*pixel, min(tile.Shape[2], e.in.Shape[2]-x)*pixel
	for r := range tile.Shape[1] {
		to := dst[r*row:][:row]
		n := 0
		if y+r < e.in.Shape[1] {
			n = copy(to, e.input[((y+r)*e.in.Shape[2]+x)*pixel:][:width])
		}
		clear(to[n:])
	}
}

// keep copies the positions that are the whole frame's.
func (e *Engine) keep(y, x Span) {
	src, tile := e.net.Output(e.output), e.net.Outputs()[e.output]
	position := e.out.Shape[3] * e.out.Type.Size()
	n := (x.To - x.From) * position
	for r := range y.To - y.From {
		from := ((y.First+r)*tile.Shape[2] + x.First) * position
		to := ((y.From+r)*e.out.Shape[2] + x.From) * position
		copy(e.result[to:][:n], src[from:][:n])
	}
}

// Close closes the net's engine.
func (e *Engine) Close() error { return e.net.Close() }

var _ edged.Engine = (*Engine)(nil)
