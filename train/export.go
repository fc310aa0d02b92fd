package main

import (
	"fmt"

	"edged/model"
	"edged/quantize"
)

// exporter writes a graph through model.Builder.
type exporter struct {
	b    *model.Builder
	refs map[string]model.Ref
}

// export builds the .tflite graph of g: input [1, patch, patch, 3], output
// [1, classes], both float32 or, with the ranges that train.py saw, both int8.
func export(g *graph, quantised bool) (*model.Model, error) {
	e := &exporter{b: model.NewBuilder(), refs: map[string]model.Ref{}}
	e.set("input", e.b.Input("input", model.TypeFloat32, 1, g.Patch, g.Patch, 3))
	for i := range g.Layers {
		l := &g.Layers[i]
		if err := e.layer(l); err != nil {
			return nil, fmt.Errorf("train: layer %s of %s: %w", l.Name, g.Name, err)
		}
	}
	last := g.Layers[len(g.Layers)-1].Name
	m, err := e.b.Build(e.refs[last])
	if err != nil {
		return nil, fmt.Errorf("train: graph %s: %w", g.Name, err)
	}
	m.Description = "edged " + g.Name + " patch classifier"
	if quantised {
		return quantize.Apply(m, g.recipe())
	}
	return m, nil
}

// recipe is what the quantiser is told: mean 128 makes the int8 input exactly
// pixel - 128.
func (g *graph) recipe() *quantize.Recipe {
	r := &quantize.Recipe{Input: &quantize.Range{Lo: (0 - g.Mean) * g.Scale, Hi: (255 - g.Mean) * g.Scale}, Ranges: map[string]quantize.Range{}}
	for _, l := range g.Layers {
		if l.Range != [2]float64{} {
			r.Ranges[l.Name] = quantize.Range{Lo: l.Range[0], Hi: l.Range[1]}
		}
	}
	return r
}

// set names a tensor.
func (e *exporter) set(name string, x model.Ref) {
	e.b.Name(x, name)
	e.refs[name] = x
}

func (e *exporter) layer(l *layer) error {
	in := make([]model.Ref, len(l.Inputs))
	for i, name := range l.Inputs {
		ref, ok := e.refs[name]
		if !ok {
			return fmt.Errorf("input %q: no such tensor before it", name)
		}
		in[i] = ref
	}
	switch l.Op {
	case "conv":
		e.set(l.Name, e.conv(l, in[0]))
	case "dense":
		e.set(l.Name, e.dense(l, in[0]))
	case "add":
		e.set(l.Name, e.b.Add(in[0], in[1], act(l)))
	case "maxpool":
		k, s := int32(l.K), int32(l.Stride)
		e.set(l.Name, e.b.MaxPool(in[0], model.Pool2DOptions{
			Padding: model.PaddingValid, StrideW: s, StrideH: s, FilterWidth: k, FilterHeight: k,
		}))
	case "flatten":
		n := 1
		for _, d := range e.b.Shape(in[0]) {
			n *= d
		}
		e.set(l.Name, e.b.Reshape(in[0], 1, n))
	case "mean":
		e.set(l.Name, e.b.Mean(in[0], true, 1, 2))
	default:
		return fmt.Errorf("operator %q: no rule to write it", l.Op)
	}
	return e.b.Err()
}

func act(l *layer) model.Activation {
	if l.Relu {
		return model.ActRelu
	}
	return model.ActNone
}

func (e *exporter) conv(l *layer, x model.Ref) model.Ref {
	o := model.Conv2DOptions{StrideW: int32(l.Stride), StrideH: int32(l.Stride), Activation: act(l)}
	if l.Padding == "VALID" {
		o.Padding = model.PaddingValid
	}
	w, b := e.weights(l)
	return e.b.Conv2D(x, w, b, o)
}

func (e *exporter) dense(l *layer, x model.Ref) model.Ref {
	w, b := e.weights(l)
	return e.b.FullyConnected(x, w, b, model.FullyConnectedOptions{Activation: act(l)})
}

// weights adds the constants of l.
func (e *exporter) weights(l *layer) (w, b model.Ref) {
	return model.Const(e.b, l.Name+"/weights", l.Weights.Shape, l.Weights.data), model.Const(e.b, l.Name+"/bias", l.Bias.Shape, l.Bias.data)
}
