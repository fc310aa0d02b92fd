// Command notice writes the attributions that the linked modules ask for, from
// what the go command says the programs contain.
//
//go:generate go run . -o ../../../NOTICE
package main

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	out := flag.String("o", "", "the `file` to write")
	flag.Parse()
	text, err := notice()
	if err == nil {
		err = os.WriteFile(*out, []byte(text), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notice:", err)
		os.Exit(1)
	}
}

// programs are what is handed out, and the tags they are built with.
var (
	programs    = []string{"./cmd/edged", "./cmd/edged-camera"}
	programTags = "tflite,opencv,customenv,gocv_specific_modules,gocv_videoio"
)

const noticeHead = `edged
Licensed under the Apache License, Version 2.0: see LICENSE.

bin/edged and bin/edged-camera contain the Go modules below, each under the terms
that follow it, and Go's own library, whose terms are those of golang.org/x/sys.
Made by 'go generate ./internal/setup/notice' from go.mod.

libtensorflowlite_c.so, which 'make install' places beside them, is TensorFlow
Lite 2.9, Copyright The TensorFlow Authors, under the Apache License 2.0. It contains

  absl, flatbuffers, gemmlowp, ruy   Copyright Google LLC; Apache License 2.0
  XNNPACK                            Copyright Facebook, Inc. and its affiliates, Google LLC; BSD, three clauses
  cpuinfo, pthreadpool, clog         Copyright Google LLC, Facebook Inc., Georgia Institute of Technology; BSD, two clauses
  FP16, FXdiv, psimd                 Copyright Facebook Inc., Georgia Institute of Technology, Marat Dukhan; MIT
  farmhash                           Copyright Google, Inc.; MIT
  fft2d                              Copyright Takuya OOURA, 1996-2001
  Eigen                              Mozilla Public License 2.0; source: https://gitlab.com/libeigen/eigen

with the texts of those licences as they are printed below. OpenCV, to which
bin/edged-camera is linked, is the system's own package with its own attributions.
`

// goModule is what one Go module asks to be told.
type goModule struct{ path, version, dir string }

// terms are a licence's text and the modules that come under it.
type terms struct {
	text  string
	under []string // module, then its copyright lines
}

// notice is the file NOTICE.
func notice() (string, error) {
	modules, err := linked()
	if err != nil {
		return "", err
	}
	all := map[string]*terms{}
	for _, m := range modules {
		if err := m.addTo(all); err != nil {
			return "", err
		}
	}
	var b strings.Builder
	b.WriteString(noticeHead)
	byModule := func(a, b *terms) int { return cmp.Or(cmp.Compare(a.under[0], b.under[0]), cmp.Compare(a.text, b.text)) }
	for _, t := range slices.SortedFunc(maps.Values(all), byModule) {
		fmt.Fprintf(&b, "\n%s\n\n%s\n\n%s\n", strings.Repeat("-", 78), strings.Join(t.under, "\n"), t.text)
	}
	return b.String(), nil
}

// linked asks the go command for the modules of the programs, on any of the
// machines that they are built for.
func linked() ([]goModule, error) {
	found := map[goModule]bool{}
	for _, arch := range []string{"amd64", "arm64"} {
		args := []string{"list", "-deps", "-tags", programTags, "-f", `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}`}
		cmd := exec.Command("go", append(args, programs...)...)
		cmd.Dir = "../../.."
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOOS=linux", "GOARCH="+arch)
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		for line := range strings.Lines(string(out)) {
			if f := strings.SplitN(strings.TrimSpace(line), " ", 3); len(f) == 3 {
				found[goModule{f[0], f[1], f[2]}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b goModule) int { return cmp.Compare(a.path, b.path) }), nil
}

// termsFile matches the names under which modules keep what they ask to be told.
var termsFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)([-.].*)?$`)

// addTo files the module's texts.
func (m goModule) addTo(all map[string]*terms) error {
	files, err := os.ReadDir(m.dir)
	if err != nil {
		return err
	}
	some := false
	for _, f := range files {
		if f.IsDir() || !termsFile.MatchString(f.Name()) || strings.HasSuffix(f.Name(), "-link.txt") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.dir, f.Name()))
		if err != nil {
			return err
		}
		some = true
		m.file(all, string(text))
	}
	if !some {
		return fmt.Errorf("module %s has no licence in %s: say in notice/main.go what it asks for", m.path, m.dir)
	}
	return nil
}

// holder matches a line that names who holds the rights.
var holder = regexp.MustCompile(`(?i)^\W*(portions )?copyright( \(c\)| ©)? *(©|\(c\)|\d{4}|the |all )`)

// file puts text with those that differ in the holders alone.
func (m goModule) file(all map[string]*terms, text string) {
	var holders, body []string
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "")) {
		if line = strings.TrimRight(line, " \t\n"); holder.MatchString(line) {
			holders = append(holders, "    "+strings.TrimSpace(line))
		} else {
			body = append(body, line)
		}
	}
	words := strings.ToLower(strings.Join(strings.Fields(strings.Join(body, " ")), " "))
	t := all[words]
	if t == nil {
		t = &terms{text: strings.Trim(strings.Join(body, "\n"), "\n")}
		all[words] = t
	}
	t.under = append(append(t.under, m.path+" "+m.version), holders...)
}
