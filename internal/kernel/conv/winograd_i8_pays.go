package conv

import "math"

// WinogradI8Pays says whether WinogradI8 is faster than ConvI8, with this many channels in and out. Results do not depend on the answer.
func (r *Routines) WinogradI8Pays(ic, oc int) bool {
	g := r.winogradI8
	if !WinogradOn() || g == &winogradI8Generic {
		return false
	}
	switch k := r.convI8; {
	case k.widens:
		return min(ic, oc) >= 6
	case k.sums16, g.order == highPairs: // with dot products of 64 bytes or 32 words
		return min(ic, oc) >= winogradLeast && min(ic, oc) >= r.winogradFrom()
	}
	return false
}

// winogradLeast is the number of channels below which the transforms cost what
// the products save.
const winogradLeast = 16

// winogradFrom is the number of channels from which Winograd is faster on this
// machine: boards differ in how fast they multiply and in their caches, so it
// is measured, once in a process.
func (r *Routines) winogradFrom() int {
	measured.Lock()
	defer measured.Unlock()
	from, ok := measured.winogradI8[r.variant]
	if !ok {
		from = r.measureWinogradI8()
		measured.winogradI8[r.variant] = from
	}
	return from
}

func (r *Routines) measureWinogradI8() int {
	const most = 64
	for c := winogradLeast; c <= most; c *= 2 {
		s := ConvShape{KH: 3, KW: 3, DY: 1, DX: 1, IC: c, OC: c, Row: (rateCols + 2) * c, Pix: c}
		w, p := make([]int8, 9*c*c), ConvI8Params{Signed: true, Hi: 127, Factors: make([]Factor, c)}
		if rateRunI8(r.NewWinogradI8(s, w, nil, p), s) < rateRunI8(r.NewConvI8(s, w, nil, p), s) {
			return c
		}
	}
	return math.MaxInt
}

// rateRunI8 is how long conv takes on the map that rates are measured on.
func rateRunI8(conv interface {
	Run(k *Worker, dst, src Plane[uint8], rows, cols int)
}, s ConvShape) float64 {
	dst := Plane[uint8]{make([]uint8, rateRows*rateCols*s.OC), rateCols * s.OC, s.OC}
	src, k := Plane[uint8]{make([]uint8, (rateRows+2)*s.Row+Slack), s.Row, s.Pix}, new(Worker)
	return seconds(func() { conv.Run(k, dst, src, rateRows, rateCols) })
}
