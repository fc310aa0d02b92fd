//go:build !arm64

// What the sources say is the same on every machine: an emulated one is spared.

package kernel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExportedNamesAreUsed: what no other package names is no part of a room's
// face. String is fmt's.
func TestExportedNamesAreUsed(t *testing.T) {
	folders := sources(t)
	for _, room := range append([]string{"cpu"}, rooms...) {
		used := map[string]bool{"String": true}
		for folder, files := range folders {
			if filepath.Base(folder) == room || !slices.ContainsFunc(files, func(f *ast.File) bool { return importsRoom(f, room) }) {
				continue
			}
			for _, f := range files {
				ast.Inspect(f, func(n ast.Node) bool { return note(used, n) })
			}
		}
		for _, f := range folders[filepath.Join("../..", "internal", "kernel", room)] {
			for _, name := range exportedOf(f) {
				if !used[name] && !imports(f, "testing") {
					t.Errorf("no other package uses %s.%s: write it small", room, name)
				}
			}
		}
	}
}

// The test of the test: a name that is not used is found.
func TestExportedOfFindsNames(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "", `package p
func Used() *Result { return nil }
func (t T) Method() {}
type Result struct { Field, field int }
type hidden struct { Field int }
var V, w = 1, 2`, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := exportedOf(f); !slices.Equal(got, []string{"Used", "Method", "Field", "V"}) {
		t.Errorf("%q", got)
	}
}

// sources are the program's files and tests by folder, without the generator.
func sources(t *testing.T) map[string][]*ast.File {
	folders := map[string][]*ast.File{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "gen" || d.Name() != ".." && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasPrefix(d.Name(), "z"):
			folders[filepath.Dir(path)] = append(folders[filepath.Dir(path)], parse(t, path))
		}
		return nil
	})
	if err != nil || len(folders) < 20 {
		t.Fatalf("%d folders, %v: this test looks at nothing", len(folders), err)
	}
	return folders
}

// importsRoom says that f sees a room, by itself or through the sets of routines.
func importsRoom(f *ast.File, room string) bool {
	return imports(f, "edged/internal/kernel/"+room) || imports(f, "edged/internal/kernel")
}

func imports(f *ast.File, path string) bool {
	return slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"`+path+`"` })
}

// note keeps the names after a dot, and the fields of composite literals.
func note(names map[string]bool, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		names[n.Sel.Name] = true
	case *ast.KeyValueExpr:
		if id, ok := n.Key.(*ast.Ident); ok {
			names[id.Name] = true
		}
	}
	return true
}

// exportedOf lists a file's exported names, methods and fields among them, but for
// types that its exported functions return: whoever calls those uses them.
func exportedOf(f *ast.File) (names []string) {
	returned := map[string]bool{}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names = append(names, d.Name.Name)
			if d.Name.IsExported() {
				ast.Inspect(d.Type, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						returned[id.Name] = true
					}
					return true
				})
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				names = append(names, namesOf(s)...)
			}
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return !ast.IsExported(name) || returned[name] })
}

// namesOf are those that a declaration gives, of an exported struct its fields too.
func namesOf(s ast.Spec) (names []string) {
	ids := []*ast.Ident{}
	switch s := s.(type) {
	case *ast.ValueSpec:
		ids = s.Names
	case *ast.TypeSpec:
		ids = append(ids, s.Name)
		if st, ok := s.Type.(*ast.StructType); ok && s.Name.IsExported() {
			for _, field := range st.Fields.List {
				ids = append(ids, field.Names...)
			}
		}
	}
	for _, id := range ids {
		names = append(names, id.Name)
	}
	return names
}
