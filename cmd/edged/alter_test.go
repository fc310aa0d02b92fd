package main

import (
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"edged/internal/enginetest"
	"edged/model"
)

// alterations are the ways in which a stranger's file differs from one of ours.
var alterations = map[string]func(m *model.Model){
	"bias": func(m *model.Model) { // as exported with the weights' dimension
		g := m.Subgraphs[0]
		g.Tensors[g.Operators[0].Inputs[2]].Quantization.QuantizedDimension = 3
	},
	"blocks": func(m *model.Model) {
		g := m.Subgraphs[0]
		g.Tensors[g.Operators[0].Inputs[1]].Quantization.Details = &model.BlockwiseQuantization{ZeroPoints: -1, BlockSize: 16}
	},
	"open": leaveOpen,
	"shapeless": func(m *model.Model) { // as converters leave what is computed
		g := m.Subgraphs[0]
		for _, op := range g.Operators {
			g.Tensors[op.Outputs[0]].Shape = nil
		}
	},
	"atan2": func(m *model.Model) { m.OperatorCodes[0] = &model.OperatorCode{Builtin: model.OpAtan2, Version: 1} },
	"rnn":   func(m *model.Model) { keepState(m, model.TypeFloat32) },
	// The kernel writes float32 whatever the state is: beyond its end.
	"rnn-int8": func(m *model.Model) { keepState(m, model.TypeInt8) },
	"svdf-int8": func(m *model.Model) {
		keepState(m, model.TypeInt8)
		m.OperatorCodes[0] = &model.OperatorCode{Builtin: model.OpSVDF, Version: 3}
		m.Subgraphs[0].Operators[0].Options = &model.SVDFOptions{Rank: 1}
	},
	"no-output":   func(m *model.Model) { m.Subgraphs[0].Outputs = nil },
	"no-operator": func(m *model.Model) { m.Subgraphs[0].Operators = nil },
	"debug": func(m *model.Model) {
		m.Subgraphs[0].DebugMetadata = 1
		for i, op := range m.Subgraphs[0].Operators {
			op.DebugMetadata = int32(i + 1)
		}
	},
	"elsewhere": func(m *model.Model) {
		m.ExternalBufferGroups = []*model.ExternalBufferGroup{{Name: "weights.bin"}}
		m.ExternalBuffers = []*model.ExternalBuffer{{ID: 7, Length: 4}}
	},
}

// keepState makes the last input of the only operator a state between runs, and
// the operator one that has such.
func keepState(m *model.Model, t model.TensorType) {
	g := m.Subgraphs[0]
	m.OperatorCodes[0] = &model.OperatorCode{Builtin: model.OpUnidirectionalSequenceRNN, Version: 1}
	op := g.Operators[0]
	op.Options = &model.SequenceRNNOptions{}
	state := g.Tensors[op.Inputs[len(op.Inputs)-1]]
	state.IsVariable, state.Type = true, t
	m.Buffers[state.Buffer].Data = nil
}

// leaveOpen is what a converter writes of a net whose size is open: 1x1 stands for
// every height and width.
func leaveOpen(m *model.Model) {
	g := m.Subgraphs[0]
	for _, t := range g.Tensors {
		if len(t.Shape) == 4 && m.Data(t) == nil {
			t.Shape, t.ShapeSignature = []int32{1, 1, 1, t.Shape[3]}, []int32{-1, -1, -1, t.Shape[3]}
		}
	}
}

// scriptAlter writes a net as a stranger would have it: alter OUT IN WAY. Ways
// that no writer of ours knows are done to the file.
func scriptAlter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: alter out in way")
	}
	file, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	switch change := alterations[args[2]]; {
	case args[2] == "newer-field":
		file = enginetest.WithField(file, 14, 2, 0, 3, 1)
	case args[2] == "newer-options":
		file = enginetest.WithField(file, 9, 2, 0, 3, 0, 4, -1)
	case args[2] == "external":
		file = enginetest.WithField(file, 10, 2, 0, 0, 1) // the offset of the vtable is no ID of 0
	case change == nil:
		ts.Fatalf("no way %q", args[2])
	default:
		m, err := model.Read(file)
		ts.Check(err)
		change(m)
		file, err = m.Write()
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o644))
}
