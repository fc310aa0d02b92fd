// Command bare prints the packages that a machine without cgo builds or tests
// differently from one with everything: `make test` runs all of them with
// everything, and those again without.
//
// A package is named when a file of the code that its tests run, its own or one
// it imports of ours, is not the same file in both builds, or when it has a test
// file that the full build leaves out. What is left differs in the standard
// library's resolver alone.
//
//	bare "TAG TAG..."
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// listed is what go list tells of a package.
type listed struct {
	ImportPath                                           string
	Standard                                             bool
	ForTest                                              string
	Deps                                                 []string
	GoFiles, CgoFiles, SFiles, TestGoFiles, XTestGoFiles []string
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, `bare: usage: bare "TAG TAG..."`)
		os.Exit(2)
	}
	full, err := list("CGO_ENABLED=1", os.Args[1])
	if err == nil {
		var bare map[string]listed
		if bare, err = list("CGO_ENABLED=0", ""); err == nil {
			fmt.Println(strings.Join(different(full, bare), " "))
			return
		}
	}
	fmt.Fprintln(os.Stderr, "bare:", err)
	os.Exit(1)
}

// list asks for every package of ours and what its tests import.
func list(env, tags string) (map[string]listed, error) {
	cmd := exec.Command("go", "list", "-e", "-deps", "-test", "-tags", tags,
		"-json=ImportPath,Standard,ForTest,Deps,GoFiles,CgoFiles,SFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Env = append(os.Environ(), env)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	all := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if !p.Standard {
			all[p.ImportPath] = p
		}
	}
}

// different names, as arguments of go test, the packages that full does not
// speak for. A test's main package, x.test, depends on all that its tests run.
func different(full, bare map[string]listed) (names []string) {
	for path, main := range bare {
		name, isTest := strings.CutSuffix(path, ".test")
		if !isTest || main.ForTest != "" && main.ForTest != name {
			continue
		}
		if p := bare[name]; len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 && !spokenFor(full, bare, name, main) {
			names = append(names, "./"+strings.TrimPrefix(strings.TrimPrefix(name, "edged"), "/"))
		}
	}
	slices.Sort(names)
	return names
}

func spokenFor(full, bare map[string]listed, name string, main listed) bool {
	p, f := bare[name], full[name]
	if !subset(p.TestGoFiles, f.TestGoFiles) || !subset(p.XTestGoFiles, f.XTestGoFiles) {
		return false
	}
	for _, dep := range append(main.Deps, name) {
		dep, _, _ = strings.Cut(dep, " [") // recompiled for a test: the same files and the test's own
		if p, ours := bare[dep]; ours && !sameCode(p, full[dep]) {
			return false
		}
	}
	return true
}

func subset(part, whole []string) bool {
	return !slices.ContainsFunc(part, func(s string) bool { return !slices.Contains(whole, s) })
}

func sameCode(p, f listed) bool {
	return slices.Equal(p.GoFiles, f.GoFiles) && slices.Equal(p.CgoFiles, f.CgoFiles) && slices.Equal(p.SFiles, f.SFiles)
}
