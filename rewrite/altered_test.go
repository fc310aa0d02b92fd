package rewrite

import (
	"fmt"
	"testing"

	"edged/internal/enginetest"
	"edged/model"
	"edged/train/nets"
)

// altered applies an alteration to a copy of a dense file, nil where it does not apply.
func altered(t *testing.T, dense *model.Model, x alteration, seed uint64) []byte {
	t.Helper()
	m := dense.Clone()
	f, err := m.Manifest()
	if err != nil || f == nil {
		t.Fatalf("manifest: %v", err)
	}
	if !x.apply(&altering{m, m.Subgraphs[0], f, newRandom(seed)}) {
		return nil
	}
	if f.Validate() != nil || m.SetManifest(f) != nil {
		return nil // refused when it is read
	}
	b, err := m.Write()
	if err != nil {
		t.Fatalf("%s: %v", x.name, err)
	}
	return b
}

// pairOf is a baseline and its dense net as files.
type pairOf struct {
	name        string
	base, dense []byte
}

// subjects are the bundled nets and random ones of every type, each in a form
// that it has.
func subjects(t *testing.T, random int) []pairOf {
	t.Helper()
	var out []pairOf
	add := func(name string, base []byte, o Options) bool {
		m, err := model.Read(base)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Rewrite(m, hashOf(base), o)
		if asRefusal(err) != nil {
			return false
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		dense, err := r.Model.Write()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pairOf{name, base, dense})
		return true
	}
	for _, name := range nets.Names() {
		b, err := nets.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		add(name, b, Options{Input: [2]int{96, 88}, Contract: Frame})
	}
	forms := []Form{Dilated, Fragments, Shifts}
	for seed := uint64(1); len(out) < len(nets.Names())+random; seed++ {
		if m := draw(seed); m != nil {
			b, err := m.Write()
			if err != nil {
				t.Fatal(err)
			}
			add(fmt.Sprint("random ", seed), b, Options{Form: forms[seed%3], Contract: Frame})
		}
	}
	for seed := uint64(1); len(out) < len(nets.Names())+random+random/4; seed++ {
		if m := drawPatch(seed); m != nil {
			b, err := m.Write()
			if err != nil {
				t.Fatal(err)
			}
			add(fmt.Sprint("random patch ", seed), b, windowOptions(m, seed))
		}
	}
	return out
}

// proves tells what the structure says of a pair.
func proves(t *testing.T, base, dense []byte) *structureResult {
	t.Helper()
	d, err := model.Read(dense)
	if err != nil {
		return refutedf("%v", err)
	}
	f, err := d.Manifest()
	if err != nil {
		return refutedf("%v", err)
	}
	s, err := proveStructure(base, dense, pair(f.OutputStride), Contract(f.Contract))
	if err != nil {
		return refutedf("%v", err)
	}
	return s
}

// asTrue reports whether another form or contract in the manifest is as true as
// the first: without strides all forms are one graph, and without padding the
// dense net keeps both contracts.
func asTrue(name string, alteredFile, dense, base []byte) bool {
	a, err1 := model.Read(alteredFile)
	b, err2 := model.Read(base)
	if err1 != nil || err2 != nil || name != "form" && name != "contract" {
		return false
	}
	f, err := a.Manifest()
	if err != nil {
		return false
	}
	in := a.Subgraphs[0].Tensors[a.Subgraphs[0].Inputs[0]].Shape
	r, err := Rewrite(b, hashOf(base), Options{Input: [2]int{int(in[1]), int(in[2])}, OutputStride: f.OutputStride, Form: Form(f.Form), Contract: Contract(f.Contract)})
	if err != nil {
		return false
	}
	was, err := model.Read(dense)
	if err != nil {
		return false
	}
	x, err1 := canonicalOf(r.Model)
	y, err2 := canonicalOf(was)
	return err1 == nil && err2 == nil && x.sha() == y.sha()
}

// TestNoAlteredFileIsProved: each alteration of each kind, on the bundled nets
// and on random ones of three types; the file as it was rewritten is proved.
func TestNoAlteredFileIsProved(t *testing.T) {
	files := 0
	used := map[string]int{}
	subs := subjects(t, enginetest.Share(t, 20))
	for _, p := range subs {
		if s := proves(t, p.base, p.dense); !s.proven {
			t.Errorf("%s as it was rewritten: %s", p.name, s.why)
			continue
		}
		m, err := model.Read(p.dense)
		if err != nil {
			t.Fatal(err)
		}
		for k, x := range append(graphAlterations(), lies()...) {
			b := altered(t, m, x, uint64(k))
			if b == nil {
				continue
			}
			files++
			used[x.name]++
			if s := proves(t, p.base, b); (s.proven || s.why == "") && !asTrue(x.name, b, p.dense, p.base) {
				t.Errorf("%s, %s: proved (%q)", p.name, x.name, s.why)
			}
		}
	}
	t.Logf("%d altered files", files)
	for _, x := range append(graphAlterations(), lies()...) {
		if used[x.name] == 0 {
			t.Errorf("alteration %q was never applied", x.name)
		}
	}
	if files < 20*len(subs) {
		t.Errorf("only %d altered files", files)
	}
}
