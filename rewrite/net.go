package rewrite

import "edged/model"

// pair holds one number per axis, y then x.
type pair [2]int

func (p pair) area() int { return p[0] * p[1] }

// kind is what a node does to the map's grid.
type kind uint8

const (
	kindPoint   kind = iota // each output position from the same position of its inputs
	kindConv                // CONV_2D, DEPTHWISE_CONV_2D
	kindMax                 // MAX_POOL_2D; its padding means "skip"
	kindMean                // AVERAGE_POOL_2D, L2_POOL_2D without padding
	kindAverage             // AVERAGE_POOL_2D, SAME, stride 1: divides by the taps that exist
	kindPad                 // PAD, PADV2
	kindCrop                // SLICE, STRIDED_SLICE over y and x: a 1x1 window with negative pads
	kindGlobal              // MEAN, SUM ... over the whole map: a window as large as the patch's map
	kindFlat                // FULLY_CONNECTED over a whole map: a convolution
	kindRows                // FULLY_CONNECTED at every position
	kindUp                  // RESIZE, TRANSPOSE_CONV, DEPTH_TO_SPACE: the grid gets finer
	kindMixed               // a map together with a statistic of the whole map
)

// window is a sliding window, per axis, in elements of the node's input.
// Negative pads cut off.
type window struct {
	k, s, d pair // size, stride, dilation
	a, b    pair // pads before and after
}

var unitWindow = window{k: pair{1, 1}, s: pair{1, 1}, d: pair{1, 1}}

// out is the length of the window's output over n elements, which may be less than 1.
func (w window) out(n pair) pair {
	var o pair
	for i := range o {
		o[i] = floorDiv(n[i]+w.a[i]+w.b[i]-(w.k[i]-1)*w.d[i]-1, w.s[i]) + 1
	}
	return o
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func ceilDiv(a, b int) int { return -floorDiv(-a, b) }

// value is one map of the net: [1, n[0], n[1], ch] whatever layout the
// baseline's tensor had.
type value struct {
	tensor int32 // the baseline's tensor that holds the same numbers
	typ    model.TensorType
	quant  *model.Quantization
	name   string
	n      pair // size in the baseline as compiled
	ch     int
	grid   [2]axisGrid // set by place
}

// arg is an input of a node: a map, or a constant of the baseline, or neither
// (an optional input left out).
type arg struct {
	val   *value
	konst int32   // tensor index, -1 for none
	shape []int32 // the constant's shape where it differs from the baseline's
	perm  []int   // order in which a permuted constant's axes are stored, nil: as it is
}

// node is an operator of the baseline and what it does to the grid.
type node struct {
	kind       kind
	op         *model.Operator
	code       model.BuiltinOperator
	index      int // the operator's index in the baseline
	win        window
	up         [2]finer // kindUp: per axis
	args       []arg
	out        []*value
	axis       int32  // the axis that a point operator works along, in NHWC
	span       span   // a channel slice
	order      []int  // a channel shuffle: where each channel comes from
	keepDims   bool   // kindGlobal: as in the baseline
	channelPad pair   // kindPad: before and after the channels
	scales     bool   // dynamic-range: scales its input by the largest value of the whole map
	placed     bool   // has a constant of the map's size
	refuse     string // why the dense forms cannot hold this node, empty if they can
	cure       string
}

// maps are the node's map inputs in order.
func (nd *node) maps() []*value {
	var v []*value
	for _, a := range nd.args {
		if a.val != nil {
			v = append(v, a.val)
		}
	}
	return v
}

// net is a baseline seen as maps on a grid.
type net struct {
	m       *model.Model
	g       *model.Subgraph
	nodes   []*node
	input   *value
	inDims  [][]atom // layout of the baseline's input
	outputs []*output
	layouts map[int32]*layout // of every baseline tensor that holds a map
	frame   pair              // the input size that place worked with

	flattened map[int32]bool // outputs that are maps, yet no grids: lists of positions
}

// output is one output of the baseline.
type output struct {
	tensor int32
	val    *value // nil where the output is no grid
	why    *Refusal
}
