package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
)

const mqttHead = `# MQTT reference

Generated from [the schemas](../mqtt/schema). Do not edit: ` + "`go generate ./internal/docgen`" + ` makes it again.
What the messages are for, and how to place a mask on a frame: [Masks over MQTT](3-masks-over-mqtt.md).

Topics are written with the default prefix ` + "`edged`" + `. Keys with a * are always there. Keys that you do not know: ignore them.
`

// pageOrder is the order of the schemas in the reference, the most read first;
// others follow by name.
var pageOrder = []string{"result", "event", "status", "info", "stats", "request", "response", "enabled"}

// node is what the reference shows of a JSON Schema.
type node struct {
	Title         string           `json:"title"`
	Description   string           `json:"description"`
	Type          string           `json:"type"`
	Const         any              `json:"const"`
	Enum          []any            `json:"enum"`
	Pattern       string           `json:"pattern"`
	Minimum       *float64         `json:"minimum"`
	Maximum       *float64         `json:"maximum"`
	MinItems      *int             `json:"minItems"`
	MaxItems      *int             `json:"maxItems"`
	MaxLength     *int             `json:"maxLength"`
	Required      []string         `json:"required"`
	Properties    map[string]*node `json:"properties"`
	Items         *node            `json:"items"`
	Additional    json.RawMessage  `json:"additionalProperties"` // an object or false
	PropertyNames *node            `json:"propertyNames"`
	OneOf         []*node          `json:"oneOf"`

	order []string // keys as the file has them
}

// mqttPage is the MQTT reference made from the schemas.
func mqttPage(files fs.FS) (string, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	var page strings.Builder
	page.WriteString(mqttHead)
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return "", err
		}
		var n node
		if err := json.Unmarshal(data, &n); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		writePayload(&page, strings.TrimSuffix(name, ".json"), &n)
	}
	return page.String(), nil
}

func rank(file string) int {
	if i := slices.Index(pageOrder, strings.TrimSuffix(file, ".json")); i >= 0 {
		return i
	}
	return len(pageOrder)
}

func writePayload(page *strings.Builder, name string, n *node) {
	fmt.Fprintf(page, "\n## %s\n\n%s\n\n", name, placeholders(n.Title))
	of := n
	switch {
	case n.Items != nil && n.Items.Properties != nil:
		fmt.Fprintf(page, "The payload is a JSON list%s. Each of it:\n\n", atMost(n))
		of = n.Items
	case n.Properties == nil:
		fmt.Fprintf(page, "The payload is text: %s.\n", kindOf(n))
		return
	}
	page.WriteString("| key | type | what |\n|---|---|---|\n")
	writeKeys(page, "", of)
}

// placeholders keeps <node> and the like from being taken for HTML: a word with
// a slash is a topic.
func placeholders(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		if core := strings.TrimRight(w, ",;:)"); strings.Contains(core, "/") {
			words[i] = "`" + core + "`" + w[len(core):]
		}
	}
	return strings.Join(words, " ")
}

// writeKeys writes a line for every key of an object, and below it those of
// what it holds.
func writeKeys(page *strings.Builder, at string, n *node) {
	if same := alike(n); same != nil {
		writeKey(page, at+"<"+strings.Join(n.order, "\\|")+">", same, true)
		return
	}
	for _, key := range n.order {
		writeKey(page, at+key, n.Properties[key], slices.Contains(n.Required, key))
	}
}

func writeKey(page *strings.Builder, at string, n *node, always bool) {
	star := ""
	if always {
		star = "*"
	}
	fmt.Fprintf(page, "| `%s`%s | %s | %s |\n", at, star, kindOf(n), cell(n.Description))
	below, path := inner(n, at)
	if below != nil && below.Properties != nil {
		writeKeys(page, path+".", below)
	}
}

// alike is the one schema that all keys of an object share, nil where they
// differ: the ledger has one account for each kind of message.
func alike(n *node) *node {
	var first *node
	for _, p := range n.Properties {
		if first != nil && !reflect.DeepEqual(first, p) {
			return nil
		}
		first = p
	}
	if len(n.Properties) < 3 || first.Properties == nil {
		return nil
	}
	return first
}

// inner is the object that a value is, or is made of, and the path to it.
func inner(n *node, at string) (*node, string) {
	switch {
	case len(n.OneOf) == 2 && n.OneOf[0].Type == "null":
		return inner(n.OneOf[1], at)
	case n.Items != nil:
		return inner(n.Items, at+"[]")
	case n.Properties != nil:
		return n, at
	case n.each() != nil:
		return inner(n.each(), at+"."+nameOf(n.PropertyNames))
	}
	return nil, at
}

// each is the schema of a map's values, nil where the value is no map.
func (n *node) each() *node {
	if len(n.Additional) == 0 || n.Additional[0] != '{' {
		return nil
	}
	var v node
	if json.Unmarshal(n.Additional, &v) != nil {
		return nil
	}
	return &v
}

// nameOf is a placeholder for the keys of a map.
func nameOf(n *node) string {
	switch {
	case n == nil:
		return "<name>"
	case n.Pattern == idPattern:
		return "<cam>"
	case len(n.Enum) > 0:
		return "<reason>"
	}
	return "<name>"
}

// UnmarshalJSON keeps the order of the keys, which is the one to read them in.
func (n *node) UnmarshalJSON(data []byte) error {
	type plain node
	if err := json.Unmarshal(data, (*plain)(n)); err != nil {
		return err
	}
	var raw struct {
		Properties orderedKeys `json:"properties"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	n.order = raw.Properties
	if len(n.order) != len(n.Properties) {
		return fmt.Errorf("a key stands twice among %v", slices.Sorted(maps.Keys(n.Properties)))
	}
	return nil
}

// orderedKeys reads the keys of an object as they stand in the text.
type orderedKeys []string

// UnmarshalJSON takes the keys and skips the values.
func (k *orderedKeys) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(strings.NewReader(string(data)))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return err
		}
		*k = append(*k, fmt.Sprint(key))
	}
	return nil
}
