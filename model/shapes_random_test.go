package model

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// Whatever the inputs and options, a rule gives a shape or an error.
func TestShapeRulesNeverPanic(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	f := filler{r}
	right := 0
	for code := range shapeRules {
		for range 300 {
			g := &Subgraph{}
			m := &Model{Version: SchemaVersion, OperatorCodes: []*OperatorCode{{Builtin: code}}, Subgraphs: []*Subgraph{g}, Buffers: []*Buffer{{}}}
			op := &Operator{Outputs: make([]int32, 1+r.IntN(3))}
			for i := range 1 + r.IntN(4) {
				op.Inputs = append(op.Inputs, int32(i))
				g.Tensors = append(g.Tensors, f.tensor(m))
			}
			if p := optionsFor(code); p != nil && r.IntN(4) > 0 {
				f.fill(reflect.ValueOf(p).Elem())
				op.Options = p
			}
			g.Operators = append(g.Operators, op)
			shapes, err := m.OutputShapes(g, op)
			if err != nil {
				continue
			}
			right++
			for _, s := range shapes {
				if _, err := Elements(s); err != nil {
					t.Fatalf("%v gives shape %v", code, s)
				}
			}
		}
	}
	if right < 1000 {
		t.Errorf("only %d cases had a shape", right)
	}
}

// tensor is small and of random content, an integer constant half the time.
func (f filler) tensor(m *Model) *Tensor {
	x := &Tensor{Type: TypeFloat32, Shape: make([]int32, f.r.IntN(5))}
	for i := range x.Shape {
		x.Shape[i] = f.r.Int32N(5)
	}
	if f.r.IntN(2) == 0 {
		return x
	}
	x.Type, x.Buffer = TypeInt32, uint32(len(m.Buffers))
	x.Shape = []int32{f.r.Int32N(5)}
	data := make([]byte, 0, 20)
	for range x.Shape[0] {
		v := f.r.Int32N(8) - 2
		if f.r.IntN(10) == 0 {
			v = int32(f.r.Uint32())
		}
		data = append(data, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	m.Buffers = append(m.Buffers, &Buffer{Data: data})
	return x
}

// optionsFor is the option table of an operator whose rule reads one.
func optionsFor(code BuiltinOperator) any {
	switch code {
	case OpConv2D:
		return &Conv2DOptions{}
	case OpDepthwiseConv2D:
		return &DepthwiseConv2DOptions{}
	case OpMaxPool2D, OpAveragePool2D, OpL2Pool2D:
		return &Pool2DOptions{}
	case OpConcatenation:
		return &ConcatenationOptions{}
	case OpSplit:
		return &SplitOptions{}
	case OpPack:
		return &PackOptions{}
	case OpUnpack:
		return &UnpackOptions{}
	case OpGather:
		return &GatherOptions{}
	case OpReshape:
		return &ReshapeOptions{}
	case OpSqueeze:
		return &SqueezeOptions{}
	case OpStridedSlice:
		return &StridedSliceOptions{}
	case OpFullyConnected:
		return &FullyConnectedOptions{}
	case OpMean, OpSum:
		return &ReducerOptions{}
	case OpSpaceToDepth:
		return &SpaceToDepthOptions{}
	case OpDepthToSpace:
		return &DepthToSpaceOptions{}
	case OpBatchMatMul:
		return &BatchMatMulOptions{}
	}
	return nil
}
