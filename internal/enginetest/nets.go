package enginetest

import (
	"bytes"
	"fmt"
	"testing"

	"edged"
)

// netsPerKind is how many whole nets CompareNets draws for a kind.
const netsPerKind = 40

var netKinds = []kind{f32, i8Channel, i8, u8, f16, dynamicPC}

// CompareNets runs whole random nets on open and on ref. A find is cut down to
// the operators that it needs and, where EDGED_KEEP names a folder, kept there
// to be added to testdata/finds.
func CompareNets(t *testing.T, open, ref edged.Opener, tol Tolerance) {
	for _, k := range netKinds {
		t.Run(k.name, func(t *testing.T) {
			if why, ok := tol.except("NET", k.name); ok {
				t.Logf("not compared: %s", why)
				return
			}
			for n := range Cases(t, netsPerKind) {
				compareNet(t, newNet(k, uint64(n)), open, ref, tol)
			}
		})
	}
}

// FuzzNets draws nets from the fuzzer's numbers. Use it in a Fuzz function.
func FuzzNets(f *testing.F, open, ref edged.Opener, tol Tolerance) {
	f.Add(uint64(1), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, k uint8) {
		compareNet(t, newNet(netKinds[int(k)%len(netKinds)], seed), open, ref, tol)
	})
}

func compareNet(t *testing.T, c *Case, open, ref edged.Opener, tol Tolerance) {
	t.Helper()
	steps := tol.steps("NET", "")
	d, err := c.compare(open, ref, tol, steps)
	switch {
	case err != nil:
		t.Fatalf("%s: %v\n%s", c.Name, err, c.dump())
	case d == "":
		return
	}
	small, d := c.cutDown(open, ref, tol, steps, d)
	t.Errorf("%s: %s\n%s%s", c.Name, d, small.dump(), keep(small, d))
}

// cutDown looks for the first operator whose output differs and drops every
// operator that it does not need. Where no part of the graph differs by
// itself, the whole graph is the find.
func (c *Case) cutDown(open, ref edged.Opener, tol Tolerance, steps int, whole string) (*Case, string) {
	for i := range c.Model.Subgraphs[0].Operators {
		part := c.upTo(i)
		if d, err := part.compare(open, ref, tol, steps); err == nil && d != "" {
			return part, fmt.Sprintf("operator %d of the whole: %s", i, d)
		}
	}
	return c, whole
}

// upTo is the case with operator i's outputs as the only outputs.
func (c *Case) upTo(i int) *Case {
	part := *c
	part.Model = c.Model.Clone()
	sg := part.Model.Subgraphs[0]
	sg.Outputs = sg.Operators[i].Outputs
	needed := map[int32]bool{}
	for _, o := range sg.Outputs {
		needed[o] = true
	}
	kept := sg.Operators[:0:0]
	for n := i; n >= 0; n-- {
		op, use := sg.Operators[n], false
		for _, o := range op.Outputs {
			use = use || needed[o]
		}
		if !use {
			continue
		}
		kept = append(kept, op)
		for _, x := range op.Inputs {
			needed[x] = true
		}
	}
	for a, b := 0, len(kept)-1; a < b; a, b = a+1, b-1 {
		kept[a], kept[b] = kept[b], kept[a]
	}
	sg.Operators = kept
	return &part
}

func (c *Case) dump() string {
	var b bytes.Buffer
	if err := c.Model.Dump(&b); err != nil {
		return err.Error()
	}
	return b.String()
}
