package fallback

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"edged"
	"edged/internal/kernel/cpu"
	"edged/model"
)

// heavy is a net of few pixels and many weights: its convolutions are cut along
// output channels where there are several workers, with a border, a residual of all
// channels or of some, and rows of one pixel.
func (g *grapher) heavy() []model.Ref {
	x := g.in(1, 4, 5, 24)
	y := g.q(g.Conv2D(x, g.weights(130, 3, 3, 24), g.bias(130), model.Conv2DOptions{Activation: model.ActNone}))
	y = g.q(g.Conv2D(y, g.weights(192, 1, 1, 130), g.bias(192), model.Conv2DOptions{Activation: model.ActRelu6}))
	y = g.depth(y, 3, 1, 192)
	if g.typ == model.TypeFloat32 {
		z := g.Conv2D(y, g.weights(192, 1, 1, 192), g.bias(192), model.Conv2DOptions{})
		y = g.Add(y, z, model.ActRelu)
	}
	y = g.q(g.Conv2D(y, g.weights(144, 1, 1, 192), g.bias(144), model.Conv2DOptions{StrideH: 2, StrideW: 2}))
	head := g.Mean(y, true, 1, 2)
	head = g.q(g.FullyConnected(g.q(head), g.weights(300, 144), g.bias(300), model.FullyConnectedOptions{}))
	return []model.Ref{head, y}
}

// Workers that share output channels compute one worker's bits, on every variant.
func TestPartsOfChannels(t *testing.T) {
	for _, v := range cpu.Available() {
		t.Setenv(cpu.EnvVariable, string(v))
		for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8, model.TypeUint8} {
			t.Run(string(v)+" "+typ.String(), func(t *testing.T) {
				g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(4, 6))}
				data := file(t, g.Builder, g.heavy()...)
				alone := open(t, data, edged.Options{Threads: 1}).(*Engine)
				for _, threads := range []int{2, 3, 8} {
					several := open(t, data, edged.Options{Threads: threads}).(*Engine)
					if parted := partedSteps(several); parted < 4 {
						t.Errorf("%d threads: %d steps in parts", threads, parted)
					}
					sameOutput(t, several, alone, typ)
					for i := range several.Outputs() {
						if !bytes.Equal(several.Output(i), alone.Output(i)) {
							t.Errorf("%d threads: output %d differs from one thread's", threads, i)
						}
					}
				}
			})
		}
	}
}

// partedSteps is the number of steps whose channels workers share.
func partedSteps(e *Engine) int {
	n := 0
	for s := range slices.Values(e.plan.steps) {
		if s.conv != nil && s.conv.parts > 1 {
			n++
		}
	}
	return n
}
