package rewrite

import (
	"testing"

	"edged/fallback"
	"edged/model"
)

// A branch that a slice cuts to one element is added to another one: resized to
// the frame, the baseline adds that element everywhere, which no window of it
// does. The proof runs the file as it is then, and finds the right net right.
func TestABaselineThatCannotBeResizedIsRunAsItIs(t *testing.T) {
	b := newMaker(61, model.TypeInt8)
	x := b.conv(b.input(9, 9, 2), 4, square(8, 1))
	one := b.Slice(b.conv(x, 3, square(1, 1)), []int{0, 0, 0, 0}, []int{1, 1, 1, 3})
	m := b.Model(b.Name(b.Add(b.conv(x, 3, square(2, 1)), one, model.ActNone), "sum"))
	base, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []Form{Dilated, Shifts} {
		r, err := Rewrite(m, hashOf(base), Options{Form: form, Input: [2]int{14, 13}})
		if err != nil {
			t.Fatal(err)
		}
		dense, err := r.Model.Write()
		if err != nil {
			t.Fatal(err)
		}
		if v, err := Verify(base, dense, fallback.Open, VerifyOptions{}); err != nil || v.Level != Proved {
			t.Errorf("%s: %v, %+v", form, err, v)
		}
	}
}
