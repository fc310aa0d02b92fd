package rewrite

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"edged/model"
)

// difference is where a graph departs from the one it should be.
type difference struct {
	what    string
	weights bool // constants alone, of those that a training changes
}

// differenceOf compares a dense graph with what rewriting its baseline gives;
// nil where they compute the same by the same operators. carried tells which
// tensors of want hold the baseline's constants.
func differenceOf(want, got *canonical, carried map[int32]bool) *difference {
	if n := len(got.src.Subgraphs); n != 1 {
		return &difference{what: fmt.Sprintf("the file holds %d graphs, the rewriting has one", n)}
	}
	if d := signatureDifference(want, got); d != "" {
		return &difference{what: d}
	}
	if metadataCalled(got.src, reducedPrecision) && !metadataCalled(want.src, reducedPrecision) {
		return &difference{what: fmt.Sprintf("its metadata %q lets runtimes compute in half precision; the rewriting's does not", reducedPrecision)}
	}
	if bytes.Equal(want.file, got.file) {
		return nil
	}
	for _, part := range []func(want, got *canonical) string{inputDifference, operatorDifference, tensorDifference} {
		if d := part(want, got); d != "" {
			return &difference{what: d}
		}
	}
	if d := constantDifference(want, got, carried); d != nil {
		return d
	}
	return &difference{what: "the graphs differ"}
}

// reducedPrecision is the one metadata entry that changes what a runtime
// computes: XNNPACK takes it as leave to use float16.
const reducedPrecision = "reduced_precision_support"

func metadataCalled(m *model.Model, name string) bool {
	return slices.ContainsFunc(m.Metadata, func(e *model.Metadata) bool { return e.Name == name })
}

func inputDifference(want, got *canonical) string {
	if !slices.Equal(want.g.Inputs, got.g.Inputs) {
		return fmt.Sprintf("it has %d inputs, the rewriting %d", len(got.g.Inputs), len(want.g.Inputs))
	}
	for _, t := range got.g.Inputs {
		if d := headDifference(want.g.Tensors[t], got.g.Tensors[t]); d != "" {
			return fmt.Sprintf("input %q %s", got.name(t), d)
		}
	}
	return ""
}

// operatorDifference finds the first operator that is another one, or is wired
// to other tensors.
func operatorDifference(want, got *canonical) string {
	for i, w := range want.g.Operators {
		if i >= len(got.g.Operators) {
			return fmt.Sprintf("it has %d operators, the rewriting %d: %s is missing", len(got.g.Operators), len(want.g.Operators), want.m.Code(w).Builtin)
		}
		g := got.g.Operators[i]
		at := fmt.Sprintf("operator %d (%s)", got.operators[i], codeName(got.m.Code(g)))
		switch {
		case *want.m.Code(w) != *got.m.Code(g):
			return fmt.Sprintf("%s stands where the rewriting has %s", at, codeName(want.m.Code(w)))
		case !reflect.DeepEqual(w.Options, g.Options) || !reflect.DeepEqual(w.Options2, g.Options2):
			return at + ": " + optionDifference(w.Options, g.Options)
		case !bytes.Equal(w.CustomOptions, g.CustomOptions) || !slices.Equal(w.MutatingVariableInputs, g.MutatingVariableInputs):
			return at + " has other options than the rewriting"
		case !slices.Equal(w.Inputs, g.Inputs) || !slices.Equal(w.Outputs, g.Outputs) || !slices.Equal(w.Intermediates, g.Intermediates):
			return at + " is wired to other tensors than in the rewriting"
		}
	}
	if n := len(want.g.Operators); len(got.g.Operators) > n {
		return fmt.Sprintf("it has %d operators, the rewriting %d: operator %d (%s) is too many", len(got.g.Operators), n,
			got.operators[n], codeName(got.m.Code(got.g.Operators[n])))
	}
	if !slices.Equal(want.g.Outputs, got.g.Outputs) {
		return "its outputs are other tensors, or in another order, than the rewriting's"
	}
	return ""
}

func codeName(c *model.OperatorCode) string {
	if c.Custom != "" {
		return c.Custom
	}
	return c.Builtin.String()
}

// optionDifference names the options of an operator that differ.
func optionDifference(want, got any) string {
	w, g := reflect.ValueOf(want), reflect.ValueOf(got)
	if w.Kind() != reflect.Pointer || !g.IsValid() || w.Type() != g.Type() || w.IsNil() || g.IsNil() { // an operator may have none
		return "its options are of another kind than in the rewriting"
	}
	var list []string
	for i := range w.Elem().NumField() {
		a, b := w.Elem().Field(i).Interface(), g.Elem().Field(i).Interface()
		if !reflect.DeepEqual(a, b) {
			list = append(list, fmt.Sprintf("%s is %v, the rewriting has %v", w.Elem().Type().Field(i).Name, b, a))
		}
	}
	return strings.Join(list, "; ")
}

// tensorDifference finds the first computed tensor of another type, shape or
// quantisation.
func tensorDifference(want, got *canonical) string {
	for i, w := range want.g.Tensors {
		g := got.g.Tensors[i]
		if len(want.m.Data(w)) > 0 {
			continue // with the constants
		}
		if d := headDifference(w, g); d != "" {
			return fmt.Sprintf("tensor %q %s", got.name(int32(i)), d)
		}
	}
	return ""
}

// headDifference compares all of a tensor but its data.
func headDifference(w, g *model.Tensor) string {
	switch {
	case w.Type != g.Type:
		return fmt.Sprintf("is %s, the rewriting's %s", g.Type, w.Type)
	case !slices.Equal(w.Shape, g.Shape) || !slices.Equal(w.ShapeSignature, g.ShapeSignature):
		return fmt.Sprintf("has shape %v, the rewriting's %v", g.Shape, w.Shape)
	case !reflect.DeepEqual(w.Quantization, g.Quantization):
		return "has another scale or zero point than the rewriting's"
	case w.IsVariable != g.IsVariable || !reflect.DeepEqual(w.Sparsity, g.Sparsity) || !reflect.DeepEqual(w.VariantTensors, g.VariantTensors):
		return "is of another kind than the rewriting's"
	}
	return ""
}

// constantDifference names the constants that differ.
func constantDifference(want, got *canonical, carried map[int32]bool) *difference {
	d := &difference{weights: true}
	var names []string
	for i, w := range want.g.Tensors {
		g := got.g.Tensors[i]
		head := headDifference(w, g)
		if head == "" && bytes.Equal(want.m.Data(w), got.m.Data(g)) {
			continue
		}
		if head == "" {
			head = fmt.Sprintf("holds other values in %d of %d bytes", differingBytes(want.m.Data(w), got.m.Data(g)), len(want.m.Data(w)))
		}
		if names = append(names, got.name(int32(i))); len(names) == 1 {
			d.what = fmt.Sprintf("constant %q %s", names[0], head)
		}
		d.weights = d.weights && carried[want.tensors[i]]
	}
	if len(names) == 0 {
		return nil
	}
	if n := len(names) - 1; n > 0 {
		d.what += fmt.Sprintf("; so do %d more constants (%s)", n, listed(names[1:], 3))
	}
	return d
}

func differingBytes(a, b []byte) int {
	n := max(len(a), len(b)) - min(len(a), len(b))
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// listed joins at most so many names.
func listed(names []string, most int) string {
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " ..."
	}
	return strings.Join(names, ", ")
}

// signatureDifference compares the public names of inputs and outputs: whoever
// runs the file by its signature must get the same tensors. A file may have
// lost its signatures, or hold fewer.
func signatureDifference(want, got *canonical) string {
	entries := map[string]bool{}
	for _, s := range signatureEntries(want) {
		entries[s] = true
	}
	for _, s := range signatureEntries(got) {
		if !entries[s] {
			return "its signature differs from the rewriting's: " + s
		}
	}
	return ""
}

// signatureEntries says for each name of each signature which input or output it is.
func signatureEntries(c *canonical) []string {
	var out []string
	g := c.src.Subgraphs[0]
	for _, s := range c.src.SignatureDefs {
		for _, t := range s.Inputs {
			out = append(out, fmt.Sprintf("%q: %q is input %d", s.Key, t.Name, slices.Index(g.Inputs, int32(t.TensorIndex))))
		}
		for _, t := range s.Outputs {
			out = append(out, fmt.Sprintf("%q: %q is output %d", s.Key, t.Name, slices.Index(g.Outputs, int32(t.TensorIndex))))
		}
	}
	return out
}
