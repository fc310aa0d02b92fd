package tomlfile

import (
	"fmt"

	"github.com/pelletier/go-toml/v2/unstable"
)

// index notes where every key stands. data has passed go-toml's own reading,
// so an error here is impossible.
func (f *File) index(data []byte) {
	x := indexer{file: f, last: map[string]int{}}
	x.parser.Reset(data)
	table := ""
	for x.parser.NextExpression() {
		switch e := x.parser.Expression(); e.Kind {
		case unstable.Table:
			table = x.walkKey("", e.Key(), false)
		case unstable.ArrayTable:
			table = x.walkKey("", e.Key(), true)
		case unstable.KeyValue:
			x.keyValue(table, e)
		}
	}
	if err := x.parser.Error(); err != nil {
		panic("BUG: tomlfile: go-toml reads the file, its parser does not: " + err.Error())
	}
}

type indexer struct {
	file   *File
	parser unstable.Parser
	last   map[string]int // index of the last element of each array of tables
}

// walkKey follows a dotted key from the table at path and notes its parts.
// With open the last part starts a new element of an array of tables.
func (x *indexer) walkKey(path string, key unstable.Iterator, open bool) string {
	for key.Next() {
		path = join(path, string(key.Node().Data))
		x.note(path, key.Node())
		n, isArray := x.last[path]
		if open && key.IsLast() {
			if isArray {
				n++
			}
			x.last[path], isArray = n, true
		}
		if isArray {
			path = fmt.Sprintf("%s[%d]", path, n)
			x.note(path, key.Node())
		}
	}
	return path
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// note keeps the first place of a path.
func (x *indexer) note(path string, n *unstable.Node) {
	if _, ok := x.file.at[path]; ok {
		return
	}
	start := x.parser.Shape(n.Raw).Start
	x.file.at[path] = position{start.Line, start.Column}
}

func (x *indexer) keyValue(table string, e *unstable.Node) {
	x.value(x.walkKey(table, e.Key(), false), e.Value())
}

// value notes the keys inside of inline tables and arrays of them.
func (x *indexer) value(path string, v *unstable.Node) {
	children := v.Children()
	switch v.Kind {
	case unstable.InlineTable:
		for children.Next() {
			if c := children.Node(); c.Kind == unstable.KeyValue {
				x.keyValue(path, c)
			}
		}
	case unstable.Array:
		for i := 0; children.Next(); {
			if c := children.Node(); c.Kind != unstable.Comment {
				x.value(fmt.Sprintf("%s[%d]", path, i), c)
				i++
			}
		}
	}
}
