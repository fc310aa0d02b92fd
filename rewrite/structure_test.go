package rewrite

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"edged/fallback"
	"edged/internal/enginetest"
	"edged/model"
	"edged/train/nets"
)

// shuffledFile is the same graph written otherwise: names, order of tensors,
// buffers and operator codes, versions, more metadata, an unused tensor.
func shuffledFile(t *testing.T, file []byte, r *rand.Rand) []byte {
	t.Helper()
	m, err := model.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	g := m.Subgraphs[0]
	f, err := m.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	g.Tensors = append(g.Tensors, &model.Tensor{Name: "unused", Shape: []int32{3}, HasRank: true})
	to := r.Perm(len(g.Tensors))
	moved := make([]*model.Tensor, len(to))
	keep := map[int32]bool{}
	for _, o := range g.Outputs {
		keep[o] = true // the manifest names outputs
	}
	for i, x := range g.Tensors {
		if !keep[int32(i)] {
			x.Name = fmt.Sprint("n", to[i])
		}
		moved[to[i]] = x
	}
	g.Tensors = moved
	at := func(list []int32) {
		for i, x := range list {
			if x >= 0 {
				list[i] = int32(to[x])
			}
		}
	}
	at(g.Inputs)
	at(g.Outputs)
	m.SignatureDefs = nil
	slices.Reverse(m.OperatorCodes)
	for _, op := range g.Operators {
		at(op.Inputs)
		at(op.Outputs)
		op.OpcodeIndex = uint32(len(m.OperatorCodes)-1) - op.OpcodeIndex
	}
	for _, c := range m.OperatorCodes {
		c.Version = 7
	}
	for _, x := range g.Tensors { // every constant a buffer of its own
		if b := m.Data(x); b != nil {
			m.Buffers = append(m.Buffers, &model.Buffer{Data: slices.Clone(b)})
			x.Buffer = uint32(len(m.Buffers) - 1)
		}
	}
	m.Buffers = append(m.Buffers, &model.Buffer{Data: []byte("by another tool")})
	m.Metadata = append(m.Metadata, &model.Metadata{Name: "tool", Buffer: uint32(len(m.Buffers) - 1)})
	m.Description = "saved by another tool"
	if f != nil {
		f.Inverse = nil // finds weights by name or number
		if err := m.SetManifest(f); err != nil {
			t.Fatal(err)
		}
	}
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStructureIgnoresHowAFileIsWritten: the dense file, and the baseline too.
func TestStructureIgnoresHowAFileIsWritten(t *testing.T) {
	for i, p := range subjects(t, 6) {
		r := newRandom(uint64(i))
		for what, pair := range map[string][2][]byte{
			"dense":    {p.base, shuffledFile(t, p.dense, r)},
			"baseline": {shuffledFile(t, p.base, r), p.dense},
		} {
			if s := proves(t, pair[0], pair[1]); !s.proven {
				t.Errorf("%s, %s saved by another tool: %s", p.name, what, s.why)
			}
		}
	}
}

// TestRewritingIsDeterministic: the same bytes every time, in every form.
func TestRewritingIsDeterministic(t *testing.T) {
	for i, p := range subjects(t, 12) {
		m, err := model.Read(p.base)
		if err != nil {
			t.Fatal(err)
		}
		d, err := model.Read(p.dense)
		if err != nil {
			t.Fatal(err)
		}
		f, err := d.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		r, err := rewriteLike(m, hashOf(p.base), d, f, pair(f.OutputStride), Contract(f.Contract))
		if err != nil {
			t.Fatalf("%d %s: %v", i, p.name, err)
		}
		if b, err := r.Model.Write(); err != nil || !bytes.Equal(b, p.dense) {
			t.Errorf("%s: rewriting again gives other bytes, %v", p.name, err)
		}
	}
}

// tuned is a dense file with other weights: every constant of a product moved.
func tuned(t *testing.T, dense []byte) []byte {
	t.Helper()
	m, err := model.Read(dense)
	if err != nil {
		t.Fatal(err)
	}
	a := &altering{m: m, g: m.Subgraphs[0], r: newRandom(3)}
	for range 9 {
		a.step(a.constant(1), 3, 0.02)
	}
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTunedFilesAreProvedByTheirInverse: against the first baseline they are
// refuted, with the tensor named and the way to go on; against their own they
// are proved, structure and run.
func TestTunedFilesAreProvedByTheirInverse(t *testing.T) {
	all := subjects(t, 0)
	for _, p := range all[:enginetest.Share(t, len(all))] {
		file := tuned(t, p.dense)
		s := proves(t, p.base, file)
		if !s.refuted || !strings.Contains(s.why, `constant "`) || !strings.Contains(s.why, "--inverse") {
			t.Errorf("%s: against the first baseline: %+v", p.name, *s)
		}
		m, err := model.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		x, err := Inverse(m)
		if err != nil {
			t.Fatal(err)
		}
		own, err := x.Write()
		if err != nil {
			t.Fatal(err)
		}
		r := verified(t, own, file, VerifyOptions{Positions: 200})
		if r.Level != Proved || !r.Equivalent || !r.Structure {
			t.Errorf("%s: against its own baseline: %s, %s", p.name, r.Level, r.Why)
		}
		if r := verified(t, own, p.dense, VerifyOptions{Positions: 200}); r.Level != Refuted {
			t.Errorf("%s: the first dense file against the tuned baseline: %s", p.name, r.Level)
		}
	}
}

// TestOlderRevisionsAreTested: what nobody can rewrite in the same way again is
// tested at most, and says what to do; a label that is not the baseline's, or a
// weight, is refuted all the same.
func TestOlderRevisionsAreTested(t *testing.T) {
	p := subjects(t, 0)[0]
	older := func(more func(a *altering) bool) []byte {
		m, err := model.Read(p.dense)
		if err != nil {
			t.Fatal(err)
		}
		return altered(t, m, alteration{"older", func(a *altering) bool {
			a.f.Rewriter, a.f.BaselineGraph, a.f.BaselineCheck, a.f.Outputs = 0, "", "", nil
			return more(a)
		}}, 1)
	}
	as := older(func(*altering) bool { return true })
	for _, box := range []bool{false, true} {
		r := verified(t, p.base, as, VerifyOptions{Positions: 100, BlackBox: box})
		if r.Level != Tested || r.Equivalent != box || r.Positions != 100 || !r.Sampled || !box && !strings.Contains(r.Why, "rewrite it again") {
			t.Errorf("black box %t: %s, equivalent %t, %s", box, r.Level, r.Equivalent, r.Why)
		}
	}
	if s := proves(t, p.base, older(func(a *altering) bool { a.f.Labels[0], a.f.Labels[1] = a.f.Labels[1], a.f.Labels[0]; return true })); !s.refuted {
		t.Errorf("labels swapped: %+v", *s)
	}
	if s := proves(t, p.base, older(func(a *altering) bool { return a.step(a.constant(1), 1, 0) })); !s.refuted {
		t.Errorf("one weight: %+v", *s)
	}
}

// TestTwoNamesOfAMeaningAreOneFact: a dense file that says probabilities where its
// baseline says sigmoid tells no lie.
func TestTwoNamesOfAMeaningAreOneFact(t *testing.T) {
	p := subjects(t, 0)[0]
	means := func(file []byte, word string) []byte {
		m, err := model.Read(bytes.Clone(file))
		if err != nil {
			t.Fatal(err)
		}
		f, err := m.Manifest()
		if err != nil || f == nil {
			t.Fatal(f, err)
		}
		f.Output.Meaning = word
		if err := m.SetManifest(f); err != nil {
			t.Fatal(err)
		}
		out, err := m.Write()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	base, dense := means(p.base, "sigmoid"), means(p.dense, "probabilities")
	if s := proves(t, base, dense); s.refuted {
		t.Errorf("two names of one meaning: %s", s.why)
	}
	if s := proves(t, base, means(dense, "logits")); !s.refuted {
		t.Error("another meaning is not refuted")
	}
}

// TestDynamicRangeKeepsNoPatchOnAFrame: it scales by the largest value of what
// it sees, which is more than the patch. On its own size nothing is enlarged.
func TestDynamicRangeKeepsNoPatchOnAFrame(t *testing.T) {
	m := hybrid()
	in := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Shape
	n, err := lift(m.Clone())
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Input: [2]int{int(in[1]) + 4, int(in[2]) + 4}}
	s := &state{opts: o, base: m, result: &Result{}}
	for _, p := range passes[:3] {
		if err := p.run(s); err != nil {
			t.Fatal(err)
		}
	}
	s.net.outputs[0].val.n = pair{1, 1} // as a patch classifier's
	if err := s.promise(); asRefusal(err) == nil || !strings.Contains(err.Error(), "dynamic-range") {
		t.Errorf("a larger frame: %v", err)
	}
	s.net.frame = n.input.n
	if err := s.promise(); err != nil {
		t.Errorf("its own size: %v", err)
	}
}

// TestFramesThatHoldNoPatch are refused before anything is compared: a pool may
// drop a column, so that the receptive field is smaller than the patch.
func TestFramesThatHoldNoPatch(t *testing.T) {
	b := newMaker(17, model.TypeFloat32)
	x := b.maxPool(b.conv(b.input(17, 17, 1), 8, square(3, 1)), square(2, 2))
	base := b.Model(b.fc(b.Reshape(x, 1, 7*7*8), 4))
	file, err := base.Write()
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range [][2]int{{16, 17}, {17, 16}, {16, 40}} {
		for _, c := range []Contract{DefaultContract, Frame} {
			if _, err := Rewrite(base, "", Options{Input: in, Contract: c}); asRefusal(err) == nil || !strings.Contains(err.Error(), "17x17") {
				t.Errorf("input %v, contract %q: %v", in, c, err)
			}
		}
	}
	r, err := Rewrite(base, hashOf(file), Options{Input: [2]int{17, 18}})
	if err != nil {
		t.Fatal(err)
	}
	dense, err := r.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	if rep := verified(t, file, dense, VerifyOptions{}); rep.Level != Proved || rep.OutputsCompared[0] != (OutputCompared{rep.OutputsCompared[0].Name, 2, 2}) {
		t.Errorf("%s (%s): %+v", rep.Level, rep.Why, rep.OutputsCompared)
	}
	negated := written(t, r.Model)
	a := &altering{m: negated, g: negated.Subgraphs[0], r: newRandom(1)}
	for _, s := range negated.Subgraphs[0].Tensors {
		if s.Type == model.TypeFloat32 && negated.Data(s) != nil {
			a.edit(s, func(b []byte) bool {
				for i := 3; i < len(b); i += 4 {
					b[i] ^= 0x80
				}
				return true
			})
		}
	}
	wrong, err := negated.Write()
	if err != nil {
		t.Fatal(err)
	}
	for _, box := range []bool{false, true} {
		if rep, err := Verify(file, wrong, fallback.Open, VerifyOptions{BlackBox: box}); err != nil || rep.Level != Refuted {
			t.Errorf("black box %t: every weight negated: %+v, %v", box, rep, err)
		}
	}
}

// TestRevisionStandsForTheseGraphs: what a revision of the rewriter writes must
// stay the same on every machine, or files that it wrote are proved no longer.
func TestRevisionStandsForTheseGraphs(t *testing.T) {
	want := map[Form]string{Dilated: "6b60b7e43ffcf0bf", Fragments: "8614ff08d22775a0", Shifts: "23bf2da781f0654f"}
	for form, sum := range want {
		var all string
		for _, name := range nets.Names() {
			b, err := nets.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			m, err := model.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Rewrite(m, hashOf(b), Options{Input: [2]int{96, 88}, OutputStride: [2]int{2, 2}, Contract: Frame, Form: form})
			if err != nil {
				t.Fatal(err)
			}
			c, err := canonicalOf(r.Model)
			if err != nil {
				t.Fatal(err)
			}
			all += c.sha() + fmt.Sprint(r.Outputs)
		}
		if got := hashOf([]byte(all))[:16]; got != sum {
			t.Errorf("revision %d, form %s: %s, was %s. If the change is meant, count Revision up and put the new one here", Revision, form, got, sum)
		}
	}
}
