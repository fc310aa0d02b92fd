package rewrite

import (
	"fmt"
	"math"
	"slices"
)

// axisGrid places a map on the frame along one axis: element j of the strided
// net looks at pixels j*e - o ... j*e - o + r - 1.
type axisGrid struct {
	e      int // eST: pixels from one element to the next
	o      int // origin: pixels of padding before element 0's window
	r      int // receptive field, in pixels
	n      int // elements of the strided net at the frame's size
	span   int // positions of the dense net at output stride 1, its end not cropped yet
	before int // how many pixels before position 0 a padded value starts to be seen: position p sees one where p < before; unpadded if none
	after  int // the same behind position span-1
	padded bool
	global bool // looks at the whole frame: r says nothing
	loose  bool // behind a decoder: r is a bound
	bad    bool // has no grid along this axis
}

// unpadded is the reach of a map that no padded value enters.
const unpadded = math.MinInt32

// padReach carries the reach of padded values through a layer that pads by pad
// pixels, or crops where pad is negative.
func padReach(reach, pad int) int {
	if reach > unpadded {
		reach += pad
	}
	if pad > 0 {
		reach = max(reach, pad)
	}
	return reach
}

// place gives every map its grid for a frame of the given size, and fails
// where the frame is smaller than what a layer needs.
func (n *net) place(frame pair) error {
	n.frame = frame
	for i := range frame {
		n.input.grid[i] = axisGrid{e: 1, r: 1, n: frame[i], span: frame[i], before: unpadded, after: unpadded}
	}
	for _, nd := range n.nodes {
		for i := range frame {
			g, err := nd.placeAxis(i)
			if err != nil {
				return &Refusal{Op: n.opName(nd.op), Index: nd.index, Reason: err.Error(), Instead: "use a larger --input"}
			}
			for _, v := range nd.out {
				v.grid[i] = g
			}
		}
	}
	return nil
}

func (nd *node) placeAxis(i int) (axisGrid, error) {
	in := nd.maps()
	g := in[0].grid[i]
	switch nd.kind {
	case kindUp:
		return upGrid(g, nd.up[i]), nil
	case kindMixed:
		return mixedGrid(in, i), nil
	}
	for _, v := range in[1:] {
		g = joinGrid(g, v.grid[i])
	}
	w := nd.win
	g.o += w.a[i] * g.e
	g.r += (w.k[i] - 1) * w.d[i] * g.e
	g.n = w.out(pair{g.n, g.n})[i]
	g.span += (w.a[i] + w.b[i] - (w.k[i]-1)*w.d[i]) * g.e
	g.before = padReach(g.before, w.a[i]*g.e)
	g.after = padReach(g.after, w.b[i]*g.e)
	g.e *= w.s[i]
	g.padded = g.padded || w.a[i] > 0 || w.b[i] > 0
	const most = 1 << 24 // pixels of any frame along an axis
	if g.e > most {
		return g, fmt.Errorf("the strides along %s multiply to %d", axisName(i), g.e)
	}
	if g.n < 1 && !g.bad {
		return g, fmt.Errorf("the frame is too small: nothing is left of the map along %s", axisName(i))
	}
	return g, nil
}

func axisName(i int) string { return [...]string{"y", "x"}[i] }

// joinGrid is the grid of an elementwise join: aligned by index, looking at
// whatever any branch looks at.
func joinGrid(a, b axisGrid) axisGrid {
	end := max(a.r-a.o, b.r-b.o)
	j := axisGrid{e: a.e, o: max(a.o, b.o), n: min(a.n, b.n)}
	j.r = j.o + end
	j.span = min(a.span, b.span)
	j.before = max(a.before, b.before)
	j.after = max(a.shortened(j.span), b.shortened(j.span))
	j.padded = a.padded || b.padded
	j.global = a.global || b.global
	j.loose = a.loose || b.loose
	j.bad = a.bad || b.bad || a.e != b.e
	return j
}

// shortened is the reach of padded values behind the end once the map is
// cropped to n positions.
func (g axisGrid) shortened(n int) int {
	if g.after == unpadded {
		return unpadded
	}
	return g.after - (g.span - n)
}

// upGrid is the grid behind an operator that makes it finer. Its receptive field
// is a bound whose centre is where the output lies.
func upGrid(g axisGrid, f finer) axisGrid {
	if f == (finer{by: 1, last: 1}) {
		return g
	}
	if g.n == 1 && g.e%f.by != 0 { // one number spread over a map: a statistic beside a map of its own eST
		g.n, g.span, g.global = f.length(1), g.span+(f.length(1)-1)*g.e, true
		return g
	}
	g.n = f.length(g.n)
	g.padded, g.loose = true, true
	if g.e%f.by != 0 {
		g.bad = true
		return g
	}
	g.e /= f.by
	g.o += f.before * g.e
	g.r += (f.before + f.after) * g.e
	return g
}

// mixedGrid is that of the map among the inputs; it looks at the whole frame.
func mixedGrid(in []*value, i int) axisGrid {
	g := in[0].grid[i]
	for _, v := range in {
		if v.grid[i].n > g.n {
			g = v.grid[i]
		}
	}
	g.global = true
	return g
}

// prefixes are the output strides that axis i can have: the eST values that
// every chain of layers to an output passes through.
func (n *net) prefixes(i int) []int {
	all := []int{1}
	for _, nd := range n.nodes {
		all = append(all, nd.out[0].grid[i].e)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(q int) bool { return q < 1 || !n.divides(i, q) })
}

// divides reports whether q is reached, and no layer strides across it.
func (n *net) divides(i, q int) bool {
	reached := q == 1
	for _, nd := range n.nodes {
		reached = reached || nd.out[0].grid[i].e == q
		if nd.kind == kindUp || nd.kind == kindMixed {
			continue
		}
		before, after := nd.maps()[0].grid[i].e, nd.out[0].grid[i].e
		if before < q && after > q || after >= q && after%q != 0 {
			return false
		}
	}
	return reached
}
