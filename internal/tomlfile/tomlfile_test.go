package tomlfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type level struct{ name string }

func (l *level) UnmarshalText(b []byte) error {
	if string(b) == "bad" {
		return errors.New("no such level")
	}
	l.name = string(b)
	return nil
}

type inner struct {
	Class string    `toml:"class"`
	Score *float64  `toml:"min_score"`
	Sizes []float64 `toml:"sizes"`
}

type outer struct {
	Node struct {
		Name  string `toml:"name"`
		Port  int    `toml:"port"`
		Quick bool   `toml:"quick"`
	} `toml:"node"`
	Cameras []struct {
		Name  string  `toml:"name"`
		Level level   `toml:"level"`
		Rules []inner `toml:"rule"`
		Box   inner   `toml:"box"`
	} `toml:"camera"`
}

func TestDecodeFillsEveryKind(t *testing.T) {
	var got outer
	f := Decode("x.toml", []byte(`
[node]
name = "n"
port = 8080
quick = true
[[camera]]
name = "a"
level = "high"
box = { class = "c", sizes = [1, 2.5] }
[[camera.rule]]
class = "r"
min_score = 1
[[camera]]
name = "b"
`), &got)
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	if got.Node.Name != "n" || got.Node.Port != 8080 || !got.Node.Quick || len(got.Cameras) != 2 {
		t.Fatalf("got %+v", got)
	}
	a := got.Cameras[0]
	if a.Level.name != "high" || a.Box.Class != "c" || !cmp.Equal(a.Box.Sizes, []float64{1, 2.5}) {
		t.Errorf("camera %+v", a)
	}
	if len(a.Rules) != 1 || a.Rules[0].Score == nil || *a.Rules[0].Score != 1 || got.Cameras[1].Rules != nil {
		t.Errorf("rules %+v", got.Cameras)
	}
	if !f.Has("camera[0].rule[0].class") || f.Has("camera[1].rule[0].class") {
		t.Error("Has is wrong about rules")
	}
}

func TestDecodeTellsEveryFaultWithItsPlace(t *testing.T) {
	var got outer
	f := Decode("x.toml", []byte(`[node]
nmae = "n"
port = "eighty"
  quick = 3
[[camera]]
name = "a"
[[camera]]
level = "bad"
box = { class = 7, clas = "x", sizes = [1, "b"] }
[[camera.rule]]
  zzzzzzzzzz = 1
[unheard_of]
`), &got)
	f.Addf("camera[1].name", "camera without a name")
	f.Addf("camera[1].rule[0].zzzzzzzzzz", "later check")
	want := []string{
		`2:1: unknown key "nmae"; did you mean "name"?`,
		`3:1: node.port: want a whole number, got the string "eighty"`,
		`4:3: node.quick: want true or false, got 3`,
		`7:3: camera without a name`,
		`8:1: camera[1].level: no such level`,
		`9:9: camera[1].box.class: want a string, got 7`,
		`9:20: unknown key "clas"; did you mean "class"?`,
		`9:32: camera[1].box.sizes[1]: want a number, got the string "b"`,
		`11:3: unknown key "zzzzzzzzzz"; known here: class, min_score, sizes`,
		`11:3: later check`,
		`12:2: unknown key "unheard_of"; known here: camera, node`,
	}
	var lines []string
	for _, fault := range f.Faults() {
		lines = append(lines, fault.String())
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if err := f.Err(); err == nil || !strings.HasPrefix(err.Error(), "x.toml:2:1: unknown key") {
		t.Errorf("Err: %v", err)
	}
}

// Tables, lists and values in each other's place are told, and a list of inline
// tables is as good as one of [[tables]].
func TestDecodeOfOtherShapes(t *testing.T) {
	for text, want := range map[string]string{
		"camera = 3":                          "x.toml:1:1: camera: want a list, got 3",
		"camera = ['a']":                      `x.toml:1:1: camera[0]: want a table, got the string "a"`,
		"[camera]\nname = 'a'":                "x.toml:1:2: camera: want a list, got a table",
		"node = [1]":                          "x.toml:1:1: node: want a table, got a list",
		"[node]\nname = ['a']":                "x.toml:2:1: node.name: want a string, got a list",
		"[[camera]]\nlevel = true":            "x.toml:2:1: camera[0].level: want a string, got true",
		"[[camera]]\nbox = { sizes = 1 }":     "x.toml:2:9: camera[0].box.sizes: want a list, got 1",
		"camera = [{name = 'a', level = 3}]":  "",
		"camera = [{rule = [{class = 'c'}]}]": "",
	} {
		var got outer
		err := Decode("x.toml", []byte(text), &got).Err()
		if want == "" && (err != nil || len(got.Cameras) != 1) || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%q: %v, want %q; %+v", text, err, want, got)
		}
	}
}

func TestSyntaxErrorHasItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		"a = \"b\"\nc = = 1\n":            "x.toml:2:5:",
		"[node]\nname = \"unclosed\nx=1":  "x.toml:2:",
		"[node]\nname='a'\n name = 'b'\n": "x.toml:3:2:",
	} {
		var got outer
		if err := Decode("x.toml", []byte(text), &got).Err(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s...", text, err, want)
		}
	}
}

func TestFaultWithoutAPlace(t *testing.T) {
	f := Decode("x.toml", nil, &outer{})
	f.Addf("node.name", "node.name is missing")
	if err := f.Err(); err == nil || err.Error() != "x.toml: node.name is missing" {
		t.Errorf("Err: %v", err)
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"rotate", "rotate", 0}, {"rotat", "rotate", 1}, {"souce", "source", 1}, {"nmae", "name", 1}, {"modle", "model", 1}, {"modle", "idle", 2}, {"ab", "", 2}} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("%q -> %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("[node]\nname = 'a'\n[[camera]]\nbox = {class='x'}\n"))
	f.Add([]byte("node = [{a=[1,{b=2}]}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var o outer
		for _, fault := range Decode("x", data, &o).Faults() {
			if fault.Text == "" {
				t.Error("a fault without words")
			}
		}
	})
}
