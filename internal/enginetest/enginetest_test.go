package enginetest

import (
	"bytes"
	"testing"

	"edged"
	"edged/model"
)

// Every case must be a function of its name, and a valid file.
func TestCasesAreReproducible(t *testing.T) {
	for _, op := range table {
		for _, k := range op.kinds {
			for n := range 8 {
				a, b := newCase(op, k, n), newCase(op, k, n)
				fa, err := a.Model.Write()
				if err != nil {
					t.Fatalf("%s: %v", a.Name, err)
				}
				fb, err := b.Model.Write()
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(fa, fb) || !bytes.Equal(bytes.Join(a.Inputs, nil), bytes.Join(b.Inputs, nil)) {
					t.Fatalf("%s: two generations differ", a.Name)
				}
				if _, err := model.Read(fa); err != nil {
					t.Fatalf("%s: %v", a.Name, err)
				}
			}
		}
	}
}

func output(t edged.DType, data []byte) []Output {
	return []Output{{edged.Spec{Name: "y", Type: t, Shape: []int{len(data) / t.Size()}}, data}}
}

func TestDiffSeesWhatItMust(t *testing.T) {
	one, next := float32s(1, 1), float32s(1, 1+eps)
	for _, c := range []struct {
		name      string
		got, want []Output
		limits    limits
		differ    bool
	}{
		{"equal", output(edged.Float32, one), output(edged.Float32, one), limits{}, false},
		{"one ulp, exact", output(edged.Float32, next), output(edged.Float32, one), limits{}, true},
		{"one ulp, allowed", output(edged.Float32, next), output(edged.Float32, one), limits{bound: Bound{Ulps: 1}}, false},
		{"zero and minus zero", output(edged.Float32, float32s(0)), output(edged.Float32, []byte{0, 0, 0, 0x80}), limits{}, false},
		{"NaN for a number", output(edged.Float32, []byte{0, 0, 0xc0, 0x7f}), output(edged.Float32, float32s(1)), limits{bound: Bound{Ulps: 9, Floor: 9}}, true},
		{"infinity for a number", output(edged.Float32, []byte{0, 0, 0x80, 0x7f}), output(edged.Float32, float32s(1)), limits{bound: Bound{Ulps: 9}}, true},
		{"a sum within its bound", output(edged.Float32, next), output(edged.Float32, one),
			limits{bound: Bound{Sum: true}, terms: 8, sums: output(edged.Float32, one)}, false},
		{"a sum of small terms", output(edged.Float32, next), output(edged.Float32, one),
			limits{bound: Bound{Sum: true}, terms: 8, sums: output(edged.Float32, float32s(0.01, 0.01))}, true},
		{"one step, exact", output(edged.Int8, []byte{5}), output(edged.Int8, []byte{4}), limits{}, true},
		{"one step across zero, allowed", output(edged.Int8, []byte{0xff}), output(edged.Int8, []byte{0}), limits{steps: 1}, false},
		{"from end to end", output(edged.Uint8, []byte{0xff}), output(edged.Uint8, []byte{0}), limits{steps: 1}, true},
		{"indices are exact", output(edged.Int32, []byte{1, 0, 0, 0}), output(edged.Int32, []byte{2, 0, 0, 0}), limits{steps: 1}, true},
		{"another type", output(edged.Int8, []byte{5}), output(edged.Uint8, []byte{5}), limits{}, true},
		{"an output missing", nil, output(edged.Uint8, []byte{5}), limits{}, true},
	} {
		if d := diff(c.got, c.want, c.limits); (d != "") != c.differ {
			t.Errorf("%s: %q", c.name, d)
		}
	}
}
