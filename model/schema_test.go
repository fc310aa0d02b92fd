package model

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The tables as they lie in a file: reader and writer follow the same tags, so
// no round trip would notice a tag that is wrong. The kept text was compared
// with TensorFlow's schema field by field; whoever changes it must do so again.
func TestSchemaIsAsChecked(t *testing.T) {
	var s strings.Builder
	for _, table := range []any{
		Model{}, OperatorCode{}, Subgraph{}, Tensor{}, VariantSubType{}, Quantization{}, Sparsity{}, DimensionMetadata{}, Operator{},
		Buffer{}, Metadata{}, TensorMap{}, SignatureDef{}, ExternalBufferGroup{}, ExternalBuffer{},
	} {
		describeTable(&s, reflect.TypeOf(table))
	}
	for _, name := range slices.Sorted(maps.Keys(unions)) {
		for i, member := range unions[name] {
			fmt.Fprintf(&s, "%s %d ", name, i+1)
			describeTable(&s, reflect.TypeOf(member))
		}
	}
	for i := range operatorNames {
		fmt.Fprintf(&s, "operator %d %v\n", i, BuiltinOperator(i))
	}
	for i := range tensorTypes {
		fmt.Fprintf(&s, "type %d %v of %d bits\n", i, TensorType(i), TensorType(i).Bits())
	}
	checkGolden(t, "testdata/schema.txt", s.String())
}

func describeTable(s *strings.Builder, t reflect.Type) {
	fmt.Fprintf(s, "%s:", t.Name())
	for i := range t.NumField() {
		f := t.Field(i)
		if tag, ok := f.Tag.Lookup("fb"); ok {
			fmt.Fprintf(s, " %s[%s]%v", f.Name, tag, strings.ReplaceAll(f.Type.String(), "model.", ""))
		}
	}
	s.WriteString("\n")
}

// checkGolden compares with a kept text, or writes it under -update.
func checkGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("the text changed (-want +got); if that is meant, run with -update:\n%s", d)
	}
}

// The names that messages and dumps use.
func TestEnumNames(t *testing.T) {
	for _, c := range []struct {
		got  fmt.Stringer
		want string
	}{
		{PaddingSame, "SAME"}, {PaddingValid, "VALID"}, {Padding(5), "padding(5)"}, {ActReluN1To1, "RELU_N1_TO_1"}, {ActSignBit, "SIGN_BIT"},
		{Activation(-1), "activation(-1)"}, {TypeInt4, "int4"}, {TensorType(99), "type(99)"}, {DimensionSparseCSR, "SPARSE_CSR"},
		{MirrorSymmetric, "SYMMETRIC"}, {WeightsShuffled4x16Int8, "SHUFFLED4x16INT8"}, {OpGelu, "GELU"}, {BuiltinOperator(-3), "BUILTIN_-3"},
	} {
		if got := c.got.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if n := (&OperatorCode{Builtin: OpCustom, Custom: "Resampler"}).Name(); n != "Resampler" {
		t.Errorf("a custom operator is called %q", n)
	}
	if TensorType(99).Size() != 0 || TypeInt4.Size() != 0 || TypeComplex128.Size() != 16 {
		t.Error("element sizes")
	}
}
