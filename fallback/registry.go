package fallback

import "edged/model"

// opSpec says how many inputs and outputs an operator takes, and who plans it.
// Inputs up to minIn must be there. outs 0 allows any number from one on.
type opSpec struct {
	minIn, maxIn, outs int
	plan               func(c *opContext) error
}

// many is more inputs than any file holds.
const many = 1 << 30

// lookup finds the planner, or refuses the operator by name, version and index.
func (c *opContext) lookup() (opSpec, error) {
	if c.n.code.Builtin == model.OpCustom {
		if s, ok := customs()[c.n.code.Custom]; ok {
			return s, nil
		}
		return opSpec{}, c.unsupported("no such custom operator is known here")
	}
	if s, ok := builtins()[c.n.code.Builtin]; ok {
		return s, nil
	}
	return opSpec{}, c.unsupported("this operator is not supported")
}

func customs() map[string]opSpec {
	return map[string]opSpec{}
}

func builtins() map[model.BuiltinOperator]opSpec {
	return map[model.BuiltinOperator]opSpec{
		model.OpAveragePool2D:   {1, 1, 1, planAveragePool2D},
		model.OpConv2D:          {2, 3, 1, planConv2D},
		model.OpDepthwiseConv2D: {2, 3, 1, planDepthwiseConv2D},
		model.OpFullyConnected:  {2, 3, 1, planFullyConnected},
		model.OpL2Pool2D:        {1, 1, 1, planL2Pool2D},
		model.OpMaxPool2D:       {1, 1, 1, planMaxPool2D},
	}
}
