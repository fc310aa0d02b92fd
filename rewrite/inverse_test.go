package rewrite

import (
	"bytes"
	"slices"
	"testing"

	"edged/model"

	"github.com/google/go-cmp/cmp"
)

// written brings a model through its file, as every user sees it.
func written(t *testing.T, m *model.Model) *model.Model {
	t.Helper()
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	r, err := model.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// dump is a model's text without manifest and buffers' numbers.
func dump(t *testing.T, m *model.Model) string {
	t.Helper()
	c := m.Clone()
	if err := c.SetManifest(nil); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := c.Dump(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func inverseCases() map[string]struct {
	m *model.Model
	o Options
} {
	type c = struct {
		m *model.Model
		o Options
	}
	return map[string]c{
		"pools":            {poolNet(1, model.TypeInt8, 46, 41), Options{}},
		"fragments":        {poolNet(1, model.TypeFloat32, 46, 41), Options{Form: Fragments}},
		"shifts":           {poolNet(1, model.TypeUint8, 46, 41), Options{Form: Shifts}},
		"shifts of a head": {vggLike(model.TypeFloat32), Options{Form: Shifts, Input: [2]int{30, 30}}},
		"vgg":              {vggLike(model.TypeInt8), Options{Input: [2]int{40, 40}}},
		"mobilenet":        {mobileNetLike(model.TypeFloat32, true), Options{Contract: Frame, Input: [2]int{40, 40}}},
		"resnet":           {resNetLike(), Options{OutputStride: [2]int{2, 2}}},
		"torch":            {torchLike(), Options{Input: [2]int{31, 29}}},
		"keras":            {kerasLike(), Options{}},
		"float16":          {halfWeights(), Options{}},
		"unet":             {uNetLike(1), Options{}},
		"shuffled":         {shuffled(), Options{}},
	}
}

// TestInverseGivesTheBaselineBack: from the dense file alone, the same
// operators, options, shapes, types, quantisation and weights.
func TestInverseGivesTheBaselineBack(t *testing.T) {
	for name, c := range inverseCases() {
		t.Run(name, func(t *testing.T) {
			base := written(t, c.m)
			r, err := Rewrite(base, "00", c.o)
			if err != nil {
				t.Fatal(err)
			}
			back, err := Inverse(written(t, r.Model))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(dump(t, base), dump(t, written(t, back))); d != "" {
				t.Errorf("the baseline (-) came back as (+):\n%s", d)
			}
		})
	}
}

// TestInverseCarriesChangedWeights: what fine-tuning did to the dense file
// appears in the baseline; no copy hides in the file.
func TestInverseCarriesChangedWeights(t *testing.T) {
	base := written(t, torchLike())
	r, err := Rewrite(base, "00", Options{Input: [2]int{31, 29}})
	if err != nil {
		t.Fatal(err)
	}
	dense := written(t, r.Model)
	changed := 0
	for _, s := range dense.Subgraphs[0].Tensors {
		if s.Type == model.TypeFloat32 && dense.Data(s) != nil {
			b := slices.Clone(dense.Data(s))
			for i := range b {
				b[i] ^= 0x11
			}
			dense.Buffers[s.Buffer] = &model.Buffer{Data: b}
			changed++
		}
	}
	back, err := Inverse(dense)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for i, s := range base.Subgraphs[0].Tensors {
		if s.Type != model.TypeFloat32 || base.Data(s) == nil {
			continue
		}
		want := slices.Clone(base.Data(s))
		for i := range want {
			want[i] ^= 0x11
		}
		if !bytes.Equal(back.Data(back.Subgraphs[0].Tensors[i]), want) {
			t.Errorf("weight %q did not change with the dense file", s.Name)
		}
		seen++
	}
	if seen == 0 || changed < seen {
		t.Errorf("%d weights changed, %d seen", changed, seen)
	}
}

// TestRecipeHoldsNoWeights: nets of one structure and different weights have
// the same recipe, byte for byte.
func TestRecipeHoldsNoWeights(t *testing.T) {
	recipeOf := func(flip byte) []byte {
		m := written(t, resNetLike())
		for _, s := range m.Subgraphs[0].Tensors {
			if s.Type == model.TypeFloat32 && m.Data(s) != nil {
				b := slices.Clone(m.Data(s))
				for i := range b {
					b[i] ^= flip
				}
				m.Buffers[s.Buffer] = &model.Buffer{Data: b}
			}
		}
		r, err := Rewrite(m, "00", Options{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := r.Model.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		return f.Inverse
	}
	a, b := recipeOf(0), recipeOf(0x55)
	if !bytes.Equal(a, b) {
		t.Errorf("recipes differ where only weights do: %d and %d bytes", len(a), len(b))
	}
}

func TestInverseNeedsARecipe(t *testing.T) {
	if _, err := Inverse(poolNet(1, model.TypeFloat32, 46, 41)); asRefusal(err) == nil {
		t.Errorf("error %v, want a refusal", err)
	}
}
