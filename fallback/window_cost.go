package fallback

import "edged/model"

// What a layer costs, in multiplications: roughly, but in the right proportion
// between layers that compute and layers that move data. Measured on MobileNetV1:
// a byte takes as long as 4 products of float32 or 15 of 8 bits, and a step's
// beginning and end as long as a hundred thousand.
const (
	byteFloat = 4
	byteInt   = 15
	aStep     = 1e5
)

// perByte is what moving a byte of t costs.
func perByte(t *model.Tensor) float64 {
	if t.Type == model.TypeFloat32 {
		return byteFloat
	}
	return byteInt
}

// price fills in what a layer costs with and without sharing.
func (s *sharer) price(x *layer, placed bool) {
	unit := s.unitCost(x)
	out := s.g.Tensors[x.op.Outputs[0]]
	if len(out.Shape) != 4 {
		x.alone = float64(product(toInts(out.Shape))) * unit
		return
	}
	x.alone = float64(out.Shape[0]) * (float64(int(out.Shape[1])*int(out.Shape[2]))*unit + aStep)
	if !placed {
		return
	}
	in, to := s.place[x.op.Inputs[0]], s.place[x.op.Outputs[0]]
	x.shared = float64(to.size())*unit + aStep
	if !x.slides {
		if in, ok := s.place[x.op.Inputs[0]]; ok && in != to {
			x.shared += float64(to.size()) * 2 * s.moving(x.op.Inputs[0])
		}
		return
	}
	x.shared += s.regions(x, in, to, unit)
	if code := s.m.Code(x.op).Builtin; code == model.OpConv2D {
		x.bytes = parts * parts * product(toInts(s.g.Tensors[x.op.Inputs[1]].Shape)) * dtypes[s.g.Tensors[x.op.Inputs[1]].Type].Size()
	}
}

// regions is what it costs more to compute the nine regions apart: their inputs
// are copied, and short rows leave the routines' tiles half empty.
func (s *sharer) regions(x *layer, in, to laidOut, unit float64) float64 {
	const half = 3 // units of a row that are computed for nothing
	more := 0.0
	for r := range parts * parts {
		py, px := r/parts, r%parts
		n := to.pixels(py, px)
		if n == 0 {
			continue
		}
		h, w := to.axis[0].units(py), to.axis[1].units(px)
		from := float64(n) / float64(h*w) * float64(((h-1)*x.y.stride+x.y.span())*((w-1)*x.x.stride+x.x.span()))
		more += 2*aStep + 2*from*s.moving(x.op.Inputs[0]) + half*unit*float64(n)/float64(w)
	}
	return more
}

// moving is what moving one unit of tensor t costs.
func (s *sharer) moving(t int32) float64 {
	x := s.g.Tensors[t]
	return float64(int(x.Shape[3])*dtypes[x.Type].Size()) * perByte(x)
}

// handing is what it costs to hand tensor t to every window.
func (s *sharer) handing(t int32) float64 {
	n := s.g.Tensors[t].Shape
	return float64(n[0]) * float64(int(n[1])*int(n[2])) * 2 * s.moving(t)
}

// unitCost is what one unit of a layer's result costs; of a result that is no map,
// one element.
func (s *sharer) unitCost(x *layer) float64 {
	out := s.g.Tensors[x.op.Outputs[0]]
	ch, macs, bytes := 1, 0, 0
	if len(out.Shape) == 4 {
		ch = int(out.Shape[3])
	}
	bytes = ch * dtypes[out.Type].Size()
	if in := s.g.Tensors[x.op.Inputs[dataInput(s.m.Code(x.op).Builtin)]]; len(in.Shape) == 4 && len(out.Shape) == 4 {
		bytes += int(in.Shape[3]) * dtypes[in.Type].Size()
	}
	if len(x.op.Inputs) > 1 && x.op.Inputs[1] >= 0 {
		switch f := s.g.Tensors[x.op.Inputs[1]].Shape; s.m.Code(x.op).Builtin {
		case model.OpConv2D, model.OpDepthwiseConv2D:
			macs = product(toInts(f))
		case model.OpFullyConnected:
			if len(f) == 2 {
				macs = int(f[1]) * ch
			}
		}
	}
	return float64(macs) + float64(bytes)*perByte(out)
}
