package fallback

import (
	"math/rand/v2"
	"testing"

	"edged"
	"edged/internal/kernel/cpu"
	"edged/model"
)

// TestGroups compares convolutions whose channels form groups with such ones
// that multiply all channels, those of other groups by zero.
func TestGroups(t *testing.T) {
	for _, v := range cpu.Available() {
		t.Setenv(cpu.EnvVariable, string(v))
		for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8, model.TypeUint8} {
			t.Run(string(v)+" "+typ.String(), func(t *testing.T) {
				for seed := range uint64(24) {
					engine := func(all bool) *Engine {
						g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(seed, 6))}
						return open(t, file(t, g.Builder, g.grouped(all)), edged.Options{Threads: 2, Exact: true}).(*Engine)
					}
					sameOutput(t, engine(false), engine(true), typ)
				}
			})
		}
	}
}

// grouped is a convolution in groups, of any geometry, and with floats a residual.
func (g *grapher) grouped(all bool) model.Ref {
	groups, k := []int{2, 3, 5, 16}[g.r.IntN(4)], 1+g.r.IntN(3)
	in, out := 1+g.r.IntN(9), 1+g.r.IntN(20)
	o := model.Conv2DOptions{StrideH: 1 + g.r.Int32N(2), DilationW: 1 + g.r.Int32N(2), Activation: model.ActRelu}
	if k == 3 {
		o.Activation = model.ActNone // so that what follows may be added by the kernels
	}
	x, bias := g.in(2, 9, 11, groups*in), g.bias(groups*out)
	y := g.q(g.Conv2D(x, g.groupWeights(groups, out, k, in, all), bias, o))
	if g.typ == model.TypeFloat32 {
		y = g.Add(y, model.Const(g.Builder, "residual", g.Shape(y), randoms(g.r, product(g.Shape(y)))), model.ActNone)
	}
	return y
}

// groupWeights is a filter of groups, each out by in channels; all: with the
// zeros between them.
func (g *grapher) groupWeights(groups, out, k, in int, all bool) model.Ref {
	shape := []int{groups * out, k, k, in}
	if g.typ == model.TypeFloat32 {
		v := randoms(g.r, product(shape))
		if all {
			shape[3], v = groups*in, spread(v, 0, groups, out, k*k, in)
		}
		return model.Const(g.Builder, "w", shape, v)
	}
	zero := 119
	v := make([]uint8, product(shape))
	for i := range v {
		v[i] = uint8(g.r.Uint32())
	}
	if g.typ == model.TypeInt8 {
		zero = 0
	}
	if all {
		shape[3], v = groups*in, spread(v, uint8(zero), groups, out, k*k, in)
	}
	if g.typ == model.TypeUint8 {
		return g.Quant(model.Const(g.Builder, "w", shape, v), 0.02, int64(zero))
	}
	return g.Quant(model.Const(g.Builder, "w", shape, edged.View[int8](v)), 0.02, 0)
}

// spread lays a filter of groups out as one of all channels.
func spread[T any](v []T, zero T, groups, out, taps, in int) []T {
	all := make([]T, groups*len(v))
	for i := range all {
		all[i] = zero
	}
	for i, w := range v {
		o, tap, c := i/in/taps, i/in%taps, i%in
		all[(o*taps+tap)*groups*in+o/out*in+c] = w
	}
	return all
}
