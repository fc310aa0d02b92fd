//go:build tflite && cgo

package tflite

import (
	"testing"

	tf "github.com/mattn/go-tflite"

	"edged/model"
)

// registers asks the library itself: a model that lists an operator's code
// loads only when the library has it, whether or not the graph uses it.
func registers(t *testing.T, code model.BuiltinOperator, version int32) bool {
	t.Helper()
	m := &model.Model{
		Version: model.SchemaVersion, Buffers: []*model.Buffer{{}},
		OperatorCodes: []*model.OperatorCode{{Builtin: code, Version: version}},
		Subgraphs:     []*model.Subgraph{{Inputs: []int32{0}, Outputs: []int32{0}, Tensors: []*model.Tensor{{Shape: []int32{1}}}}},
	}
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	file, options, r := tf.NewModel(b), tf.NewInterpreterOptions(), newReport()
	r.attach(options)
	i := tf.NewInterpreter(file, options)
	loaded := i != nil
	i.Delete()
	options.Delete()
	file.Delete()
	r.Delete()
	return loaded
}

func TestRegisteredOperators(t *testing.T) {
	const lastOfSchema, highest = model.OpStablehloComposite, 12
	for code := model.BuiltinOperator(0); code <= lastOfSchema; code++ {
		if code == model.OpCustom { // resolved by name, and only when the graph uses it
			continue
		}
		first, last := versions(code)
		for v := int32(1); v <= highest; v++ {
			if want := v >= first && v <= last; registers(t, code, v) != want {
				t.Errorf("%s version %d: the library says %v, the table %v", code, v, !want, want)
			}
		}
	}
}

// The fields that handle reaches into, and the one version that has them.
func TestHandlesOfGoTFLite(t *testing.T) {
	o := tf.NewInterpreterOptions()
	defer o.Delete()
	if handle(o, "o") == nil {
		t.Error("InterpreterOptions.o holds no pointer")
	}
}
