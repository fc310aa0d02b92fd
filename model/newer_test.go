package model_test

import (
	"testing"

	"edged/internal/enginetest"
	"edged/model"
)

// A certificate made for a graph is none for the same graph with a field that
// a newer runtime may obey.
func TestGraphWithANewerFieldIsAnotherOne(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 2, 2, 1)
	file, err := b.Model(b.Op(model.OpRelu, nil, x)).Write()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range [][]byte{file, enginetest.WithField(file, 14, 2, 0, 3, 0), enginetest.WithField(file, 15, 2, 0, 3, 0)} {
		m, err := model.Read(f)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := m.GraphSHA256()
		if err != nil || seen[sum] {
			t.Errorf("%v: hash %s, %v", m.Unknown, sum, err)
		}
		seen[sum] = true
	}
}
