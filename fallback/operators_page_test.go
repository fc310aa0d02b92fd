package fallback

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged/internal/enginetest"
	"edged/model"
)

// operatorsPage is the page of docs/ that lists what the Go engine computes.
// EDGED_DOCS=write writes it.
var operatorsPage = filepath.Join("..", "docs", "operators.md")

const operatorsHead = `# Operators of the Go engine

Made by a test from the engine's own table and from that of the tests: EDGED_DOCS=write go test -run OperatorsPage ./fallback. Each operator is compared with the
built-in kernels of TensorFlow Lite 2.9 in the arithmetics shown: integers bit for bit, floats to a stated number of roundings. "int16x8" and "int16" have int16 activations and
int8 weights; "dynamic-range" float activations and int8 weights; "float16-weights" float16 behind DEQUANTIZE. What is not here is refused by name: recurrent,
signal and text operators among it.

| operator | compared with TensorFlow Lite in |
|---|---|
`

// comparedElsewhere are arithmetics that TensorFlow Lite 2.9 lacks or gets wrong:
// hybrid_tflite_test.go holds them against equal graphs.
var comparedElsewhere = map[model.BuiltinOperator]string{
	model.OpTransposeConv: "dynamic-range (against DEQUANTIZE in front)",
	model.OpBatchMatMul:   "dynamic-range (against FULLY_CONNECTED)",
}

func TestOperatorsPage(t *testing.T) {
	kinds := enginetest.Kinds()
	rows := map[string]string{}
	for code := range builtins() {
		list := kinds[code.String()]
		if len(list) == 0 {
			t.Errorf("%s is in no comparison", code)
		}
		if more, ok := comparedElsewhere[code]; ok {
			list = append(list, more)
		}
		rows[code.String()] = strings.Join(list, ", ")
	}
	rows[model.OpDetectionPostProcess] = strings.Join(kinds["CUSTOM"], ", ")
	rows[model.OpConvolution2DTransposeBias] = "float32 (against TRANSPOSE_CONV and ADD)"
	for name := range customs() {
		own := name == gatherWindows || name == overWindows // of plans; no file holds them
		if rows[name] == "" && !own {
			t.Errorf("%s has no row", name)
		}
	}
	page := operatorsHead
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		page += fmt.Sprintf("| %s | %s |\n", name, rows[name])
	}
	if os.Getenv("EDGED_DOCS") == "write" {
		if err := os.WriteFile(operatorsPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(operatorsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != page {
		t.Errorf("%s is not what the engine computes: EDGED_DOCS=write writes it anew", operatorsPage)
	}
}
