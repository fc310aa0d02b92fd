package fallback

import (
	"os"
	"slices"

	"edged/model"
)

// sharingVariable says how far windows share their layers: EDGED_SHARING=off not at
// all, =all as far as they can; else as far as it pays.
const sharingVariable = "EDGED_SHARING"

// sharer finds out which layers of a net on windows can be computed on the frame,
// and up to which of them that pays.
type sharer struct {
	*windowed
	place map[int32]laidOut // of every map that can be shared
	work  []layer           // of the body, in order
}

// layer is an operator of the body as it would be shared.
type layer struct {
	op     *model.Operator
	y, x   window
	slides bool    // it is no operator on single units
	alone  float64 // cost for every window by itself
	shared float64 // cost for all windows together
	bytes  int     // of packed weights, where every region has its own
}

// mostPacked is how much memory the weights of shared layers may take: every
// region of a map has a convolution of its own.
const mostPacked = 48 << 20

// clearSharing is how much less work sharing must be expected to be: what is
// expected is rough.
const clearSharing = 0.9

// worthwhile is how much less work a later end of sharing must be expected to be than
// the one before: each takes more memory.
const worthwhile = 0.97

// newSharer places as many layers as can be shared.
func newSharer(w *windowed) *sharer {
	s := &sharer{windowed: w, place: map[int32]laidOut{}}
	frame := w.g.Tensors[w.frame].Shape
	var l laidOut
	for i := range l.axis {
		l.axis[i] = frameSpan(int(frame[1+i]), w.size[i], w.count[i], w.stride[i])
	}
	s.place[w.stack] = l
	going := true
	for _, i := range w.body {
		x := layer{op: w.g.Operators[i]}
		going = going && s.share(&x)
		s.price(&x, going)
		s.work = append(s.work, x)
	}
	return s
}

// cut is the last shared layer, counted from 1, at most layer most, and the tensor
// that all behind it starts from; 0 and the windows themselves where nothing is shared.
func (s *sharer) cut(most int) (layers int, tensor int32) {
	tensor = s.stack
	how := os.Getenv(sharingVariable)
	if how == "off" {
		return 0, tensor
	}
	so := s.handing(s.stack)
	for _, x := range s.work {
		so += x.alone
	}
	limit, packed := clearSharing*so, 0
	so -= s.handing(s.stack)
	least := limit
	for k, x := range s.work[:min(most, len(s.work))] {
		t := x.op.Outputs[0]
		if _, ok := s.place[t]; !ok {
			break
		}
		so += x.shared - x.alone
		if packed += x.bytes; packed > mostPacked {
			break
		}
		if !s.dominates(k, t) {
			continue
		}
		if cost := so + s.handing(t); how == "all" || cost < limit && cost < worthwhile*least {
			least, layers, tensor = cost, k+1, t
		}
	}
	return layers, tensor
}

// dominates says that behind layer k nothing but tensor t is read of what comes
// before.
func (s *sharer) dominates(k int, t int32) bool {
	later := map[int32]bool{t: true}
	for _, x := range s.work[k+1:] {
		for _, in := range x.op.Inputs {
			if in >= 0 && s.moved[in] && !later[in] {
				return false
			}
		}
		for _, o := range x.op.Outputs {
			later[o] = true
		}
	}
	return !slices.ContainsFunc(s.results, func(r int32) bool { return !later[r] || r == t })
}

// share places the result of a layer; false where it cannot be shared.
func (s *sharer) share(x *layer) bool {
	code := s.m.Code(x.op).Builtin
	out := s.g.Tensors[x.op.Outputs[0]]
	in, ok := s.place[x.op.Inputs[0]]
	if len(x.op.Outputs) != 1 || len(out.Shape) != 4 || dtypes[out.Type].Size() == 0 {
		return false
	}
	var to laidOut
	switch {
	case code == model.OpConv2D || code == model.OpDepthwiseConv2D || code == model.OpMaxPool2D || code == model.OpAveragePool2D:
		if !ok || !s.window(x, code) {
			return false
		}
		to = in.slide(x.y, x.x)
	case code == model.OpPad:
		if !ok || !s.padding(x) {
			return false
		}
		to = in.slide(x.y, x.x)
	case slices.Contains(pointwise, code):
		if to, ok = s.joined(x, out); !ok {
			return false
		}
	default:
		return false
	}
	s.place[x.op.Outputs[0]] = to
	return true
}

// pointwise are operators on single units, of one map or several.
var pointwise = []model.BuiltinOperator{
	model.OpAdd, model.OpSub, model.OpMul, model.OpDiv, model.OpMaximum, model.OpMinimum, model.OpSquaredDifference, model.OpPrelu, model.OpConcatenation,
	model.OpRelu, model.OpRelu6, model.OpReluN1To1, model.OpLeakyRelu, model.OpElu, model.OpHardSwish, model.OpGelu, model.OpLogistic, model.OpTanh,
	model.OpAbs, model.OpNeg, model.OpExp, model.OpSqrt, model.OpRsqrt, model.OpQuantize, model.OpDequantize,
}

// window reads a layer's window; false where what it computes depends on more than
// that: dynamic ranges, averages that count the taps inside the map.
func (s *sharer) window(x *layer, code model.BuiltinOperator) bool {
	in := s.g.Tensors[x.op.Inputs[0]]
	w, ok := model.WindowOf(s.m, s.g, x.op)
	if !ok || len(in.Shape) != 4 {
		return false
	}
	if !w.Pool {
		if len(x.op.Inputs) < 2 || x.op.Inputs[1] < 0 {
			return false
		}
		f := s.g.Tensors[x.op.Inputs[1]]
		if len(f.Shape) != 4 || f.Type != in.Type {
			return false
		}
		w.Filter = [2]int{int(f.Shape[1]), int(f.Shape[2])}
	}
	x.y = window{in: int(in.Shape[1]), k: w.Filter[0], stride: w.Stride[0], dilate: max(w.Dilation[0], 1)}
	x.x = window{in: int(in.Shape[2]), k: w.Filter[1], stride: w.Stride[1], dilate: max(w.Dilation[1], 1)}
	if !x.y.resolve(w.Padding) || !x.x.resolve(w.Padding) {
		return false
	}
	unpadded := x.y.before == 0 && x.y.after == 0 && x.x.before == 0 && x.x.after == 0
	x.slides = !unpadded || w.Filter != [2]int{1, 1} || w.Stride != [2]int{1, 1}
	return unpadded || code != model.OpAveragePool2D
}

// padding reads a PAD along y and x.
func (s *sharer) padding(x *layer) bool {
	in, p := s.g.Tensors[x.op.Inputs[0]], s.input(x.op, 1)
	if len(p) != 8 || len(in.Shape) != 4 || p[0]|p[1]|p[6]|p[7] != 0 || slices.Min(p) < 0 {
		return false
	}
	x.y = window{in: int(in.Shape[1]), k: 1, stride: 1, dilate: 1, before: p[2], after: p[3]}
	x.x = window{in: int(in.Shape[2]), k: 1, stride: 1, dilate: 1, before: p[4], after: p[5]}
	x.slides = true
	return x.y.resolve(model.PaddingValid) && x.x.resolve(model.PaddingValid)
}

// joined places what is computed unit by unit from maps of one size, and from
// constants that are the same at every unit.
func (s *sharer) joined(x *layer, out *model.Tensor) (l laidOut, ok bool) {
	if s.m.Code(x.op).Builtin == model.OpConcatenation {
		if o, is := x.op.Options.(*model.ConcatenationOptions); !is || o.Axis != 3 && o.Axis != -1 {
			return l, false
		}
	}
	found := false
	for _, t := range x.op.Inputs {
		if t < 0 {
			continue
		}
		shape := s.g.Tensors[t].Shape
		if !s.moved[t] {
			ch := out.Shape[3]
			if n := product(toInts(shape)); n != 1 && (n != int(ch) || shape[len(shape)-1] != ch) {
				return l, false
			}
			continue
		}
		p, is := s.place[t]
		if !is || len(shape) != 4 || shape[1] != out.Shape[1] || shape[2] != out.Shape[2] {
			return l, false
		}
		if !found {
			l, found = p, true
		} else if l, is = l.join(p); !is {
			return l, false
		}
	}
	x.y = window{in: int(out.Shape[1]), out: int(out.Shape[1]), k: 1, stride: 1, dilate: 1}
	x.x = window{in: int(out.Shape[2]), out: int(out.Shape[2]), k: 1, stride: 1, dilate: 1}
	return l, found
}
