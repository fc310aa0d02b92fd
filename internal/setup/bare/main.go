// Command bare prints the packages that a machine without cgo builds or tests
// differently from one with everything: `make test` runs all of them with
// everything, and those again without.
//
// A package is named when a file of its code, its own or one it imports of ours,
// is not the same file in both builds, or when it has a test file that the full
// build leaves out. What its tests alone import does not count: they look at the
// same code. What is left differs in the standard library's resolver alone.
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

// list asks for every package, and whose tests there are.
func list(env, tags string) (map[string]listed, error) {
	cmd := exec.Command("go", "list", "-e", "-deps", "-tags", tags,
		"-json=ImportPath,Standard,Deps,GoFiles,CgoFiles,SFiles,TestGoFiles,XTestGoFiles", "./...")
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
// speak for.
func different(full, bare map[string]listed) (names []string) {
	for path, p := range bare {
		if len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 && !spokenFor(full, bare, path) {
			names = append(names, "./"+strings.TrimPrefix(strings.TrimPrefix(path, "edged"), "/"))
		}
	}
	slices.Sort(names)
	return names
}

func spokenFor(full, bare map[string]listed, path string) bool {
	p, f := bare[path], full[path]
	if !subset(p.TestGoFiles, f.TestGoFiles) || !subset(p.XTestGoFiles, f.XTestGoFiles) {
		return false
	}
	for _, dep := range append(p.Deps, path) {
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
