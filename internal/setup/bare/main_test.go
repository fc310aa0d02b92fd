package main

import (
	"slices"
	"testing"
)

// Named are those whose own code differs, whose import differs, and who have a
// test that the full build leaves out; not those who merely have fewer tests.
func TestDifferent(t *testing.T) {
	build := func(stub string, tests []string) map[string]listed {
		all := map[string]listed{}
		for _, p := range []listed{
			{ImportPath: "edged/same", GoFiles: []string{"a.go"}, TestGoFiles: tests[:1]},
			{ImportPath: "edged/stub", GoFiles: []string{stub}, TestGoFiles: []string{"a_test.go"}},
			{ImportPath: "edged/user", GoFiles: []string{"a.go"}, TestGoFiles: []string{"a_test.go"}, Deps: []string{"fmt", "edged/stub"}},
			{ImportPath: "edged/only", GoFiles: []string{"a.go"}, TestGoFiles: tests},
			{ImportPath: "edged/none", GoFiles: []string{stub}},
		} {
			all[p.ImportPath] = p
		}
		return all
	}
	full, bare := build("cgo.go", []string{"a_test.go", "cgo_test.go"}), build("stub.go", []string{"a_test.go", "bare_test.go"})
	if got, want := different(full, bare), []string{"./only", "./stub", "./user"}; !slices.Equal(got, want) {
		t.Errorf("different: %q, want %q", got, want)
	}
	if got := different(full, full); got != nil {
		t.Errorf("the same build twice: %q", got)
	}
}
