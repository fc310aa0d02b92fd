package fallback

import "fmt"

// routine is what computes a step, of internal/kernel or of the operator's file.
type routine string

// The routines that something else is said about than their name.
const (
	directConv   routine = "direct"   // convolution, a few rows at a time
	dotConv      routine = "dot"      // convolution with one output channel
	winogradConv routine = "winograd" // convolution F(4x4, 3x3)
	borderCopy   routine = "pad"      // a copy with a border around it
	pairTable    routine = "pair table"
	pairVectors  routine = "pointwise quantised"
)

// how is the way a step is computed, in parts, since passes change them: for
// people, and for `edged inspect --plan`.
type how struct {
	routine  routine
	values   string // that a convolution or a copy is for: "f32", "depth i8"
	maxpool  bool   // the max pool before it is computed on the way
	residual bool   // an ADD behind it too
	chained  *how   // the 1x1 convolution behind it too, piece by piece
	inPlace  bool   // results go where a concatenation wants them
	copied   int    // of a concatenation: the operands that are still copied,
	operands int    // of so many; 0: all
}

func (h how) String() string {
	s := string(h.routine)
	if h.values != "" {
		s += " " + h.values
	}
	if h.maxpool {
		s = "max, " + s
	}
	if h.residual {
		s += " + add"
	}
	if h.chained != nil {
		s += ", " + h.chained.pointwise().String()
	}
	if h.operands > 0 {
		s = fmt.Sprintf("%s %d of %d", s, h.copied, h.operands)
	}
	if h.inPlace {
		s += ", in place"
	}
	return s
}

// pointwise is h under the name that direct convolution has where it only mixes
// channels, behind another one.
func (h how) pointwise() how {
	if h.routine == directConv {
		h.routine = "1x1"
	}
	return h
}
