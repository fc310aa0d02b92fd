package rewrite

import (
	"slices"

	"edged/model"
)

// band is the border, in input pixels, in which outputs of phases other than 0
// may differ from the baseline on a shifted crop: per layer in front of v
// beta += a*e where beta > 0 or the phase reaches e, for the worst phase.
func (n *net) band(v *value) model.Band {
	var start, end pair
	for i := range start {
		start[i] = n.beta(v, i, func(nd *node) int { return nd.win.a[i] })
		end[i] = n.beta(v, i, func(nd *node) int { return nd.win.b[i] })
	}
	return model.Band{Top: start[0], Left: start[1], Bottom: end[0], Right: end[1]}
}

func (n *net) beta(v *value, i int, pad func(*node) int) int {
	worst := 0
	e := v.grid[i].e
	for _, d := range n.phases(i, e) {
		beta := map[*value]int{}
		for _, nd := range n.nodes {
			in := nd.maps()
			b, before := 0, in[0].grid[i].e
			for _, u := range in {
				b = max(b, beta[u])
			}
			if p := pad(nd); p != 0 && (b > 0 || d >= before) {
				b = max(b+p*before, 0)
			}
			for _, u := range nd.out {
				beta[u] = b
			}
		}
		worst = max(worst, ceilDiv(beta[v], e)*e)
	}
	return worst
}

// phases are the phases below e that differ in which layers they reach: 1, and
// every eST at which one more layer is reached.
func (n *net) phases(i, e int) []int {
	all := []int{1}
	for _, nd := range n.nodes {
		all = append(all, nd.maps()[0].grid[i].e)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(d int) bool { return d < 1 || d >= e })
}

// measuredBand is the border, in input pixels, outside which nothing differed:
// top, left, bottom, right.
type measuredBand struct {
	width [4]int
	open  [][4]int // units that more than one border may explain
}

// note takes a unit that differs: need says how wide each border has to be to
// hold it, 0 for a border whose padding the unit does not see.
func (b *measuredBand) note(need [4]int) {
	side, sides := 0, 0
	for i, n := range need {
		if n > 0 {
			side, sides = i, sides+1
		}
	}
	if sides == 1 {
		b.width[side] = max(b.width[side], need[side])
		return
	}
	b.open = append(b.open, need)
}

// settle explains what is open by the borders as they are, or by the one that
// has to grow least.
func (b *measuredBand) settle() model.Band {
	for _, need := range b.open {
		best, grow := -1, 0
		for i, n := range need {
			if n > 0 && (best < 0 || n-b.width[i] < grow) {
				best, grow = i, n-b.width[i]
			}
		}
		if best >= 0 && grow > 0 {
			b.width[best] += grow
		}
	}
	b.open = nil
	return model.Band{Top: b.width[0], Left: b.width[1], Bottom: b.width[2], Right: b.width[3]}
}
