package main

import (
	"fmt"
	"regexp"
	"strings"
)

const configHead = `# Config reference

Generated from [the sample](../internal/config/sample.toml), which ` + "`edged check --sample`" + ` prints. Do not edit:
` + "`go generate ./internal/docgen`" + ` makes it again.

One TOML file. An unknown key is an error with line, column and the nearest known key. Relative paths are relative to the folder that the
file is in. The value shown is the sample's; what a key is when it is left out stands beside it where it differs.
`

var (
	tableLine = regexp.MustCompile(`^(\[+[a-z_.]+\]+) *(?:# *(.*))?$`)
	keyLine   = regexp.MustCompile(`^([a-z_]+) *= *(.*)$`)
)

// sampleReader walks the sample line by line and writes a table for each of
// its sections.
type sampleReader struct {
	page    strings.Builder
	comment []string // comment lines that wait for what they stand before
	table   bool     // a section has its head
	keys    int
}

// configPage is the config reference made from the sample.
func configPage(sample string) (string, error) {
	var r sampleReader
	r.page.WriteString(configHead)
	for i, line := range strings.Split(sample, "\n") {
		if err := r.line(strings.TrimSpace(line)); err != nil {
			return "", fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if r.keys == 0 {
		return "", fmt.Errorf("no key in it")
	}
	return r.page.String(), nil
}

func (r *sampleReader) line(line string) error {
	section, key := tableLine.FindStringSubmatch(line), keyLine.FindStringSubmatch(line)
	switch {
	case line == "":
		if !r.table { // the head of the file speaks of no key
			r.comment = nil
		}
	case line[0] == '#':
		r.comment = append(r.comment, strings.TrimSpace(line[1:]))
	case section != nil:
		r.section(section[1], section[2])
	case key != nil && r.table:
		r.key(key[1], key[2])
	default:
		return fmt.Errorf("%q is neither a section, a key of one, nor a comment", line)
	}
	return nil
}

func (r *sampleReader) section(name, comment string) {
	fmt.Fprintf(&r.page, "\n## %s\n\n", strings.Trim(name, "[]"))
	if text := strings.TrimSpace(r.takeComment() + " " + comment); text != "" {
		fmt.Fprintf(&r.page, "%s\n\n", text)
	}
	fmt.Fprintf(&r.page, "`%s`\n\n| key | example | what |\n|---|---|---|\n", name)
	r.table = true
}

func (r *sampleReader) key(name, rest string) {
	value, comment := splitComment(rest)
	text := strings.TrimSpace(r.takeComment() + " " + comment)
	fmt.Fprintf(&r.page, "| `%s` | `%s` | %s |\n", name, cell(value), cell(text))
	r.keys++
}

func (r *sampleReader) takeComment() string {
	text := strings.Join(r.comment, " ")
	r.comment = nil
	return text
}

// splitComment parts a value from the comment behind it; a # inside of a
// string is none.
func splitComment(s string) (value, comment string) {
	quoted := false
	for i, c := range s {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '#' && !quoted:
			return strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1:])
		}
	}
	return strings.TrimSpace(s), ""
}

// cell is text that a Markdown table takes.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
