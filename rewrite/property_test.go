package rewrite

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"edged/fallback"
	"edged/internal/enginetest"
	"edged/model"
)

// randomNets is how many nets the properties are tried on: few, or many with
// EDGED_EXTENDED=1; fewer still where EDGED_CASES says so, in an emulator.
func randomNets(t *testing.T, few, many int) int {
	if os.Getenv("EDGED_EXTENDED") == "1" {
		_, of := shard(t)
		return many / int(of)
	}
	return enginetest.Share(t, few)
}

// shard is which part of the nets is drawn, of how many: EDGED_SHARD=2/8 is the
// second eighth of a run that is too long for one sitting.
func shard(t *testing.T) (part, of uint64) {
	text := os.Getenv("EDGED_SHARD")
	if text == "" {
		return 0, 1
	}
	if n, err := fmt.Sscanf(text, "%d/%d", &part, &of); n != 2 || err != nil || part < 1 || part > of {
		t.Fatalf("EDGED_SHARD=%s: say which part of how many, as in 2/8", text)
	}
	return part - 1, of
}

// verifier is Verify on some engine.
type verifier func(base, dense []byte, o VerifyOptions) (*Report, error)

// tryNets rewrites random nets in every form, at random output strides and
// frame sizes, and verifies each.
func tryNets(t *testing.T, count int, first uint64, verify verifier) {
	tried, proofs, refusals, vacuous := 0, 0, 0, 0
	part, of := shard(t)
	for seed := first + part; tried < count; seed += of {
		m := drawAs(seed, traitOf(seed))
		if m == nil {
			continue
		}
		if tried++; tried%500 == 0 {
			t.Logf("%d nets, %d proofs so far", tried, proofs)
		}
		p, r, v, err := tryNet(m, seed, verify)
		proofs, refusals, vacuous = proofs+p, refusals+r, vacuous+v
		if err != nil {
			t.Errorf("net %d: %v", seed, err)
		}
	}
	t.Logf("%d nets, %d proofs, %d refusals, %d vacuous", tried, proofs, refusals, vacuous)
	if proofs < 2*tried {
		t.Errorf("only %d proofs of %d nets", proofs, tried)
	}
}

// traitOf gives every other net something that the field has: planes first, in
// front alone or behind too, with an open size and with cuts; dynamic-range
// weights; a second head.
func traitOf(seed uint64) trait {
	return map[uint64]trait{5: {front: true}, 6: {front: true, behind: true}, 2: {front: true, behind: true}, 3: {hybrid: true}, 4: {heads: true}, 9: {heads: true, front: true}}[seed%10]
}

func tryNet(m *model.Model, seed uint64, verify verifier) (proofs, refusals, vacuous int, err error) {
	options := randomOptions(m, seed)
	switch seed % 10 {
	case 0, 5:
		m, options = openedToo(m, options)
	case 1, 6:
		options = withCuts(m, options, seed)
	}
	base, err := m.Write()
	if err != nil {
		return 0, 0, 0, err
	}
	for _, o := range options {
		res, err := Rewrite(m, "00", o)
		if asRefusal(err) != nil && o.Contract == DefaultContract {
			o.Contract = Frame
			res, err = Rewrite(m, "00", o)
		}
		if asRefusal(err) != nil {
			refusals++
			continue
		}
		if err != nil {
			return proofs, refusals, vacuous, fmt.Errorf("%+v: %w", o, err)
		}
		dense, err := res.Model.Write()
		if err != nil {
			return proofs, refusals, vacuous, err
		}
		rep, err := verify(base, dense, VerifyOptions{})
		switch {
		case err != nil:
			return proofs, refusals, vacuous, fmt.Errorf("%+v: %w", o, err)
		case rep.Equivalent:
			proofs++
		case isVacuous(rep):
			vacuous++
		default:
			return proofs, refusals, vacuous, fmt.Errorf("%+v: %s", o, rep.Why)
		}
	}
	return proofs, refusals, vacuous, nil
}

// openedToo is the net with its size left open, and given to it with --input.
func openedToo(m *model.Model, options []Options) (*model.Model, []Options) {
	for i := range options {
		options[i].Input = sizeOf(m)
	}
	return opened(m), options
}

// withCuts ends the net at two of its maps, and its output at neither.
func withCuts(m *model.Model, options []Options, seed uint64) []Options {
	g := m.Subgraphs[0]
	var maps []string
	for _, op := range g.Operators {
		if t := op.Outputs[0]; len(g.Tensors[t].Shape) == 4 {
			maps = append(maps, callName(g, t))
		}
	}
	if len(maps) < 2 {
		return options
	}
	r := newRandom(seed)
	a := r.IntN(len(maps) - 1)
	for i := range options {
		o := &options[i]
		o.Cuts = []string{maps[a+1+r.IntN(len(maps)-a-1)], maps[a]}
		if o.OutputStride != [2]int{} {
			o.OutputStride = aStride(m, Options{Cuts: o.Cuts}, r)
		}
	}
	return options
}

// aStride is one of the output strides that the net can have, none where it
// cannot be rewritten so.
func aStride(m *model.Model, o Options, r *rand.Rand) (q [2]int) {
	if strides, err := OutputStrides(m, o); err == nil {
		q = strides[r.IntN(len(strides))]
	}
	return q
}

// sizeOf is height and width of the input of a net that draw made.
func sizeOf(m *model.Model) [2]int {
	g := m.Subgraphs[0]
	t := g.Tensors[g.Inputs[0]]
	if strings.HasSuffix(t.Name, "/planes") {
		return [2]int{int(t.Shape[2]), int(t.Shape[3])}
	}
	return [2]int{int(t.Shape[1]), int(t.Shape[2])}
}

// randomOptions are the three forms at one output stride and frame size.
func randomOptions(m *model.Model, seed uint64) []Options {
	r := newRandom(seed)
	o := Options{}
	if q := aStride(m, o, r); r.IntN(2) == 0 {
		o.OutputStride = q
	}
	if r.IntN(2) == 0 {
		o.Input = sizeOf(m)
		o.Input[0] += r.IntN(9)
		o.Input[1] += r.IntN(9)
	}
	var all []Options
	for _, o.Form = range []Form{Dilated, Fragments, Shifts} {
		all = append(all, o)
	}
	return all
}

// isVacuous reports a random net whose output is constant: nothing can be
// proved about it, and Verify must say so.
func isVacuous(r *Report) bool { return len(r.Why) > 7 && r.Why[:7] == "vacuous" }

// TestRandomNetsOnFallback runs the properties where no C library is.
func TestRandomNetsOnFallback(t *testing.T) {
	tryNets(t, randomNets(t, 60, 10_000), 1_000_000, func(base, dense []byte, o VerifyOptions) (*Report, error) {
		return Verify(base, dense, fallback.Open, o)
	})
}

// TestClippedOutputsAreProved: an output that a RELU clips to nothing wherever
// rounding was measured on one input, and that is a number elsewhere.
func TestClippedOutputsAreProved(t *testing.T) {
	const seed = 1_000_479
	if _, _, _, err := tryNet(draw(seed), seed, func(base, dense []byte, o VerifyOptions) (*Report, error) {
		return Verify(base, dense, fallback.Open, o)
	}); err != nil {
		t.Error(err)
	}
}

// TestOneValueIsProved: a net that ends in a single float32 has an output without
// spread, and sums of another order in the enlarged baseline.
func TestOneValueIsProved(t *testing.T) {
	const seed = 1_001_962
	proofs, _, _, err := tryNet(draw(seed), seed, func(base, dense []byte, o VerifyOptions) (*Report, error) {
		return Verify(base, dense, fallback.Open, o)
	})
	if err != nil || proofs == 0 {
		t.Errorf("%d proofs, %v", proofs, err)
	}
}
