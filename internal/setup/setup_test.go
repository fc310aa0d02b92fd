//go:build tools

// Package setup_test runs what stands in this folder as a stranger's machine
// would: without Go, with an old Go, with tests that fail.
package setup_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// bin is a folder that stands for PATH: the named programs of this machine, and
// scripts.
func bin(t *testing.T, programs []string, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range programs {
		real, err := exec.LookPath(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(dir, p)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/bash\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A machine that cannot build edged says so in its first line, with the cure,
// and before anything is installed.
func TestMakeBuildNeedsGo(t *testing.T) {
	elsewhere := bin(t, nil, map[string]string{"go": ""})
	for name, c := range map[string]struct{ dirs, script, says, cure string }{
		"none":            {t.TempDir(), "", "there is no go in PATH", "https://go.dev/dl/"},
		"not in PATH":     {elsewhere, "", elsewhere + ", which is not in PATH", "export PATH=" + elsewhere},
		"Debian's":        {"", `echo "go version go1.19.8 linux/amd64"`, "is Go 1.19", "https://go.dev/dl/"},
		"last year's":     {"", `echo "go version go1.25.9 linux/arm64"`, "is Go 1.25", "https://go.dev/dl/"},
		"cannot fetch it": {"", `echo "go: download go1.26 for linux/amd64: dial tcp: no such host" >&2; exit 1`, "could not fetch it: go: download", "https://go.dev/dl/"},
	} {
		t.Run(name, func(t *testing.T) {
			scripts := map[string]string{"apt-get": "echo INSTALLS"}
			if c.script != "" {
				scripts["go"] = c.script
			}
			cmd := exec.Command("make", "build")
			cmd.Dir = "../.."
			cmd.Env = []string{"EDGED_GO_DIRS=" + c.dirs, "HOME=/nowhere",
				"PATH=" + bin(t, []string{"make", "bash", "sed", "sort", "head", "dirname", "realpath", "git", "env", "dpkg"}, scripts)}
			out, err := cmd.CombinedOutput()
			lines := strings.SplitN(string(out), "\n", 3)
			if err == nil || len(lines) < 3 || !strings.HasPrefix(lines[0], "make: edged is built with Go 1.") || !strings.Contains(lines[0], c.says) || !strings.Contains(string(out), c.cure) {
				t.Errorf("%v, want %q and %q first:\n%s", err, c.says, c.cure, out)
			}
			if strings.Contains(string(out), "INSTALLS") {
				t.Errorf("it installs before it says so:\n%s", out)
			}
		})
	}
}

// script runs a script of steps in a folder of its own module.
func script(t *testing.T, text string) (out string, ok bool) {
	t.Helper()
	steps, err := filepath.Abs("steps.sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, body := range map[string]string{
		"go.mod":           "module edged\n\ngo 1.26\n",
		"good/a_test.go":   "package good\n\nimport \"testing\"\n\nfunc TestGood(t *testing.T) {}\n",
		"bad/a_test.go":    "package bad\n\nimport \"testing\"\n\nfunc TestGood(t *testing.T) {}\nfunc TestBad(t *testing.T) { t.Run(\"sub\", func(t *testing.T) { t.Error(\"it is bad: \\x00\\xff\") }) }\nfunc TestWorse(t *testing.T) { t.Fatal(\"worse\") }\n",
		"broken/a_test.go": "package broken\n\nfunc TestBroken(t *testing.T) {}\n",
		"nothing/a.go":     "package nothing\n",
		"run":              "cd " + dir + "\n. " + steps + "\n" + text,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := exec.Command("bash", filepath.Join(dir, "run")).CombinedOutput()
	return string(b), err == nil
}

// A step that fails keeps no later one from running; the summary tells the
// steps, their times, go test's own lines and what repeats each failure alone, also
// where a failure prints bytes that are no text.
func TestSummaryOfFailures(t *testing.T) {
	out, ok := script(t, `
step "first"
run "ulimit -t 2; while :; do :; done" && run "echo never"
step "second"
tests "A=1 go test -vet=off" ./...
step "third"
tests "go test" ./bad Bad/sub
step "fourth"
run "echo went on"
summary`)
	if ok {
		t.Error("it exits with 0")
	}
	_, summary, found := strings.Cut(out, "== summary: ")
	for _, want := range []string{
		`FAIL +\d+:\d\d +0:0[1-9]  first\n`, `FAIL +\S+ +\S+  second\n`, `FAIL +\S+ +\S+  third\n`, `ok +\S+ +\S+  fourth\n`,
		`(?m)^--- FAIL: TestBad `, `(?m)^ok  \tedged/good\t`, `(?m)^FAIL\tedged/bad\t`, `(?m)^FAIL\tedged/broken \[`,
		`(?m)^  ulimit -t 2; while`,
		`(?m)^  A=1 go test -vet=off \./bad -count 1 -run '\^\(TestBad\|TestWorse\)\$'$`,
		`(?m)^  A=1 go test -vet=off \./broken -count 1$`,
		`(?m)^  go test \./bad -count 1 -run 'Bad/sub'$`,
	} {
		if !regexp.MustCompile(want).MatchString(summary) {
			t.Errorf("the summary lacks %s", want)
		}
	}
	if !strings.Contains(out, "went on") || strings.Contains(out, "never") || strings.Contains(out, "no test files") || !found {
		t.Error("not every step ran, or one ran too much")
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestSummaryOfSuccess(t *testing.T) {
	out, ok := script(t, "step one\ntests 'go test' ./good\nsummary")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); !ok || !strings.HasPrefix(lines[len(lines)-1], "ok  \tedged/good\t") || strings.Contains(out, "FAILED") {
		t.Errorf("exit with 0: %v; go test's own lines are not the last:\n%s", ok, out)
	}
}
