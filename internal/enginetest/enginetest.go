// Package enginetest is the one suite that every Engine of edged passes:
//
//   - Run checks how an engine behaves: shapes, lengths, Resize, Close, threads,
//     memory, goroutines.
//   - Compare runs generated one-operator graphs on an engine and on a
//     reference and compares the outputs: every operator of the fallback over
//     shapes, strides, paddings, dilations, broadcasts, quantisations.
//   - CompareNets and FuzzNets do the same with whole random nets; Finds
//     replays the cases that once differed, kept in testdata/finds.
//
// The engines are handed in, so the package builds without cgo. Every case is
// a function of its name: a failure prints the name and the graph.
package enginetest

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"edged"
)

// casesPerKind is how many graphs Compare draws for an operator and a kind.
const casesPerKind = 24

// Cases is standard, or what EDGED_CASES says: more for long runs, fewer where a
// machine is emulated.
func Cases(t testing.TB, standard int) int {
	v := os.Getenv("EDGED_CASES")
	if v == "" {
		return standard
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("EDGED_CASES=%q: want a number of cases", v)
	}
	return n
}

// Share is how many of a suite's standard cases are run: all, or the share of
// them that EDGED_CASES leaves of an operator's, one at least.
func Share(t testing.TB, standard int) int {
	return max(1, standard*Cases(t, casesPerKind)/casesPerKind)
}

// Compare runs every case of the table on open and on ref. A case that ref
// cannot run is a fault of the generator and fails too.
func Compare(t *testing.T, open, ref edged.Opener, tol Tolerance) {
	for _, op := range table {
		for _, k := range op.kinds {
			name, kindName := op.code.String(), k.name
			t.Run(name+"/"+kindName, func(t *testing.T) {
				if why, ok := tol.except(name, kindName); ok {
					t.Logf("not compared: %s", why)
					return
				}
				compareKind(t, op, k, open, ref, tol)
			})
		}
	}
}

func compareKind(t *testing.T, op operator, k kind, open, ref edged.Opener, tol Tolerance) {
	for n := range Cases(t, casesPerKind) {
		c := newCase(op, k, n)
		d, err := c.compare(open, ref, tol, tol.steps(op.code.String(), k.name))
		switch {
		case err != nil:
			t.Fatalf("case %s: %v\n%s", c.Name, err, c.dump())
		case d != "":
			t.Fatalf("case %s: %s\n%s%s", c.Name, d, c.dump(), keep(c, d))
		}
	}
}

// compare returns a description of the difference, or "".
func (c *Case) compare(open, ref edged.Opener, tol Tolerance, steps int) (string, error) {
	o := edged.Options{Threads: 1}
	l := limits{bound: tol.loosen(c.Bound), steps: steps, terms: c.Terms}
	want, err := c.Run(ref, o)
	if err != nil {
		return "", fmt.Errorf("reference: %w", err)
	}
	if d := c.misshapen(want); d != "" {
		return d, nil
	}
	got, err := c.Run(open, o)
	if err != nil {
		return "", err
	}
	if l.bound.Sum {
		if l.sums, err = c.absolute().Run(ref, o); err != nil {
			return "", fmt.Errorf("reference on absolute values: %w", err)
		}
	}
	return diff(got, want, l), nil
}

// misshapen compares the shapes that package model inferred with the
// reference's: what every room plans with must be what runs.
func (c *Case) misshapen(want []Output) string {
	m := c.Model
	if c.Size != nil {
		m = m.Clone()
		m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Shape = c.Size
		if err := m.InferShapes(0); err != nil {
			return fmt.Sprintf("package model does not infer the shapes at %v: %v", c.Size, err)
		}
	}
	sg := m.Subgraphs[0]
	for i, o := range want {
		if inferred := sg.Tensors[sg.Outputs[i]].Shape; fmt.Sprint(inferred) != fmt.Sprint(o.Shape) {
			return fmt.Sprintf("output %d: package model infers %v, the reference computes %v", i, inferred, o.Shape)
		}
	}
	return ""
}
