package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edged"
	"edged/internal/pipeline"
	"edged/internal/tomlfile"
	"edged/model"
)

func fullManifest() *model.Manifest {
	return &model.Manifest{
		Schema: 1, Labels: []string{"a", "b"},
		Input:  model.Input{ChannelOrder: "BGR", Mean: []float64{1}, Scale: []float64{2}},
		Output: model.Output{Tensor: "o", Meaning: "sigmoid", Threshold: 0.25},
		Grid:   model.Grid{Stride: [2]float64{2, 4}, Origin: [2]float64{1, 3}},
	}
}

func fullCamera() *CameraConfig {
	threshold := 0.25
	return &CameraConfig{
		Labels:  []string{"a", "b"},
		Prepare: &PrepareConfig{ChannelOrder: "bgr", Mean: []float64{1}, Scale: []float64{2}},
		Output: &OutputConfig{Tensor: "o", Meaning: "sigmoid", Threshold: &threshold,
			Stride: []float64{2, 4}, Origin: []float64{1, 3}},
	}
}

func TestFactsComeFromEitherPlace(t *testing.T) {
	want := facts{
		order: edged.BGR, mean: []float64{1}, scale: []float64{2}, tensor: "o", meaning: pipeline.Probabilities,
		threshold: 0.25, labels: []string{"a", "b"}, grid: edged.Grid{Stride: [2]float64{2, 4}, Origin: [2]float64{1, 3}},
	}
	for name, from := range map[string]struct {
		m *model.Manifest
		c *CameraConfig
	}{
		"manifest": {fullManifest(), &CameraConfig{}},
		"config":   {nil, fullCamera()},
		"both":     {fullManifest(), fullCamera()},
	} {
		got, err := gatherFacts(from.m, from.c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(facts{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMissingFactsAreAllNamed(t *testing.T) {
	_, err := gatherFacts(nil, &CameraConfig{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, fact := range []string{"input.channel_order", "input.mean", "input.scale", "output.meaning", "labels", "grid.stride"} {
		if !strings.Contains(err.Error(), fact+" is not known") {
			t.Errorf("%s is not named in: %v", fact, err)
		}
	}
}

func TestContradictingFactsAreNamed(t *testing.T) {
	threshold := 0.5
	for fact, change := range map[string]func(*CameraConfig){
		"input.channel_order": func(c *CameraConfig) { c.Prepare.ChannelOrder = "RGB" },
		"input.mean":          func(c *CameraConfig) { c.Prepare.Mean = []float64{1, 1, 1} },
		"input.scale":         func(c *CameraConfig) { c.Prepare.Scale = []float64{3} },
		"output.tensor":       func(c *CameraConfig) { c.Output.Tensor = "p" },
		"output.meaning":      func(c *CameraConfig) { c.Output.Meaning = "logits" },
		"output.threshold":    func(c *CameraConfig) { c.Output.Threshold = &threshold },
		"labels":              func(c *CameraConfig) { c.Labels = []string{"b", "a"} },
		"grid":                func(c *CameraConfig) { c.Output.Origin = []float64{0, 0} },
	} {
		c := fullCamera()
		change(c)
		_, err := gatherFacts(fullManifest(), c)
		if err == nil || !strings.Contains(err.Error(), fact+" = ") || !strings.Contains(err.Error(), "contradict") {
			t.Errorf("%s: %v", fact, err)
		}
	}
}

func TestChooseOutput(t *testing.T) {
	two := []edged.Spec{{Name: "a"}, {Name: "b"}}
	if i, err := chooseOutput(two, "b"); i != 1 || err != nil {
		t.Errorf("b: %d, %v", i, err)
	}
	if i, err := chooseOutput(two[:1], ""); i != 0 || err != nil {
		t.Errorf("the only one: %d, %v", i, err)
	}
	for _, tensor := range []string{"", "c"} {
		if _, err := chooseOutput(two, tensor); err == nil || !strings.Contains(err.Error(), "output.tensor") {
			t.Errorf("%q: %v", tensor, err)
		}
	}
}

// The sample explains every key, and loads.
func TestSampleHoldsEveryKey(t *testing.T) {
	c := parseConfig("sample.toml", sample)
	if err := c.file.Err(); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, c.file, "node", reflect.TypeFor[NodeConfig]())
	checkKeys(t, c.file, "mqtt", reflect.TypeFor[MQTTConfig]())
	checkKeys(t, c.file, "camera[0]", reflect.TypeFor[CameraConfig]())
	checkKeys(t, c.file, "camera[0].prepare", reflect.TypeFor[PrepareConfig]())
	checkKeys(t, c.file, "camera[0].output", reflect.TypeFor[OutputConfig]())
	checkKeys(t, c.file, "camera[0].rule[0]", reflect.TypeFor[RuleConfig]())
}

func checkKeys(t *testing.T, f *tomlfile.File, table string, of reflect.Type) {
	t.Helper()
	for i := range of.NumField() {
		if path := table + "." + of.Field(i).Tag.Get("toml"); !f.Has(path) {
			t.Errorf("the sample lacks %s", path)
		}
	}
}

// What the sample says a default is, must be one.
func TestSampleShowsTheDefaults(t *testing.T) {
	c, d := parseConfig("sample.toml", sample), defaultConfig()
	c.MQTT.SpoolDir, c.MQTT.Broker = d.MQTT.SpoolDir, d.MQTT.Broker // these two it sets
	if diff := cmp.Diff(d.MQTT, c.MQTT); diff != "" {
		t.Errorf("[mqtt] (-default +sample):\n%s", diff)
	}
	if c.Node.Prefix != d.Node.Prefix || c.Node.HTTP != d.Node.HTTP {
		t.Errorf("[node] %+v, defaults %+v", c.Node, d.Node)
	}
	var cam CameraConfig
	cam.withDefaults()
	if got := c.Cameras[0]; got.Fit != cam.Fit || got.Trigger != cam.Trigger || got.Engine != cam.Engine || got.Rotate != cam.Rotate {
		t.Errorf("[[camera]] %+v, defaults %+v", got, cam)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]size{"12": 12, "64KiB": 65536, "1.5 MiB": 3 << 19, "2MB": 2e6, "1GiB": 1 << 30, "5B": 5} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "MB", "-1", "12 parsecs", "1e30GiB"} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, s)
		}
	}
}
