package fallback

// Sharing between windows. A unit of a map whose cone meets no padding inside the
// window is the same for every window that holds it, if windows begin at pixels
// that the layer's eST divides: it is computed once a frame. One that meets padding
// along one axis alone is the same for all windows of one row, or one column, of
// windows. Only what meets padding along both is a window's own.
//
// So along an axis the units of a map fall into three parts, and a map into nine
// regions. A shared tensor holds them one behind the other.

// The parts of an axis.
const (
	inner  = iota // meets no padding: once
	before        // meets the padding before: each window's own
	after         // meets the padding behind, and none before
	parts
	outside = -1 // is padding
)

// span places a map along one axis: n units in a window, eST pixels apart, of
// which those in [lo, hi) meet no padding.
type span struct {
	est    int
	n      int
	lo, hi int
	count  int // windows
	step   int // pixels from one to the next
	whole  int // of the frame itself: its length; else 0
}

// frameSpan is the frame: no unit of it meets padding.
func frameSpan(length, size, count, step int) span {
	return span{est: 1, n: size, hi: size, count: count, step: step, whole: length}
}

// units is how many units part p has, in each of its copies.
func (a span) units(p int) int {
	switch p {
	case before:
		return a.lo
	case after:
		return a.n - a.hi
	}
	if a.whole > 0 {
		return a.whole
	}
	if a.hi == a.lo {
		return 0
	}
	return a.step/a.est*(a.count-1) + a.hi - a.lo
}

// copies is how often part p is there: for each window, or once.
func (a span) copies(p int) int {
	if p == inner {
		return 1
	}
	return a.count
}

// total is the number of units that are held, in all parts.
func (a span) total() int {
	n := 0
	for p := range parts {
		n += a.copies(p) * a.units(p)
	}
	return n
}

// spot is a unit along one axis: part, copy, and place in it.
type spot struct{ part, copy, at int }

// spot finds unit j of window t.
func (a span) spot(t, j int) spot {
	switch {
	case j < 0 || j >= a.n:
		return spot{part: outside}
	case j < a.lo:
		return spot{before, t, j}
	case j >= a.hi:
		return spot{after, t, j - a.hi}
	}
	return spot{inner, 0, a.step/a.est*t + j - a.lo}
}

// slide is the span behind a window: w.in is the map's length, as in every window.
func (a span) slide(w window) span {
	o := span{est: a.est * w.stride, n: w.out, count: a.count, step: a.step}
	if o.step%o.est != 0 {
		o.lo, o.hi = o.n, o.n
		return o
	}
	o.lo = min(max(0, ceilDiv(a.lo+w.before, w.stride)), o.n)
	o.hi = min(max(o.lo, floorDiv(a.hi-w.span()+w.before, w.stride)+1), o.n)
	if o.hi == o.lo {
		o.lo, o.hi = o.n, o.n
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

// join is the span of what is computed from both, unit by unit.
func (a span) join(b span) (span, bool) {
	if a.est != b.est || a.n != b.n {
		return a, false
	}
	o := a
	o.whole, o.lo, o.hi = 0, max(a.lo, b.lo), min(a.hi, b.hi)
	if o.hi <= o.lo {
		o.lo, o.hi = o.n, o.n
	}
	return o, true
}

// begin is the first unit of part p: of a window, or, of the inner one, of the
// first window.
func (a span) begin(p int) int {
	switch p {
	case before:
		return 0
	case after:
		return a.hi
	}
	return a.lo
}

// feeds lists, for copy t of part p of the span behind window w, the units of a
// that it is computed from, in order.
func (a span) feeds(o span, w window, p, t int) []spot {
	n := o.units(p)
	if n == 0 {
		return nil
	}
	list := make([]spot, (n-1)*w.stride+w.span())
	from := o.begin(p)*w.stride - w.before
	for i := range list {
		if p == inner {
			list[i] = spot{inner, 0, from + i - a.lo}
		} else {
			list[i] = a.spot(t, from+i)
		}
	}
	return list
}

// laidOut is a shared tensor: nine regions, one behind the other, each [copies
// along y, copies along x, units along y, units along x, channels].
type laidOut struct{ axis [2]span }

// pixels is the number of units in the region of parts py, px.
func (l laidOut) pixels(py, px int) int {
	return l.axis[0].copies(py) * l.axis[0].units(py) * l.axis[1].copies(px) * l.axis[1].units(px)
}

// size is the number of units in all.
func (l laidOut) size() int { return l.axis[0].total() * l.axis[1].total() }

// base is where the region of parts py, px begins.
func (l laidOut) base(py, px int) int {
	at := 0
	for r := range py*parts + px {
		at += l.pixels(r/parts, r%parts)
	}
	return at
}

// at is the place of a unit; negative where it is padding.
func (l laidOut) at(bases *[parts * parts]int, y, x spot) int {
	if y.part == outside || x.part == outside {
		return outside
	}
	b := y.copy*l.axis[1].copies(x.part) + x.copy
	return bases[y.part*parts+x.part] + (b*l.axis[0].units(y.part)+y.at)*l.axis[1].units(x.part) + x.at
}

func (l laidOut) bases() *[parts * parts]int {
	var b [parts * parts]int
	for r := range b {
		b[r] = l.base(r/parts, r%parts)
	}
	return &b
}

func (l laidOut) slide(y, x window) laidOut {
	return laidOut{[2]span{l.axis[0].slide(y), l.axis[1].slide(x)}}
}

// join is the layout of what is computed from two maps.
func (l laidOut) join(o laidOut) (laidOut, bool) {
	y, ok1 := l.axis[0].join(o.axis[0])
	x, ok2 := l.axis[1].join(o.axis[1])
	return laidOut{[2]span{y, x}}, ok1 && ok2
}
