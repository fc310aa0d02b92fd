package model

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sampleManifest() *Manifest {
	return &Manifest{
		Schema: ManifestSchema,
		Labels: []string{"ground", "scratch"},
		Input:  Input{ChannelOrder: "RGB", Mean: []float64{127.5}, Scale: []float64{1 / 127.5}},
		Output: Output{Tensor: "probabilities", Meaning: "probabilities"},
		Grid:   Grid{Stride: [2]float64{1, 1}, Origin: [2]float64{7.5, 7.5}},
		Form:   "fragments", Contract: "patch", OutputStride: [2]int{1, 1},
		Band:        &Band{},
		Certificate: &Certificate{Equivalent: true, Engine: "tflite", Positions: 100, BitIdentical: true},
	}
}

func TestManifestTravelsInTheFile(t *testing.T) {
	m := zoo(t)
	if f, err := m.Manifest(); f != nil || err != nil {
		t.Fatalf("a model without a manifest gives %v, %v", f, err)
	}
	want := sampleManifest()
	if err := m.SetManifest(want); err != nil {
		t.Fatal(err)
	}
	file, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("manifest changed (-want +got):\n%s", d)
	}
}

func TestManifestReplacesTheOlderOne(t *testing.T) {
	m := zoo(t)
	before, entries, buffers := mustHash(t, m), len(m.Metadata), len(m.Buffers)
	for _, label := range []string{"a", "b"} {
		f := sampleManifest()
		f.Labels = []string{label}
		if err := m.SetManifest(f); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.Metadata) != entries+1 || len(m.Buffers) != buffers+1 {
		t.Errorf("%d entries and %d buffers after two manifests, from %d and %d", len(m.Metadata), len(m.Buffers), entries, buffers)
	}
	if f, err := m.Manifest(); err != nil || f.Labels[0] != "b" {
		t.Errorf("the manifest is %v, %v", f, err)
	}
	if after := mustHash(t, m); after != before {
		t.Error("the manifest changed the graph's identity")
	}
	if err := m.SetManifest(nil); err != nil {
		t.Fatal(err)
	}
	if len(m.Metadata) != entries || len(m.Buffers) != buffers {
		t.Error("taking the manifest out left something behind")
	}
	m.Buffers[1].Data[0] ^= 1
	if mustHash(t, m) == before {
		t.Error("a changed weight kept the graph's identity")
	}
}

func mustHash(t *testing.T, m *Model) string {
	t.Helper()
	h, err := m.GraphSHA256()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestParseManifestRefuses(t *testing.T) {
	for name, c := range map[string]struct{ json, want string }{
		"no JSON":          {`schema: 1`, "invalid character"},
		"no schema":        {`{}`, `no "schema"`},
		"newer schema":     {`{"schema": 99}`, "schema 99"},
		"unknown key":      {`{"schema": 1, "lables": []}`, "lables"},
		"trailing":         {`{"schema": 1} {}`, "after top-level value"},
		"channel order":    {`{"schema": 1, "input": {"channel_order": "RBG"}}`, "channel_order"},
		"meaning":          {`{"schema": 1, "output": {"meaning": "scores"}}`, "output.meaning"},
		"two means":        {`{"schema": 1, "input": {"channel_order": "RGB", "mean": [1, 2]}}`, "input.mean"},
		"grey, 3 scales":   {`{"schema": 1, "input": {"channel_order": "GRAY", "scale": [1, 2, 3]}}`, "input.scale"},
		"scale of zero":    {`{"schema": 1, "input": {"scale": [0]}}`, "input.scale is 0"},
		"equal labels":     {`{"schema": 1, "labels": ["a", "a"]}`, "two labels"},
		"empty label":      {`{"schema": 1, "labels": [""]}`, "label is empty"},
		"negative stride":  {`{"schema": 1, "grid": {"stride": [-1, 1], "origin": [0, 0]}}`, "grid.stride"},
		"unknown contract": {`{"schema": 1, "contract": "both"}`, "contract"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseManifest([]byte(c.json))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestSetManifestNamesTheOutputs(t *testing.T) {
	f := sampleManifest()
	f.Output.Tensor = "mask"
	err := zoo(t).SetManifest(f)
	if err == nil || !strings.Contains(err.Error(), "probabilities") {
		t.Errorf("error %v, want one that lists the outputs", err)
	}
}

func TestInputsAreTheSameHoweverManyNumbersSayIt(t *testing.T) {
	in := func(mean, scale []float64) Input { return Input{ChannelOrder: "RGB", Mean: mean, Scale: scale} }
	one, three := []float64{128}, []float64{128, 128, 128}
	for _, c := range []struct {
		a, b Input
		want bool
	}{
		{in(one, one), in(three, one), true},
		{in(three, three), in(three, one), true},
		{in(nil, nil), in(nil, nil), true},
		{in(one, nil), in(nil, nil), false}, // none is left to the config
		{in([]float64{128, 128, 127}, one), in(one, one), false},
		{in([]float64{128, 128}, one), in(three, one), false},
		{Input{ChannelOrder: "BGR", Mean: one, Scale: one}, in(one, one), false},
	} {
		if c.a.Same(c.b) != c.want || c.b.Same(c.a) != c.want {
			t.Errorf("%+v and %+v: same %v", c.a, c.b, !c.want)
		}
	}
}
