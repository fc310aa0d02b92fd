//go:build tflite && cgo

package rewrite

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/model"
	"edged/tflite"
)

func realModel(t *testing.T, name string) (*model.Model, []byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(cmp.Or(os.Getenv("DEPS"), "../.deps"), "models", name+".tflite"))
	if err != nil {
		t.Fatalf("%v: make deps-test fetches it", err)
	}
	m, err := model.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return m, b
}

// outputOf is the name of the output of the first convolution from op on.
func outputOf(m *model.Model, op int) string {
	g := m.Subgraphs[0]
	for m.Code(g.Operators[op]).Builtin != model.OpConv2D {
		op++
	}
	return g.Tensors[g.Operators[op].Outputs[0]].Name
}

// TestRealEncoders rewrites the encoders of nets that people use, cut before
// their decoders or lists, verifies them, and goes back.
func TestRealEncoders(t *testing.T) {
	for _, c := range []struct {
		model string
		op    int // whose output ends the net, -1: whole
		q     int
		form  Form
	}{
		{"face_detection_short_range", 100, 2, Dilated},
		{"face_detection_full_range", 145, 4, Dilated},
		{"pose_landmark_lite", 130, 4, Dilated},
		{"pose_landmark_full", 130, 4, Dilated},
		{"pose_landmark_lite", -1, 1, Shifts},
	} {
		t.Run(c.model, func(t *testing.T) {
			m, file := realModel(t, c.model)
			o := Options{OutputStride: [2]int{c.q, c.q}}
			if c.op >= 0 {
				o.Cuts = []string{outputOf(m, c.op)}
			}
			r, err := Rewrite(m, "00", o)
			if err != nil {
				t.Fatal(err)
			}
			dense, err := r.Model.Write()
			if err != nil {
				t.Fatal(err)
			}
			rep, err := Verify(file, dense, tflite.Open, VerifyOptions{})
			if err != nil || !rep.Equivalent || !rep.BitIdentical || r.Form != c.form {
				t.Fatalf("form %s: %+v, %v", r.Form, rep, err)
			}
			t.Logf("%d outputs, %d positions, %d phases", len(rep.OutputsCompared), rep.Positions, rep.Phases)
			back, err := Inverse(written(t, r.Model))
			if err != nil {
				t.Fatal(err)
			}
			sameRuns(t, m, back, c.op)
		})
	}
}

// sameRuns compares the weights of what came back with the original's.
func sameRuns(t *testing.T, m, back *model.Model, last int) {
	t.Helper()
	if last < 0 && len(m.Subgraphs[0].Operators) != len(back.Subgraphs[0].Operators) {
		t.Errorf("%d operators came back, %d left", len(back.Subgraphs[0].Operators), len(m.Subgraphs[0].Operators))
	}
	weights := 0
	for _, op := range back.Subgraphs[0].Operators {
		for _, i := range op.Inputs {
			if i < 0 || back.Data(back.Subgraphs[0].Tensors[i]) == nil {
				continue
			}
			weights++
			if !bytes.Equal(back.Data(back.Subgraphs[0].Tensors[i]), m.Data(m.Subgraphs[0].Tensors[i])) {
				t.Errorf("constant %q changed", m.Subgraphs[0].Tensors[i].Name)
			}
		}
	}
	if weights == 0 {
		t.Error("no weight came back")
	}
}

// TestRealRefusals: what has no dense form is refused for the right reason.
func TestRealRefusals(t *testing.T) {
	for _, c := range []struct {
		model string
		o     Options
		words string
	}{
		{"face_detection_short_range", Options{}, "RESHAPE"},
		{"face_detection_full_range", Options{}, "is no grid"},
		{"selfie_segmentation", Options{}, "Convolution2DTransposeBias"},
		{"pose_landmark_lite", Options{Form: Dilated}, "RESIZE_BILINEAR"},
		{"pose_landmark_lite", Options{Contract: Patch}, "map already"},
	} {
		m, _ := realModel(t, c.model)
		_, err := Rewrite(m, "00", c.o)
		if asRefusal(err) == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s %+v: %v; want a refusal about %q", c.model, c.o, err, c.words)
		}
	}
}
