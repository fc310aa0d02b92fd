package main

import (
	"fmt"

	"edged/model"
)

// inputQuant makes an int8 input exactly pixel - 128, given mean 128: one
// step is Scale.
func (g *graph) inputQuant() affine { return affine{scale: float32(g.Scale), zero: 0} }

// exporter writes a graph through model.Builder, as float32 or as int8.
type exporter struct {
	b     *model.Builder
	int8  bool
	refs  map[string]model.Ref
	quant map[string]affine // of every tensor, where int8
}

// export builds the .tflite graph of g: input [1, patch, patch, 3], output
// [1, classes], both float32 or both int8.
func export(g *graph, quantised bool) (*model.Model, error) {
	e := &exporter{b: model.NewBuilder(), int8: quantised, refs: map[string]model.Ref{}, quant: map[string]affine{}}
	t := model.TypeFloat32
	if quantised {
		t = model.TypeInt8
	}
	e.set("input", e.b.Input("input", t, 1, g.Patch, g.Patch, 3), g.inputQuant())
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
	return m, nil
}

// set names a tensor and, for int8, gives it its quantisation.
func (e *exporter) set(name string, x model.Ref, q affine) {
	e.b.Name(x, name)
	if e.int8 {
		e.b.Quant(x, q.scale, int64(q.zero))
	}
	e.refs[name], e.quant[name] = x, q
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
	own := rangeQuant(l.Range[0], l.Range[1])
	same := e.quant[l.Inputs[0]] // TFLite wants it unchanged through pools and reshapes
	switch l.Op {
	case "conv":
		e.set(l.Name, e.conv(l, in[0]), own)
	case "dense":
		e.set(l.Name, e.dense(l, in[0]), own)
	case "add":
		e.set(l.Name, e.b.Add(in[0], in[1], act(l)), own)
	case "maxpool":
		k, s := int32(l.K), int32(l.Stride)
		e.set(l.Name, e.b.MaxPool(in[0], model.Pool2DOptions{
			Padding: model.PaddingValid, StrideW: s, StrideH: s, FilterWidth: k, FilterHeight: k,
		}), same)
	case "flatten":
		n := 1
		for _, d := range e.b.Shape(in[0]) {
			n *= d
		}
		e.set(l.Name, e.b.Reshape(in[0], 1, n), same)
	case "mean":
		e.set(l.Name, e.b.Mean(in[0], true, 1, 2), same)
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
	w, b := e.weights(l, l.Weights.Shape[0])
	return e.b.Conv2D(x, w, b, o)
}

// dense quantises its weights with one scale: TFLite 2.9 knows no other.
func (e *exporter) dense(l *layer, x model.Ref) model.Ref {
	w, b := e.weights(l, 1)
	return e.b.FullyConnected(x, w, b, model.FullyConnectedOptions{Activation: act(l)})
}

// weights adds the constants of l; as int8 with so many scales along dimension 0.
func (e *exporter) weights(l *layer, scales int) (w, b model.Ref) {
	wn, bn := l.Name+"/weights", l.Name+"/bias"
	if !e.int8 {
		return model.Const(e.b, wn, l.Weights.Shape, l.Weights.data), model.Const(e.b, bn, l.Bias.Shape, l.Bias.data)
	}
	q, s := quantiseWeights(l.Weights.data, scales)
	w = e.b.PerChannel(model.Const(e.b, wn, l.Weights.Shape, q), 0, s, make([]int64, scales))
	bias, bs := quantiseBias(l.Bias.data, e.quant[l.Inputs[0]].scale, s)
	return w, e.b.PerChannel(model.Const(e.b, bn, l.Bias.Shape, bias), 0, bs, make([]int64, scales))
}
