package tomlfile

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Doc is a file's text cut into tables and lines, so that keys can be set while
// everything else, comments above all, stays as it was written. It knows the
// plain way of writing: [table], [[table]] and key = value lines; who edits must
// look whether the text then says what it should.
type Doc struct{ Tables []*Table }

// Table is a header with the lines below it. The first of a file has no header.
type Table struct {
	Path  string // "camera.rule"; empty: the top of the file
	Array bool   // [[path]]
	lines []line
}

// line is a piece of text that ends in a newline: a key with its value, which may
// take several lines of the file, or anything else.
type line struct {
	text       string
	key        string // empty: no key
	begin, end int    // of the value in text
}

// ParseDoc cuts a text that go-toml reads without a fault.
func ParseDoc(text string) *Doc {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	d := &Doc{Tables: []*Table{{}}}
	for text != "" {
		n := strings.IndexByte(text, '\n') + 1
		trimmed := strings.TrimSpace(text[:n])
		table := d.Tables[len(d.Tables)-1]
		switch {
		case trimmed == "" || trimmed[0] == '#':
			table.lines = append(table.lines, line{text: text[:n]})
		case trimmed[0] == '[':
			name, _, _ := strings.Cut(strings.TrimLeft(trimmed, "["), "]")
			table = &Table{Path: strings.ReplaceAll(name, " ", ""), Array: strings.HasPrefix(trimmed, "[[")}
			table.lines = append(table.lines, line{text: text[:n]})
			d.Tables = append(d.Tables, table)
		default:
			l := keyLine(text)
			n = len(l.text)
			table.lines = append(table.lines, l)
		}
		text = text[n:]
	}
	return d
}

// keyLine cuts the key, its value and what stands behind it from the front.
func keyLine(text string) line {
	eq := strings.IndexByte(text, '=')
	if eq < 0 {
		n := strings.IndexByte(text, '\n') + 1
		return line{text: text[:n]}
	}
	l := line{key: strings.TrimSpace(text[:eq]), begin: eq + 1}
	for l.begin < len(text) && (text[l.begin] == ' ' || text[l.begin] == '\t') {
		l.begin++
	}
	l.end = l.begin + valueLength(text[l.begin:])
	rest := strings.IndexByte(text[l.end:], '\n')
	l.text = text[:l.end+rest+1]
	for l.end > l.begin && (text[l.end-1] == ' ' || text[l.end-1] == '\t' || text[l.end-1] == '\r') {
		l.end--
	}
	return l
}

// valueLength is how far a value reaches: to a comment or the line's end outside of
// its strings and brackets.
func valueLength(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case '"', '\'':
			i += stringLength(s[i:]) - 1
		case '#':
			if depth == 0 {
				return i
			}
			i += strings.IndexByte(s[i:], '\n')
		case '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(s)
}

// stringLength is the length of the string that s begins with, its quotes included.
func stringLength(s string) int {
	quote := s[:1]
	if strings.HasPrefix(s, strings.Repeat(quote, 3)) {
		quote = s[:3]
	}
	for i := len(quote); i < len(s); i++ {
		if s[i] == '\\' && quote[0] == '"' {
			i++
		} else if strings.HasPrefix(s[i:], quote) {
			return i + len(quote)
		}
	}
	return len(s)
}

func (d *Doc) String() string {
	var b strings.Builder
	for _, t := range d.Tables {
		for _, l := range t.lines {
			b.WriteString(l.text)
		}
	}
	return b.String()
}

// Get is the text of a key's value, empty where the table does not set it.
func (t *Table) Get(key string) string {
	for _, l := range t.lines {
		if l.key == key {
			return l.text[l.begin:l.end]
		}
	}
	return ""
}

// Set gives a key another value: the text of one. Where that says the same as before
// nothing changes. A key that is new comes behind the others; an empty value takes
// the key away.
func (t *Table) Set(key, value string) {
	last := 0
	for i := range t.lines {
		l := &t.lines[i]
		if l.key != "" || i == 0 && t.Path != "" {
			last = i + 1
		}
		if l.key != key {
			continue
		}
		switch {
		case value == "":
			t.lines = append(t.lines[:i], t.lines[i+1:]...)
		case !sameValue(l.text[l.begin:l.end], value):
			l.text = l.text[:l.begin] + value + l.text[l.end:]
			l.end = l.begin + len(value)
		}
		return
	}
	if value == "" {
		return
	}
	head := key + " = "
	l := line{text: head + value + "\n", key: key, begin: len(head), end: len(head) + len(value)}
	t.lines = append(t.lines[:last], append([]line{l}, t.lines[last:]...)...)
}

// sameValue tells whether two texts are one value.
func sameValue(a, b string) bool {
	var x, y struct{ V any }
	return toml.Unmarshal([]byte("V = "+a), &x) == nil && toml.Unmarshal([]byte("V = "+b), &y) == nil && reflect.DeepEqual(x, y)
}

// Insert puts a new table at a place among the others.
func (d *Doc) Insert(at int, path string, array bool) *Table {
	head := "\n[" + path + "]\n"
	if array {
		head = "\n[[" + path + "]]\n"
	}
	if at == 1 && len(d.Tables[0].lines) == 0 {
		head = head[1:]
	}
	t := &Table{Path: path, Array: array, lines: []line{{text: head}}}
	d.Tables = append(d.Tables[:at], append([]*Table{t}, d.Tables[at:]...)...)
	return t
}

// Remove takes a table away; its comments stay where they were.
func (d *Doc) Remove(t *Table) {
	for i, one := range d.Tables {
		if one != t {
			continue
		}
		before := d.Tables[i-1]
		for _, l := range t.lines {
			if strings.HasPrefix(strings.TrimSpace(l.text), "#") {
				before.lines = append(before.lines, l)
			}
		}
		d.Tables = append(d.Tables[:i], d.Tables[i+1:]...)
		return
	}
}

// Quote is a text as TOML writes it.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}
