package main

import (
	"slices"
	"testing"
)

// Named are those whose own code differs, whose import differs, and who have a
// test that the full build leaves out; not those who merely have fewer tests.
func TestDifferent(t *testing.T) {
	pkg := func(name string, files, tests []string) map[string]listed {
		return map[string]listed{
			name:           {ImportPath: name, GoFiles: files, TestGoFiles: tests},
			name + ".test": {ImportPath: name + ".test", ForTest: "", Deps: []string{"fmt", name + " [" + name + ".test]"}},
		}
	}
	build := func(stub string, tests []string) map[string]listed {
		all := map[string]listed{}
		for _, p := range []map[string]listed{
			pkg("edged/same", []string{"a.go"}, tests[:1]),
			pkg("edged/stub", []string{stub}, []string{"a_test.go"}),
			pkg("edged/user", []string{"a.go"}, []string{"a_test.go"}),
			pkg("edged/only", []string{"a.go"}, tests),
			pkg("edged/none", []string{stub}, nil),
		} {
			for name, l := range p {
				all[name] = l
			}
		}
		user := all["edged/user.test"]
		user.Deps = append(user.Deps, "edged/stub")
		all["edged/user.test"] = user
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
