package enginetest

import "edged/model"

// broadcast draws two shapes that broadcast to each other, rank at most four.
func (g *graph) broadcast() (a, b []int32) {
	a = g.shape(1, 4)
	b = append([]int32(nil), a...)
	switch g.r.IntN(6) {
	case 0: // a scalar for the other
		b = []int32{1}
	case 1: // ones somewhere in one
		for i := range b {
			if g.chance(0.5) {
				b[i] = 1
			}
		}
	case 2: // ones somewhere in both
		for i := range b {
			if g.chance(0.4) {
				b[i] = 1
			} else if g.chance(0.4) {
				a[i] = 1
			}
		}
	case 3: // fewer dimensions, as a bias has
		b = b[len(b)-int(g.between(1, int32(len(b)))):]
	}
	if g.chance(0.5) {
		return b, a
	}
	return a, b
}

// operand adds an input or, one time in four, a constant.
func (g *graph) operand(shape []int32, q *model.Quantization, lo, hi float32) int32 {
	if g.chance(0.25) {
		return g.constant(g.kind.dtype, shape, q, g.values(g.kind.dtype, elems(shape), lo, hi))
	}
	return g.inputQ(shape, g.kind.dtype, q, lo, hi)
}

// operands adds the two operands of an operator; the first is an input.
func (g *graph) operands(qa, qb *model.Quantization) (a, b int32) {
	sa, sb := g.broadcast()
	return g.inputQ(sa, g.kind.dtype, qa, -2, 2), g.operand(sb, qb, -2, 2)
}

func genArithmetic(code model.BuiltinOperator) func(*graph) {
	return func(g *graph) {
		a, b := g.operands(g.quant(), g.quant())
		act := g.activation()
		if g.kind == i32 {
			act = model.ActNone
		}
		var options any
		switch code {
		case model.OpAdd:
			options = &model.AddOptions{Activation: act, PotScaleInt16: true}
		case model.OpSub:
			options = &model.SubOptions{Activation: act, PotScaleInt16: true}
		case model.OpMul:
			options = &model.MulOptions{Activation: act}
		}
		g.op(code, options, []int32{a, b}, g.result())
	}
}

// genDiv keeps the divisor away from zero: TFLite's uint8 kernel does not
// check for it.
func genDiv(g *graph) {
	sa, sb := g.broadcast()
	options := &model.DivOptions{Activation: g.activation()}
	if g.kind == f32 {
		a, b := g.input(sa), g.inputIn(sb, 0.25, 4)
		g.op(model.OpDiv, options, []int32{a, b}, g.result())
		return
	}
	a := g.input(sa)
	divisor := make([]byte, elems(sb))
	for i := range divisor {
		divisor[i] = byte(g.between(1, 255))
	}
	b := g.constant(model.TypeUint8, sb, affine(0.01+0.02*g.r.Float32(), 0), divisor)
	g.op(model.OpDiv, options, []int32{a, b}, g.result())
}

// genExtremum gives operands and result one quantisation: TFLite compares the
// stored values.
func genExtremum(code model.BuiltinOperator) func(*graph) {
	return func(g *graph) {
		q := g.quant()
		a, b := g.operands(q, q)
		g.op(code, &model.MaximumMinimumOptions{}, []int32{a, b}, g.like(a))
	}
}

func genSquaredDifference(g *graph) {
	a, b := g.operands(g.quant(), g.quant())
	g.op(model.OpSquaredDifference, &model.SquaredDifferenceOptions{}, []int32{a, b}, g.result())
}

func genAbs(g *graph) {
	x := g.input(g.shape(1, 4))
	g.op(model.OpAbs, &model.AbsOptions{}, []int32{x}, g.result())
}

// genUnary draws an operator without quantised form on values in [lo, hi].
func genUnary(code model.BuiltinOperator, options any, lo, hi float32) func(*graph) {
	return func(g *graph) {
		x := g.inputIn(g.shape(1, 4), lo, hi)
		g.op(code, options, []int32{x}, g.like(x))
	}
}

// genRequantising draws an activation whose result has its own quantisation.
func genRequantising(code model.BuiltinOperator, options any) func(*graph) {
	return func(g *graph) {
		x := g.inputIn(g.shape(1, 4), -8, 8)
		g.op(code, options, []int32{x}, g.result())
	}
}

// genClamp draws an activation whose kernel does not requantise.
func genClamp(code model.BuiltinOperator) func(*graph) {
	return func(g *graph) {
		x := g.inputIn(g.shape(1, 4), -8, 8)
		g.op(code, nil, []int32{x}, g.like(x))
	}
}

func genLeakyRelu(g *graph) {
	x := g.input(g.shape(1, 4))
	alpha := pick[float32](g, 0.01, 0.1, 0.2, 0.3, 0.5)
	g.op(model.OpLeakyRelu, &model.LeakyReluOptions{Alpha: alpha}, []int32{x}, g.result())
}

func genPrelu(g *graph) {
	shape := g.image()
	x := g.input(shape)
	alphaShape := pick(g, []int32{1, 1, shape[3]}, []int32{shape[3]}, shape[1:])
	q := g.quant()
	alpha := g.constant(g.kind.dtype, alphaShape, q, g.values(g.kind.dtype, elems(alphaShape), -1, 1))
	g.op(model.OpPrelu, nil, []int32{x, alpha}, g.result())
}

func genGelu(g *graph) {
	x := g.inputIn(g.shape(1, 4), -4, 4)
	g.op(model.OpGelu, &model.GeluOptions{Approximate: g.chance(0.5)}, []int32{x}, g.result())
}

// genFixed draws an operator whose quantised result has the scale and zero
// point that TFLite prescribes.
func genFixed(code model.BuiltinOperator, options any, scale float32, zeroInt8, zeroUint8 int64) func(*graph) {
	return func(g *graph) {
		q := g.quant()
		if g.kind.dtype == model.TypeInt16 && g.chance(0.5) { // powers of two have kernels of their own
			q = affine(pick[float32](g, 1.0/4096, 1.0/2048, 1.0/8192), 0)
		}
		x := g.inputQ(g.shape(2, 4), g.kind.dtype, q, -6, 6)
		out := g.tensor(g.kind.dtype, nil, g.fixedQuant(scale, zeroInt8, zeroUint8))
		g.op(code, options, []int32{x}, out)
	}
}

func genSoftmax(g *graph) {
	x := g.inputIn(g.shape(1, 4), -6, 6)
	out := g.tensor(g.kind.dtype, nil, g.fixedQuant(1.0/256, -128, 0))
	g.op(model.OpSoftmax, &model.SoftmaxOptions{Beta: pick[float32](g, 1, 1, 0.5, 2)}, []int32{x}, out)
}
