package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	linkPattern = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	codePattern = regexp.MustCompile("`[^`]*`")
	pathPattern = regexp.MustCompile("`((?:cmd|internal|fallback|model|rewrite|tflite|capture|mqtt|systemd|train|docs)/[^` ]*)`")
	headPattern = regexp.MustCompile(`^#{1,6} +(.*)$`)
)

// brokenLinks lists the links of every Markdown page below root that lead to no
// file, or to no heading of the page they name, and the files of ours that it
// names and that are not there. Links to other hosts are not
// followed: the network is no part of a test.
func brokenLinks(root string) ([]string, error) {
	pages, err := markdownPages(root)
	if err != nil {
		return nil, err
	}
	var broken []string
	for name, page := range pages {
		for _, link := range page.links {
			if why := page.follow(root, name, link, pages); why != "" {
				broken = append(broken, fmt.Sprintf("%s: %s: %s", name, link, why))
			}
		}
		for _, p := range page.paths {
			if found, err := filepath.Glob(filepath.Join(root, p)); err != nil || len(found) == 0 {
				broken = append(broken, fmt.Sprintf("%s: %s: no such file", name, p))
			}
		}
	}
	return broken, nil
}

// markdown is what the check of links needs to know of a page.
type markdown struct {
	links   []string
	paths   []string // files and folders of ours that the prose names
	anchors map[string]bool
	merging bool // both sides of a merge stand in it
}

// markdownPages reads every .md file below root, by its path from there. What is
// fetched, built or a test's input is passed by.
func markdownPages(root string) (map[string]*markdown, error) {
	pages := map[string]*markdown{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin" || d.Name() == "dist") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(p) != ".md" {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		pages[filepath.ToSlash(name)] = parseMarkdown(string(text))
		return err
	})
	return pages, err
}

// parseMarkdown finds the links and headings outside of code.
func parseMarkdown(text string) *markdown {
	m := &markdown{anchors: map[string]bool{}}
	fenced := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		m.merging = m.merging || strings.HasPrefix(line, "<<<<<<< ") || strings.HasPrefix(line, ">>>>>>> ")
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if fenced {
			continue
		}
		if head := headPattern.FindStringSubmatch(line); head != nil {
			m.anchors[m.free(anchorOf(head[1]))] = true
		}
		for _, p := range pathPattern.FindAllStringSubmatch(line, -1) {
			m.paths = append(m.paths, p[1])
		}
		for _, link := range linkPattern.FindAllStringSubmatch(codePattern.ReplaceAllString(line, "``"), -1) {
			m.links = append(m.links, link[1])
		}
	}
	return m
}

// free is an anchor as a host numbers it when a heading stands twice.
func (m *markdown) free(anchor string) string {
	name := anchor
	for i := 1; m.anchors[name]; i++ {
		name = fmt.Sprintf("%s-%d", anchor, i)
	}
	return name
}

// anchorOf is the fragment that GitHub and GitLab give a heading.
func anchorOf(heading string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case c == ' ':
			b.WriteByte('-')
		case c == '-' || c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c):
			b.WriteRune(c)
		}
	}
	return b.String()
}

// follow says why a link of the page called name leads nowhere, empty where it
// leads somewhere.
func (m *markdown) follow(root, name, link string, pages map[string]*markdown) string {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return ""
	}
	file, anchor, _ := strings.Cut(link, "#")
	target := name
	if file != "" {
		target = path.Join(path.Dir(name), file)
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
		return "no such file"
	}
	if anchor == "" {
		return ""
	}
	if page := pages[target]; page == nil || !page.anchors[anchor] {
		return "no such heading"
	}
	return ""
}

func TestLinksOfEveryPageLeadSomewhere(t *testing.T) {
	broken, err := brokenLinks("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Error(b)
	}
}

// No page holds both sides of a merge.
func TestPagesAreMerged(t *testing.T) {
	pages, err := markdownPages("../..")
	if err != nil {
		t.Fatal(err)
	}
	pages["a page with both sides"] = parseMarkdown("# A\n<<<<<<< HEAD\none\n=======\nother\n>>>>>>> branch\n")
	for name, page := range pages {
		if page.merging != (name == "a page with both sides") {
			t.Errorf("%s: holds both sides of a merge: %v", name, page.merging)
		}
	}
}

// Every page is reached from README.
func TestEveryPageIsReached(t *testing.T) {
	pages, err := markdownPages("../..")
	if err != nil {
		t.Fatal(err)
	}
	reached := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if pages[name] == nil || reached[name] {
			return
		}
		reached[name] = true
		for _, link := range pages[name].links {
			file, _, _ := strings.Cut(link, "#")
			visit(path.Join(path.Dir(name), file))
		}
	}
	visit("README.md")
	for name := range pages {
		if strings.HasPrefix(name, "docs/") && !reached[name] {
			t.Errorf("no link leads from README.md to %s", name)
		}
	}
}

// The test of the test: each kind of broken link is found, and good ones are not.
func TestBrokenLinksAreFound(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("README.md", "# A\n## Two words, `code`\n## A\n[good](docs/a.md) [good](docs/a.md#b) [good](#two-words-code) [good](#a-1) [good](https://x.y/z) [good](docs)\n"+
		"[bad](docs/none.md) [bad](docs/a.md#none) [bad](#none) `[code](none)` `docs/*.md` `docs/none.go`\n```\n[code](none)\n# none\n```\n")
	write("docs/a.md", "# B\n[good](../README.md)\n[bad](README.md)\n")
	write("testdata/b.md", "[not looked at](none)\n")
	got, err := brokenLinks(root)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	want := []string{"README.md: #none: no such heading", "README.md: docs/a.md#none: no such heading", "README.md: docs/none.go: no such file", "README.md: docs/none.md: no such file", "docs/a.md: README.md: no such file"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
