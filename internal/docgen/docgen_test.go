package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const docs = "../../docs"

// The reference pages say what the sample and the schemas say now.
func TestReferencesAreCurrent(t *testing.T) {
	pages, err := makePages()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(strings.Split(string(got), "\n"), strings.Split(want, "\n")); diff != "" {
			t.Errorf("docs/%s is old: run 'go generate ./internal/docgen' and commit it (-there +new)\n%s", name, diff)
		}
	}
}

// A key without a word about it is not documented.
func TestEveryKeyIsExplained(t *testing.T) {
	pages, err := makePages()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range pages {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "| `") && strings.HasSuffix(line, "|  |\n") {
				t.Errorf("%s: nothing is said of %s", name, line)
			}
		}
	}
}

func TestRunWritesEveryPage(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"reference-config.md", "reference-mqtt.md"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestConfigPage(t *testing.T) {
	got, err := configPage("# about the file\n\n[node] # behind\nname = \"a#b\"  # why | where\n\n# two\n# lines\n[[camera.rule]]\n# before\nhold = 3\n")
	if err != nil {
		t.Fatal(err)
	}
	want := "\n## node\n\nbehind\n\n`[node]`\n\n| key | example | what |\n|---|---|---|\n| `name` | `\"a#b\"` | why \\| where |\n" +
		"\n## camera.rule\n\ntwo lines\n\n`[[camera.rule]]`\n\n| key | example | what |\n|---|---|---|\n| `hold` | `3` | before |\n"
	if diff := cmp.Diff(configHead+want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigPageNamesTheLineItCannotRead(t *testing.T) {
	for sample, want := range map[string]string{
		"[node]\nname: \"x\"\n": "line 2",
		"name = \"x\"\n":        "line 1", // a key of no section
		"":                      "no key",
	} {
		if _, err := configPage(sample); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", sample, err, want)
		}
	}
}

func TestMQTTPage(t *testing.T) {
	got, err := mqttPage(fstest.MapFS{
		"yy.json":     {Data: []byte(`{"title": "list", "type": "array", "maxItems": 9, "items": {"properties": {"k": {"type": "boolean"}}}}`)},
		"zz.json":     {Data: []byte(`{"title": "last", "enum": ["ON", ""]}`)},
		"result.json": {Data: []byte(`{"title": "One: a/<b>, and c/d", "type": "object", "required": ["z"], "properties": {"z": {"type": "integer", "minimum": 1, "description": "x|y"}, "a": {"oneOf": [{"type": "null"}, {"type": "object", "properties": {"k": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}}}}]}, "m": {"type": "object", "additionalProperties": {"type": "object", "properties": {"n": {"const": 2}}}}}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := mqttHead + "\n## result\n\nOne: `a/<b>`, and `c/d`\n\n| key | type | what |\n|---|---|---|\n" +
		"| `z`* | integer, from 1 | x\\|y |\n| `a` | object or null |  |\n| `a.k` | list of 2: number |  |\n" +
		"| `m` | object: name to object |  |\n| `m.<name>.n` | always `2` |  |\n" +
		"\n## yy\n\nlist\n\nThe payload is a JSON list of at most 9. Each of it:\n\n| key | type | what |\n|---|---|---|\n| `k` | boolean |  |\n" +
		"\n## zz\n\nlast\n\nThe payload is text: `ON`, `\"\"`.\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := mqttPage(fstest.MapFS{"a.json": {Data: []byte(`{"properties": {"a": 1}}`)}}); err == nil || !strings.Contains(err.Error(), "a.json") {
		t.Errorf("a schema that is none: %v", err)
	}
}
