//go:build tflite && cgo

package rewrite

import (
	"testing"

	"edged/model"
)

// rewritten is base in a form, as files.
func rewritten(t *testing.T, m *model.Model, o Options) (base, dense []byte, r *Result) {
	t.Helper()
	base, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	r, err = Rewrite(m, "00", o)
	if err != nil {
		t.Fatalf("%+v: %v", o, err)
	}
	dense, err = r.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	return base, dense, r
}

func proven(t *testing.T, m *model.Model, o Options) *Report {
	t.Helper()
	base, dense, r := rewritten(t, m, o)
	rep, err := verifyOnTFLite(base, dense, VerifyOptions{})
	if err != nil {
		t.Fatalf("%+v: verify: %v", o, err)
	}
	if !rep.Equivalent {
		t.Fatalf("%+v: form %s: %s", o, r.Form, rep.Why)
	}
	return rep
}

func TestPoolNetIsEquivalentInEveryForm(t *testing.T) {
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8, model.TypeUint8} {
		for _, f := range []Form{Dilated, Fragments, Shifts} {
			rep := proven(t, poolNet(1, typ, 46, 41), Options{Form: f})
			if !rep.BitIdentical || rep.Phases != 64 {
				t.Errorf("%s %s: %+v", typ, f, rep)
			}
		}
	}
}
