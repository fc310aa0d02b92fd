package rows

import (
	"edged/model"
)

// value is a map of the net, [1, rows, width, channels], whichever way the dense
// graph holds it.
type value struct {
	tensor int32 // of the dense graph that has the same numbers, -1: none
	typ    model.TensorType
	quant  *model.Quantization
	width  int
	ch     int
	block  [2]int // by which the dense graph holds it split in the batch, y and x
	trail  []int  // dimensions behind the first, of a list of positions; nil: a map
	list   *value // the map whose positions a list has

	num, den int // its rows for each of the picture's: num/den
	delay    int // its row j is the (j+delay)-th that is emitted
	kept     int // rows before a strip that its readers need
	tail     int // rows at its end that padding added
	junk     int // columns that the dense graph has behind it, and that nobody sees
	from     *node
}

func (v *value) rows(picture int) int { return picture * v.num / v.den }

// node is an operator on maps.
type node struct {
	op    *model.Operator
	code  model.BuiltinOperator
	index int
	kind  kind
	in    []arg
	out   *value

	// Along the rows: out's row j needs rows j*stride-before ... + reach of in[0].
	stride, reach, before int
	after                 int    // rows of padding behind, or, negative, cut off
	columns               [2]int // added before and behind, negative: cut off
	columnStride          int
	resize                resize // of upward
	dilation              [2]int // of a window on the whole map
	fill                  fill   // what padding is
	masked                bool   // rows outside of in[0]'s are to be filled, or left out
	edge                  int    // first rows of out that those before in[0]'s concern
	sides                 bool   // of a pool that leaves padding out: there are columns of it
}

// span is how far a window reaches; a cut looks further only to know whether its
// rows are there.
func (nd *node) span() int {
	if nd.kind == window {
		return nd.reach
	}
	return 0
}

// kind is what a node does.
type kind uint8

const (
	point  kind = iota // each position by itself, of one map or several
	window             // a convolution or a pool, without padding
	shift              // padding and cutting
	fold               // a map becomes a list of its positions, or back
	upward             // a resize to more rows
	unary              // a constant made of constants
)

// fill is what stands where there is no map.
type fill uint8

const (
	zero   fill = iota // zeros, or zero points
	lowest             // less than everything
)

// arg is an operand: a map, or a tensor of the dense graph that is constant, or
// none at all (-1).
type arg struct {
	val   *value
	konst int32
	kept  int // rows before the strip that are read
}

func ceilDiv(a, b int) int {
	if a <= 0 {
		return -(-a / b)
	}
	return (a + b - 1) / b
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func lcm(a, b int) int { return a / gcd(a, b) * b }
