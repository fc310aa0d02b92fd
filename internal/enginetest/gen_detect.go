package enginetest

import (
	"edged/model"
)

// boxes are n boxes [y1,x1,y2,x2] of which many overlap, some with their corners
// the wrong way round.
func (g *graph) boxes(n int32) []byte {
	var b []byte
	for range n {
		y, x := g.r.Float32(), g.r.Float32()
		h, w := 0.1+0.5*g.r.Float32(), 0.1+0.5*g.r.Float32()
		if g.chance(0.1) {
			h, w = -h, -w
		}
		b = append(b, float32s(y, x, y+h, x+w)...)
	}
	return b
}

// fed adds a float32 input with its content.
func (g *graph) fed(shape []int32, data []byte) int32 {
	x := g.tensor(model.TypeFloat32, shape, nil)
	g.sg.Inputs = append(g.sg.Inputs, x)
	g.fills = append(g.fills, func() []byte { return data })
	return x
}

func (g *graph) float(v float32) int32 {
	return g.constant(model.TypeFloat32, nil, nil, float32s(v))
}

// genSuppression draws scores in steps, so that some are equal.
func genSuppression(code model.BuiltinOperator, options any) func(*graph) {
	return func(g *graph) {
		n := g.between(1, 60)
		boxes := g.fed([]int32{n, 4}, g.boxes(n))
		var scores []byte
		for range n {
			scores = append(scores, float32s(float32(g.between(0, 40))/40)...)
		}
		in := []int32{boxes, g.fed([]int32{n}, scores), g.scalar(g.between(1, 40)),
			g.float(pick[float32](g, 0.3, 0.5, 0.7)), g.float(pick[float32](g, -1, 0, 0.3))}
		places := func(shape ...int32) int32 { return g.tensor(model.TypeInt32, shape, nil) }
		if code == model.OpNonMaxSuppressionV5 {
			in = append(in, g.float(pick[float32](g, 0, 0.4)))
			g.op(code, options, in, places(), g.tensor(model.TypeFloat32, nil, nil), places())
			return
		}
		g.op(code, options, in, places(), places())
	}
}

// genDetection draws the end of an SSD, bytes with scores that are often equal.
// Fast suppression writes as many boxes as it finds, and TFLite leaves the others
// as the memory was: there are enough.
func genDetection(g *graph) {
	n, classes := g.between(40, 80), g.between(1, 6)
	o := model.DetectionOptions{MaxDetections: int(g.between(1, 5)), MaxClasses: int(pick(g, 1, classes)), PerClass: int(g.between(1, 20)),
		Classes: int(classes), Regular: g.chance(0.5), IoUThreshold: 0.6, ScoreThreshold: -3,
		ScaleY: 10, ScaleX: 10, ScaleH: 5, ScaleW: 5}
	if o.Regular {
		o.MaxClasses, o.ScoreThreshold, o.MaxDetections = 1, 0.3, int(g.between(1, 30))
	}
	tensor := func(shape []int32, q *model.Quantization) int32 {
		return g.inputQ(shape, g.kind.dtype, q, 0, 1)
	}
	scale := func(s float32, zero int64) *model.Quantization {
		if g.kind.dtype == model.TypeFloat32 {
			return nil
		}
		return affine(s, zero)
	}
	width := g.between(4, 6)
	in := []int32{tensor([]int32{1, n, width}, scale(0.05, 128)), tensor([]int32{1, n, classes + g.between(0, 1)}, scale(1.0/256, 0)),
		tensor([]int32{n, 4}, scale(1.0/256, 0))}
	out := []int32{}
	for range 4 {
		out = append(out, g.tensor(model.TypeFloat32, nil, nil))
	}
	g.custom(model.OpDetectionPostProcess, o.Custom(), in, out...)
}

// custom adds a custom operator.
func (g *graph) custom(name string, options []byte, in []int32, out ...int32) {
	index := g.m.CodeIndex(model.OperatorCode{Builtin: model.OpCustom, Custom: name, Version: 1})
	g.sg.Operators = append(g.sg.Operators, &model.Operator{OpcodeIndex: index, Inputs: in, Outputs: out, CustomOptions: options})
}
