package kernel

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write README.md's table")

// rooms hold a type Routines: one row a routine.
var rooms = []string{"vec", "picture", "gemm", "conv"}

// columns are the instruction sets, the file that tables their routines, the
// tables, and the column that serves where there are none.
var columns = []struct {
	name, file string
	tables     []string
	below      int
}{
	{name: "avx2", file: "routines_amd64.go", tables: []string{"avx2"}, below: -1},
	{name: "avx512", file: "routines_amd64.go", tables: []string{"avx512", "vnni"}, below: 0},
	{name: "neon", file: "routines_arm64.go", tables: []string{"neon"}, below: -1},
	{name: "neondot", file: "routines_arm64.go", tables: []string{"neondot"}, below: 2},
}

// TestReadmeShowsTheRoutines holds README.md's table against the sources.
func TestReadmeShowsTheRoutines(t *testing.T) {
	const begin, end = "<!-- the table: go test ./internal/kernel -update -->\n", "<!-- its end -->\n"
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	old, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatal("README.md has no place for the table")
	}
	table := routineTable(t)
	if *update {
		if err := os.WriteFile("README.md", []byte(head+begin+table+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != table {
		t.Errorf("README.md's table is stale: go test ./internal/kernel -update\n%s", lineDiff(old, table))
	}
	// Boards get no slower for a routine that only amd64 has.
	if n := strings.Count(table, "**Go**"); n > 0 {
		t.Errorf("%d cells of the table have portable Go: write the routine for that instruction set too", n)
	}
}

// lineDiff lists the lines that only one of two texts has.
func lineDiff(old, now string) string {
	var b strings.Builder
	a, c := strings.SplitAfter(old, "\n"), strings.SplitAfter(now, "\n")
	for _, l := range a {
		if !slices.Contains(c, l) {
			b.WriteString("-" + l)
		}
	}
	for _, l := range c {
		if !slices.Contains(a, l) {
			b.WriteString("+" + l)
		}
	}
	return b.String()
}

// The test of the test: a row that is gone and one that is new are shown.
func TestLineDiffShowsWhatDiffers(t *testing.T) {
	if got, want := lineDiff("a\nb\nc\n", "a\nc\nd\n"), "-b\n+d\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	have := []map[string]bool{{"x": true}, {}, {}, {"x": true}}
	if got := []string{cell(have, 0, "x"), cell(have, 1, "x"), cell(have, 2, "x"), cell(have, 1, "y")}; !slices.Equal(got, []string{"yes", "as avx2", "**Go**", "**Go**"}) {
		t.Errorf("%q", got)
	}
}

// routineTable is the table as README.md has it.
func routineTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| room | routine |")
	for _, c := range columns {
		b.WriteString(" " + c.name + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, room := range rooms {
		var have []map[string]bool
		for _, c := range columns {
			have = append(have, keysOf(t, filepath.Join(room, c.file), c.tables))
		}
		for _, row := range rowsOf(t, filepath.Join(room, "routines.go")) {
			fmt.Fprintf(&b, "| %s | %s |", room, row)
			for i := range columns {
				b.WriteString(" " + cell(have, i, row) + " |")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// cell tells what computes a row in column i.
func cell(have []map[string]bool, i int, row string) string {
	below := columns[i].below
	switch {
	case have[i][row]:
		return "yes"
	case below >= 0 && have[below][row]:
		return "as " + columns[below].name
	}
	return "**Go**"
}

// rowsOf lists the fields of type Routines that hold routines.
func rowsOf(t *testing.T, path string) (rows []string) {
	for _, d := range parse(t, path).Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE || g.Specs[0].(*ast.TypeSpec).Name.Name != "Routines" {
			continue
		}
		for _, f := range g.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType).Fields.List {
			for _, n := range f.Names {
				if n.Name != "variant" && n.Name != "vec" {
					rows = append(rows, n.Name)
				}
			}
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s: no rows", path)
	}
	return rows
}

// keysOf gives the rows that the tables of a file have.
func keysOf(t *testing.T, path string, tables []string) map[string]bool {
	keys := map[string]bool{}
	ast.Inspect(parse(t, path), func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 || !slices.Contains(tables, v.Names[0].Name) {
			return true
		}
		for _, e := range v.Values[0].(*ast.CompositeLit).Elts {
			keys[e.(*ast.KeyValueExpr).Key.(*ast.Ident).Name] = true
		}
		return false
	})
	return keys
}

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
