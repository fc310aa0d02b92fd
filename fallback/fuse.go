package fallback

import "math"

// fused is what fusion added to an operator.
type fused struct {
	pads   *[4]int // top, bottom, left, right; nil: as the options say
	dilate [2]int  // factors on the operator's own dilation, y and x
	lo, hi float32 // clamp of float results
}

var unfused = fused{dilate: [2]int{1, 1}, lo: -math.MaxFloat32, hi: math.MaxFloat32}

func (p *plan) fuse(nodes []*node) []*node { return nodes }
