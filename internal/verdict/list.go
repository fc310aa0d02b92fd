package verdict

import (
	"math"

	"edged"
)

// look is a class whose blobs are listed: each that any rule on it would count.
type look struct {
	Rule
	rule  int   // index of the rule that looks for just these, in no zone; -1: none does
	blobs blobs // found where none does
}

// looks are the classes of the rules, each once, in the rules' order.
func looks(rules []state) []look {
	var all []look
	for i := range rules {
		r := &rules[i].Rule
		at := -1
		for k := range all {
			if all[k].Class == r.Class {
				at = k
			}
		}
		if at < 0 {
			all = append(all, look{Rule: *r})
			continue
		}
		l := &all[at]
		l.MinScore, l.MinAreaPx = min(l.MinScore, r.MinScore), min(l.MinAreaPx, r.MinAreaPx)
	}
	for k := range all {
		all[k].rule = -1
		for i := range rules {
			if r := &rules[i].Rule; r.Class == all[k].Class && r.MinScore == all[k].MinScore && r.MinAreaPx == all[k].MinAreaPx && rules[i].zone == "" {
				all[k].rule = i
			}
		}
	}
	return all
}

// list is the largest blobs of one mask, and how many there were in all. Its memory is
// kept from mask to mask.
type list struct {
	largest []edged.Blob
	keys    []key // of largest
	total   int
}

// key orders blobs: the largest first; of equals the first class's, and of those the
// first found.
type key struct {
	area, look int
	born       int64
}

func (k key) before(o key) bool {
	switch {
	case k.area != o.area:
		return k.area > o.area
	case k.look != o.look:
		return k.look < o.look
	}
	return k.born < o.born
}

func (l *list) reset() {
	if l.largest == nil {
		l.largest, l.keys = make([]edged.Blob, 0, edged.MaxBlobs), make([]key, 0, edged.MaxBlobs)
	}
	l.largest, l.keys, l.total = l.largest[:0], l.keys[:0], 0
}

// takes tells whether there is room for a blob.
func (l *list) takes(k key) bool {
	n := len(l.keys)
	return n < edged.MaxBlobs || k.before(l.keys[n-1])
}

// insert keeps the list sorted.
func (l *list) insert(b edged.Blob, k key) {
	if !l.takes(k) {
		return
	}
	n := min(len(l.largest)+1, edged.MaxBlobs)
	l.largest, l.keys = l.largest[:n], l.keys[:n]
	at := n - 1
	for ; at > 0 && k.before(l.keys[at-1]); at-- {
		l.largest[at], l.keys[at] = l.largest[at-1], l.keys[at-1]
	}
	l.largest[at], l.keys[at] = b, k
}

// blob places p on the frame. A mask position stands for the frame pixels that
// are closer to its centre than to any other position's.
func (p *part) blob(class string, g *edged.Grid, scored bool) edged.Blob {
	y, h := span(p.top, p.bottom, g.Origin[0], g.Stride[0])
	x, w := span(p.left, p.right, g.Origin[1], g.Stride[1])
	b := edged.Blob{Class: class, X: x, Y: y, W: w, H: h, Px: int(p.area)}
	if mean := p.score / float64(p.area); scored && !math.IsNaN(mean) && !math.IsInf(mean, 0) {
		b.Score = mean
	}
	return b
}

// span is the frame pixels of the positions from..to-1 along one axis: at least
// one, none before the frame's edge.
func span(from, to int32, origin, stride float64) (at, n int) {
	edge := func(i int32) int { return max(0, int(math.Round(origin+(float64(i)-0.5)*stride+0.5))) }
	at = edge(from)
	return at, max(1, edge(to)-at)
}
