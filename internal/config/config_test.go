package config

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edged/internal/tomlfile"
)

// The sample explains every key, and loads.
func TestSampleHoldsEveryKey(t *testing.T) {
	c := Parse("sample.toml", Sample, engines)
	if err := c.file.Err(); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, c.file, "node", reflect.TypeFor[Node]())
	checkKeys(t, c.file, "mqtt", reflect.TypeFor[MQTT]())
	checkKeys(t, c.file, "camera[0]", reflect.TypeFor[Camera](), "line") // a line camera has little of what others have
	checkKeys(t, c.file, "camera[1].line", reflect.TypeFor[Line]())
	checkKeys(t, c.file, "camera[0].prepare", reflect.TypeFor[Prepare]())
	checkKeys(t, c.file, "camera[0].output", reflect.TypeFor[Output]())
	checkKeys(t, c.file, "camera[0].quality", reflect.TypeFor[Quality]())
	checkKeys(t, c.file, "camera[0].rule[0]", reflect.TypeFor[Rule]())
}

func checkKeys(t *testing.T, f *tomlfile.File, table string, of reflect.Type, but ...string) {
	t.Helper()
	for i := range of.NumField() {
		if path := table + "." + of.Field(i).Tag.Get("toml"); !f.Has(path) && !slices.Contains(but, of.Field(i).Tag.Get("toml")) {
			t.Errorf("the sample lacks %s", path)
		}
	}
}

// What the sample says a default is, must be one.
func TestSampleShowsTheDefaults(t *testing.T) {
	c, d := Parse("sample.toml", Sample, engines), Default()
	c.MQTT.SpoolDir, c.MQTT.Broker = d.MQTT.SpoolDir, d.MQTT.Broker // these two it sets
	if diff := cmp.Diff(d.MQTT, c.MQTT); diff != "" {
		t.Errorf("[mqtt] (-default +sample):\n%s", diff)
	}
	if c.Node.Prefix != d.Node.Prefix || c.Node.HTTP != d.Node.HTTP {
		t.Errorf("[node] %+v, defaults %+v", c.Node, d.Node)
	}
	var cam Camera
	cam.WithDefaults()
	if got := c.Cameras[0]; got.Fit != cam.Fit || got.Trigger != cam.Trigger || got.Engine != cam.Engine || got.Rotate != cam.Rotate {
		t.Errorf("[[camera]] %+v, defaults %+v", got, cam)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{"12": 12, "64KiB": 65536, "1.5 MiB": 3 << 19, "2MB": 2e6, "1GiB": 1 << 30, "5B": 5} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "MB", "-1", "12 parsecs", "1e30GiB"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, s)
		}
	}
}

// TestEngineByItsOtherName: an alias is taken, and stands for the name.
func TestEngineByItsOtherName(t *testing.T) {
	text := "[[camera]]\nname = \"a\"\nsource = \"test:belt\"\nmodel = \"m.tflite\"\nengine = \"fallback\"\n"
	c := Parse("edged.toml", []byte(text), engines)
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	if got := c.Cameras[0].Engine; got != "go" {
		t.Errorf("engine %q, want go", got)
	}
}
