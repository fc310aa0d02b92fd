package tflite

import (
	"errors"
	"fmt"
	"math"

	"edged"
	"edged/model"
)

// checkMemory infers every shape of the main graph and refuses, before
// anything is allocated, a model that needs more than o.MemoryLimit bytes at
// once, or a tensor longer than the 32-bit offsets of TFLite's kernels reach.
//
// An operator whose shapes cannot be told leaves the shapes that the file
// states.
func checkMemory(m *model.Model, o edged.Options) error {
	var unknown *model.UnsupportedError
	err := m.InferShapes(0)
	if err != nil && !errors.As(err, &unknown) {
		return err
	}
	sg := m.Subgraphs[0]
	if err == nil {
		if t, name := empty(sg); t != nil {
			return fmt.Errorf("%s has the shape %v: TFLite's kernels divide by the sizes of what they read", name, t.Shape)
		}
	}
	for i, t := range sg.Tensors {
		n, err := bytesOf(t)
		if err != nil || n > math.MaxInt32 {
			return fmt.Errorf("tensor %d (%q, %s%v) is too large for TFLite's 32-bit offsets", i, t.Name, t.Type, t.Shape)
		}
	}
	if o.MemoryLimit <= 0 {
		return nil
	}
	if need := peak(m, sg); need > o.MemoryLimit {
		return fmt.Errorf("the model needs about %d KiB for its tensors, the limit is %d KiB: raise the memory limit or use a smaller input",
			(need+1023)>>10, o.MemoryLimit>>10)
	}
	return nil
}

// empty finds a tensor that an operator touches and that has no elements.
func empty(sg *model.Subgraph) (*model.Tensor, string) {
	for i, op := range sg.Operators {
		for _, list := range [][]int32{op.Inputs, op.Outputs} {
			for _, x := range list {
				if x >= 0 && elements(sg.Tensors[x]) < 1 {
					return sg.Tensors[x], fmt.Sprintf("tensor %d at operator %d", x, i)
				}
			}
		}
	}
	return nil, ""
}

func bytesOf(t *model.Tensor) (int64, error) {
	n, err := model.Elements(t.Shape)
	if err != nil || n > math.MaxInt64/16 {
		return 0, errors.New("too large")
	}
	return (n*int64(t.Type.Bits()) + 7) / 8, nil
}

// peak is the largest sum of tensors that are alive at once, with each
// convolution's scratch, in bytes. Constants lie in the file and do not count.
func peak(m *model.Model, sg *model.Subgraph) (most int64) {
	alive, live := lifetimes(sg), int64(0)
	add := func(t int32) {
		if n, err := bytesOf(sg.Tensors[t]); err == nil {
			live += n
		}
	}
	for _, x := range sg.Inputs {
		add(x)
	}
	for i, op := range sg.Operators {
		for _, y := range op.Outputs {
			if alive[y].first == i {
				add(y)
			}
		}
		most = max(most, live+scratch(m, sg, op))
		for t, a := range alive {
			if n, err := bytesOf(sg.Tensors[t]); err == nil && a.last == i {
				live -= n
			}
		}
	}
	return most
}

// lifetime is the operators that write a tensor first and read it last; both
// are -1 for a constant.
type lifetime struct{ first, last int }

func lifetimes(sg *model.Subgraph) []lifetime {
	alive := make([]lifetime, len(sg.Tensors))
	for t := range alive {
		alive[t] = lifetime{-1, -1}
	}
	for _, x := range sg.Inputs {
		alive[x] = lifetime{0, len(sg.Operators)}
	}
	for i, op := range sg.Operators {
		for _, y := range op.Outputs {
			if alive[y].first < 0 {
				alive[y] = lifetime{i, i}
			}
		}
		for _, x := range op.Inputs {
			if x >= 0 && alive[x].first >= 0 {
				alive[x].last = max(alive[x].last, i)
			}
		}
	}
	for _, y := range sg.Outputs {
		if alive[y].first >= 0 {
			alive[y].last = len(sg.Operators)
		}
	}
	return alive
}

// scratch is what a convolution unrolls its input into: one window for each
// output position. XNNPACK keeps pointers instead, which take about as much.
func scratch(m *model.Model, sg *model.Subgraph, op *model.Operator) int64 {
	if m.Code(op).Builtin != model.OpConv2D || len(op.Inputs) < 2 || len(op.Outputs) < 1 || op.Inputs[1] < 0 {
		return 0
	}
	out, w := sg.Tensors[op.Outputs[0]], sg.Tensors[op.Inputs[1]].Shape
	if len(w) != 4 || len(out.Shape) != 4 || w[1]*w[2] == 1 {
		return 0
	}
	positions := int64(out.Shape[0]) * int64(out.Shape[1]) * int64(out.Shape[2])
	return positions * int64(w[1]) * int64(w[2]) * int64(w[3]) * int64(out.Type.Size())
}
