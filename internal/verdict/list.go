package verdict

import (
	"math"

	"edged"
	"edged/internal/zones"
)

// look is a class whose blobs are listed: each that any rule on it would count.
type look struct {
	Rule
	rule int // index of the rule that looks for just these, in no zone; -1: none does
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

// list is the largest blobs of one mask, and how many there were. Its memory is
// kept from mask to mask.
type list struct {
	largest []edged.Blob
	total   int
}

func (l *list) reset() {
	if l.largest == nil {
		l.largest = make([]edged.Blob, 0, edged.MaxBlobs)
	}
	l.largest, l.total = l.largest[:0], 0
}

// take lists the components that b has found.
func (l *list) take(b *blobs, r *Rule, g *edged.Grid, scored bool, set *zones.Set) {
	for i, p := range b.parent {
		if part := &b.parts[i]; int(p) == i && int(part.area) >= r.MinAreaPx {
			l.total++
			l.insert(part, r.Name, g, scored, set)
		}
	}
}

// insert keeps the list sorted, the largest first; of equals the first found.
func (l *list) insert(p *part, class string, g *edged.Grid, scored bool, set *zones.Set) {
	n := len(l.largest)
	if n == edged.MaxBlobs && int(p.area) <= l.largest[n-1].Px {
		return
	}
	if n < edged.MaxBlobs {
		l.largest = l.largest[:n+1]
		n++
	}
	at := n - 1
	for ; at > 0 && l.largest[at-1].Px < int(p.area); at-- {
		l.largest[at] = l.largest[at-1]
	}
	blob := p.blob(class, g, scored)
	blob.Zone = set.At(float64(blob.X)+float64(blob.W-1)/2, float64(blob.Y)+float64(blob.H-1)/2)
	l.largest[at] = blob
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
