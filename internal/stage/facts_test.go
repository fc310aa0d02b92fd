package stage

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edged"
	"edged/internal/config"
	"edged/internal/pipeline"
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

func fullCamera() *config.Camera {
	threshold := 0.25
	return &config.Camera{
		Labels:  []string{"a", "b"},
		Prepare: &config.Prepare{ChannelOrder: "bgr", Mean: []float64{1}, Scale: []float64{2}},
		Output: &config.Output{Tensor: "o", Meaning: "sigmoid", Threshold: &threshold,
			Stride: []float64{2, 4}, Origin: []float64{1, 3}},
	}
}

func TestFactsComeFromEitherPlace(t *testing.T) {
	want := Facts{
		order: edged.BGR, mean: []float64{1}, scale: []float64{2}, tensor: "o", meaning: pipeline.Probabilities,
		threshold: 0.25, labels: []string{"a", "b"}, grid: edged.Grid{Stride: [2]float64{2, 4}, Origin: [2]float64{1, 3}},
	}
	for name, from := range map[string]struct {
		m *model.Manifest
		c *config.Camera
	}{
		"manifest": {fullManifest(), &config.Camera{}},
		"config":   {nil, fullCamera()},
		"both":     {fullManifest(), fullCamera()},
	} {
		got, err := GatherFacts(from.m, from.c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Facts{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMissingFactsAreAllNamed(t *testing.T) {
	_, err := GatherFacts(nil, &config.Camera{})
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
	for fact, change := range map[string]func(*config.Camera){
		"input.channel_order": func(c *config.Camera) { c.Prepare.ChannelOrder = "RGB" },
		"input.mean":          func(c *config.Camera) { c.Prepare.Mean = []float64{1, 1, 2} },
		"input.scale":         func(c *config.Camera) { c.Prepare.Scale = []float64{3} },
		"output.tensor":       func(c *config.Camera) { c.Output.Tensor = "p" },
		"output.meaning":      func(c *config.Camera) { c.Output.Meaning = "logits" },
		"output.threshold":    func(c *config.Camera) { c.Output.Threshold = &threshold },
		"labels":              func(c *config.Camera) { c.Labels = []string{"b", "a"} },
		"grid":                func(c *config.Camera) { c.Output.Origin = []float64{0, 0} },
	} {
		c := fullCamera()
		change(c)
		_, err := GatherFacts(fullManifest(), c)
		if err == nil || !strings.Contains(err.Error(), fact+" = ") || !strings.Contains(err.Error(), "contradict") {
			t.Errorf("%s: %v", fact, err)
		}
		if err != nil && strings.Contains(err.Error(), "not known") {
			t.Errorf("%s is in dispute, and called unknown: %v", fact, err)
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

func TestOneNumberForEveryChannelContradictsNothing(t *testing.T) {
	m, c := fullManifest(), fullCamera()
	mean := m.Input.Mean[0]
	m.Input.Mean, c.Prepare.Mean = []float64{mean, mean, mean}, []float64{mean}
	if _, err := GatherFacts(m, c); err != nil {
		t.Error(err)
	}
	c.Prepare.Mean = []float64{mean + 1}
	if _, err := GatherFacts(m, c); err == nil {
		t.Error("another mean is said to be the same")
	}
}

// A sigmoid's values are probabilities, and a softmax's: two names of one fact.
func TestTwoNamesOfAMeaningAreNoContradiction(t *testing.T) {
	for _, word := range []string{"sigmoid", "probabilities", "softmax"} {
		m, c := fullManifest(), fullCamera()
		m.Output.Meaning, c.Output.Meaning = "sigmoid", word
		if f, err := GatherFacts(m, c); err != nil || f.meaning != pipeline.Probabilities {
			t.Errorf("%s: %v, %v", word, f.meaning, err)
		}
	}
	c := fullCamera()
	c.Output.Meaning = "odds"
	if _, err := GatherFacts(fullManifest(), c); err == nil || !strings.Contains(err.Error(), "odds") {
		t.Errorf("a word that means nothing: %v", err)
	}
}
