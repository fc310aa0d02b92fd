package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"edged/capture"
	"edged/internal/pipeline"
)

// The page on cameras has every reason why a frame leads to no result. Nobody can
// ask the daemon to refuse black frames, so that one does not come.
func TestCamerasPageHasEveryReason(t *testing.T) {
	page, err := os.ReadFile("../../docs/2-cameras.md")
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for r := pipeline.Refusal(0); !strings.HasPrefix(r.String(), "Refusal("); r++ {
		reasons = append(reasons, r.String())
	}
	for f := range reflect.TypeFor[capture.Refusals]().Fields() {
		if name := f.Tag.Get("json"); name != "black" {
			reasons = append(reasons, name)
		}
	}
	if len(reasons) < 8 {
		t.Errorf("reasons %q: this test looks at nothing", reasons)
	}
	for _, reason := range reasons {
		if !strings.Contains(string(page), "| `"+reason+"` |") {
			t.Errorf("docs/2-cameras.md does not tell what %q means", reason)
		}
	}
}

// Troubleshooting names every line that doctor can print, with its cure in
// doctor's own words.
func TestTroubleshootingHasEveryAnswerOfDoctor(t *testing.T) {
	page := troubleshooting(t)
	calls := callsOf(t, "doctor.go", "add")
	if len(calls) < 20 {
		t.Fatalf("%d answers in doctor.go: this test looks at nothing", len(calls))
	}
	for _, call := range calls {
		for i, name := range literals(call.Args[0]) {
			if i == 0 && !strings.Contains(page, "| `"+strings.TrimSpace(name)) {
				t.Errorf("docs/7-troubleshooting.md has no line for %q", name)
			}
		}
		for _, cure := range literals(call.Args[3]) {
			if !strings.Contains(page, strings.Trim(cure, "; ")) {
				t.Errorf("docs/7-troubleshooting.md lacks the cure %q", cure)
			}
		}
	}
}

func troubleshooting(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/7-troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Troubleshooting has each reason why a broker does not take edged in, with its
// cure, in one line.
func TestTroubleshootingHasEveryFaultOfABroker(t *testing.T) {
	page, seen := troubleshooting(t), 0
	files, err := filepath.Glob("../../mqtt/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, answer := range returnsOf(parsed, "diagnose") {
			seen++
			if line := strings.Join(answer, " | "); !strings.Contains(page, line) {
				t.Errorf("docs/7-troubleshooting.md has no line %q", line)
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d diagnoses in package mqtt: this test looks at nothing", seen)
	}
}

// returnsOf lists the strings of each return of a function, none where the file
// has no such function.
func returnsOf(file *ast.File, name string) (answers [][]string) {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == name {
			ast.Inspect(f, func(n ast.Node) bool {
				if r, ok := n.(*ast.ReturnStmt); ok {
					answers = append(answers, literals(r))
				}
				return true
			})
		}
	}
	return answers
}

// callsOf lists the calls of a method with four arguments in a file of this folder.
func callsOf(t *testing.T, file, method string) (calls []*ast.CallExpr) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if s, ok := call.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == method && len(call.Args) == 4 {
			calls = append(calls, call)
		}
		return true
	})
	return calls
}

// literals lists the strings that a piece of code puts together.
func literals(e ast.Node) (list []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if s, err := strconv.Unquote(l.Value); err == nil && strings.TrimSpace(s) != "" {
				list = append(list, s)
			}
		}
		return true
	})
	return list
}
