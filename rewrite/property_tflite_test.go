//go:build tflite && cgo

package rewrite

import (
	"fmt"
	"os"
	"testing"

	"edged"
	"edged/model"
	"edged/tflite"
)

// randomNets is how many nets the properties are tried on: a few hundred, or
// 10,000 with EDGED_EXTENDED=1.
func randomNets() int {
	if os.Getenv("EDGED_EXTENDED") == "1" {
		return 10000
	}
	return 300
}

// TestRandomNetsAreEquivalent rewrites random nets in every form, at random
// output strides and frame sizes, and verifies each.
func TestRandomNetsAreEquivalent(t *testing.T) {
	tried, proofs, refusals := 0, 0, 0
	for seed := uint64(1); tried < randomNets(); seed++ {
		m, _ := draw(seed)
		if m == nil {
			continue
		}
		tried++
		p, r, err := tryNet(m, seed, engineFor(t, m))
		proofs, refusals = proofs+p, refusals+r
		if err != nil {
			t.Errorf("net %d: %v", seed, err)
			if t.Failed() && tried > 50 {
				break
			}
		}
	}
	t.Logf("%d nets, %d proofs, %d refusals", tried, proofs, refusals)
	if proofs < tried {
		t.Errorf("only %d proofs of %d nets", proofs, tried)
	}
}

// engineFor is TFLite with XNNPACK, or its own kernels where XNNPACK cannot
// run the baseline.
func engineFor(t *testing.T, m *model.Model) edged.Opener {
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	e, err := tflite.Open(b, edged.Options{Threads: 1})
	if err != nil {
		return tflite.OpenBuiltin
	}
	e.Close()
	return tflite.Open
}

func tryNet(m *model.Model, seed uint64, open edged.Opener) (proofs, refusals int, err error) {
	base, err := m.Write()
	if err != nil {
		return 0, 0, err
	}
	r := newRandom(seed)
	o := Options{}
	if strides, err := OutputStrides(m, o); err == nil && r.IntN(2) == 0 {
		o.OutputStride = strides[r.IntN(len(strides))]
	}
	if r.IntN(2) == 0 {
		in := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Shape
		o.Input = [2]int{int(in[1]) + r.IntN(9), int(in[2]) + r.IntN(9)}
	}
	for _, o.Form = range []Form{Dilated, Fragments, Shifts} {
		o.Contract = DefaultContract
		res, err := Rewrite(m, "00", o)
		if asRefusal(err) != nil {
			o.Contract = Frame
			res, err = Rewrite(m, "00", o)
		}
		if asRefusal(err) != nil {
			refusals++
			continue
		}
		if err != nil {
			return proofs, refusals, fmt.Errorf("%+v: %w", o, err)
		}
		dense, err := res.Model.Write()
		if err != nil {
			return proofs, refusals, err
		}
		rep, err := Verify(base, dense, open, VerifyOptions{})
		if err != nil {
			return proofs, refusals, fmt.Errorf("%+v: %w", o, err)
		}
		if !rep.Equivalent && !vacuous(rep) {
			return proofs, refusals, fmt.Errorf("%+v: %s", o, rep.Why)
		}
		if rep.Equivalent {
			proofs++
		}
	}
	return proofs, refusals, nil
}

// vacuous reports a random net whose output is constant: nothing can be
// proved about it, and Verify must say so.
func vacuous(r *Report) bool { return len(r.Why) > 7 && r.Why[:7] == "vacuous" }
