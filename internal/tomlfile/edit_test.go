package tomlfile

import (
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

const written = `# top
title = "a # b" # behind
[[camera]] # first
name = "one"   # its name
roi = [ # many
  1, 2, # lines
]
# before the rule
[[camera.rule]]
class = 'x'
# end`

// A text that is cut and put together is the same, to the newline at its end.
func TestDocKeepsEverything(t *testing.T) {
	for _, text := range []string{written + "\n", "", "\n# only\n", "a = \"\"\"\nx = 1\n[no]\n\"\"\"\nb = '''\n#'''\n", "a = {b = [1, \"]\"]} # x\r\nc = 1\r\n"} {
		if got := ParseDoc(text).String(); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestDocSets(t *testing.T) {
	d := ParseDoc(written)
	c := d.Tables[1]
	c.Set("name", `"two"`)
	c.Set("roi", "[1,2]") // says the same: stays
	c.Set("model", `"m"`)
	c.Set("gone", "")
	d.Tables[2].Set("class", "")
	d.Insert(3, "camera.rule", true).Set("class", Quote("q\"\n"))
	want := strings.Replace(written, `"one"`, `"two"`, 1)
	want = strings.Replace(want, "]\n# before", "]\nmodel = \"m\"\n# before", 1)
	want = strings.Replace(want, "class = 'x'\n", "", 1) + "\n\n[[camera.rule]]\nclass = \"q\\\"\\u000A\"\n"
	if got := d.String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	d.Remove(d.Tables[2])
	if got := d.String(); !strings.Contains(got, "# end") || strings.Count(got, "[[camera.rule]]") != 1 {
		t.Errorf("%s", got)
	}
	var tree map[string]any
	if err := toml.Unmarshal([]byte(d.String()), &tree); err != nil {
		t.Error(err)
	}
}

// Whatever go-toml reads is cut without loss.
func FuzzDoc(f *testing.F) {
	f.Add(written)
	f.Add("a.b = [[1], ['x]']]\n[t.'q']\n")
	f.Fuzz(func(t *testing.T, text string) {
		var tree map[string]any
		if toml.Unmarshal([]byte(text), &tree) != nil {
			return
		}
		if got := ParseDoc(text).String(); got != text && got != text+"\n" {
			t.Errorf("%q became %q", text, got)
		}
	})
}
