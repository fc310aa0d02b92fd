package stage

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"edged"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/model"
)

// Facts are what must be known about a model beyond its graph. They come from
// its manifest or from the config; a fact that is missing, or that the two
// tell differently, is an error that names it.
type Facts struct {
	order     edged.PixelFormat
	mean      []float64
	scale     []float64
	tensor    string // empty: the model's only output
	meaning   pipeline.Meaning
	threshold float64 // 0: none given
	labels    []string
	grid      edged.Grid
}

// gatherer joins the two places a fact can come from.
type gatherer struct{ faults []error }

// fact copies one fact into dst: from the manifest or from the config, equal
// where both tell it.
func fact[T any](g *gatherer, dst *T, name string, manifest T, key string, config T) {
	inManifest, inConfig := !isZero(manifest), !isZero(config)
	switch {
	case inManifest && inConfig && !sameFact(manifest, config):
		*dst = manifest // known, and in dispute: that it is not known would be false
		g.faults = append(g.faults, fmt.Errorf("the model's manifest says %s = %v, the config %s = %v: they contradict each other; drop one",
			name, manifest, key, config))
	case inManifest:
		*dst = manifest
	case inConfig:
		*dst = config
	}
}

// sameFact compares what two places say of one fact: a number for every channel is
// as good as three that are equal.
func sameFact(a, b any) bool {
	if numbers, ok := a.([]float64); ok {
		return model.SameSpread(numbers, b.([]float64))
	}
	return reflect.DeepEqual(a, b)
}

func isZero[T any](v T) bool {
	r := reflect.ValueOf(&v).Elem()
	return r.IsZero() || r.Kind() == reflect.Slice && r.Len() == 0
}

// need complains about a fact that neither place told.
func need[T any](g *gatherer, v T, name, key string) {
	if isZero(v) {
		g.faults = append(g.faults, fmt.Errorf("%s is not known: the model's manifest has no %s and the config no %s", name, name, key))
	}
}

// GatherFacts joins a model's manifest, which may be nil, with a camera's
// config.
func GatherFacts(m *model.Manifest, cam *config.Camera) (Facts, error) {
	var g gatherer
	var f Facts
	if m == nil {
		m = &model.Manifest{}
	}
	p, o := config.Prepare{}, config.Output{}
	if cam.Prepare != nil {
		p = *cam.Prepare
	}
	if cam.Output != nil {
		o = *cam.Output
	}
	var order, meaning string
	var threshold float64
	if o.Threshold != nil {
		threshold = *o.Threshold
	}
	fact(&g, &order, "input.channel_order", m.Input.ChannelOrder, "prepare.channel_order", strings.ToUpper(p.ChannelOrder))
	fact(&g, &f.mean, "input.mean", m.Input.Mean, "prepare.mean", p.Mean)
	fact(&g, &f.scale, "input.scale", m.Input.Scale, "prepare.scale", p.Scale)
	fact(&g, &f.tensor, "output.tensor", m.Output.Tensor, "output.tensor", o.Tensor)
	fact(&g, &meaning, "output.meaning", meaningWord(m.Output.Meaning), "output.meaning", meaningWord(o.Meaning))
	fact(&g, &f.threshold, "output.threshold", m.Output.Threshold, "output.threshold", threshold)
	fact(&g, &f.labels, "labels", m.Labels, "labels", cam.Labels)
	fact(&g, &f.grid, "grid", edged.Grid(m.Grid), "output.stride and output.origin", configGrid(&o))
	need(&g, order, "input.channel_order", "prepare.channel_order")
	need(&g, f.mean, "input.mean", "prepare.mean")
	need(&g, f.scale, "input.scale", "prepare.scale")
	need(&g, meaning, "output.meaning", "output.meaning")
	need(&g, f.labels, "labels", "labels")
	need(&g, f.grid.Stride, "grid.stride", "output.stride")
	if len(g.faults) > 0 {
		return f, errors.Join(g.faults...)
	}
	var err error
	if f.order, err = config.PixelFormat(order); err != nil {
		return f, err
	}
	f.meaning, err = config.MeaningOf(meaning)
	return f, err
}

// meaningWord is a meaning by its plain name, so that two names of one are no
// contradiction; what is none stays for the error that names it.
func meaningWord(s string) string {
	if m, err := config.MeaningOf(s); err == nil {
		return string(m)
	}
	return s
}

func configGrid(o *config.Output) edged.Grid {
	var g edged.Grid
	copy(g.Stride[:], o.Stride)
	copy(g.Origin[:], o.Origin)
	return g
}

// chooseOutput finds the engine's output that becomes the mask.
func chooseOutput(outputs []edged.Spec, tensor string) (int, error) {
	var names []string
	for i, o := range outputs {
		if o.Name == tensor || tensor == "" && len(outputs) == 1 {
			return i, nil
		}
		names = append(names, o.String())
	}
	if tensor == "" {
		return 0, fmt.Errorf("output.tensor is not known: the model has %d outputs; name one in its manifest or in the config: %s",
			len(outputs), strings.Join(names, "; "))
	}
	return 0, fmt.Errorf("output.tensor %q: the model has no such output; it has %s", tensor, strings.Join(names, "; "))
}
