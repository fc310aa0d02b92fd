package rewrite

import "edged/model"

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
	for d := 1; d < e; d++ {
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
