package rewrite

import (
	"math/rand/v2"
	"slices"
)

// extraPositions and extraRuns bound what is compared on an input after the
// first, which is compared in full; patchPositions is how many single patches
// stand beside a baseline that runs on the whole frame.
const (
	extraPositions = 16384
	extraRuns      = 128
	extraSingles   = 4096 // runs, where one shows a single position
	patchPositions = 2048
)

// extraRuns is how many runs an input after the first may take.
func (o *oracle) extraRuns() int {
	units := 1
	for _, n := range o.n {
		units = max(units, n.area())
	}
	return max(extraRuns, extraSingles/units)
}

// cropPlan is one run of the baseline: a crop at pixel at, and for each output
// the units to compare; no lists: all that count.
type cropPlan struct {
	at   pair
	pick [][]int
}

// planFor lists an oracle's runs: all, or as many positions as wanted in at
// most so many runs, 0 for no limit.
func (v *verification) planFor(o *oracle, want int64, runs int, r *rand.Rand) []cropPlan {
	offsets := v.offsets(o)
	if want == 0 && (runs == 0 || len(offsets) <= runs) {
		return offsets
	}
	if want == 0 {
		want = extraPositions
	}
	return v.sample(o, offsets, want, runs, r)
}

// offsets are the pixels at which crops start: one for every phase, and, where
// crops tile the frame, as often as it takes.
func (v *verification) offsets(o *oracle) []cropPlan {
	axis := [2][]int{v.axisOffsets(o, 0), v.axisOffsets(o, 1)}
	var out []cropPlan
	for _, y := range axis[0] {
		for _, x := range axis[1] {
			out = append(out, cropPlan{at: pair{y, x}})
		}
	}
	return out
}

// axisOffsets are the offsets that any output needs: below its eST, and no
// further than its last position.
func (v *verification) axisOffsets(o *oracle, a int) []int {
	var all []int
	for k, c := range v.outs {
		last := (c.count[a] - 1) * c.q[a]
		tile := last + 1
		if o.local {
			tile = o.n[k][a] * c.e[a]
		}
		for d := 0; d < c.e[a]; d += c.q[a] {
			for p := d; p <= last && (p == d || o.local); p += tile {
				all = append(all, p)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// units lists the units of a crop at which equality with output k is promised.
func (v *verification) units(o *oracle, k int, at pair, taken []bool) []int {
	c := v.outs[k]
	var list []int
	for u := range o.n[k].area() {
		j := pair{u / o.n[k][1], u % o.n[k][1]}
		t, ok := c.position(j, at)
		if !ok || !c.comparable(pair{at[0] + j[0]*c.e[0], at[1] + j[1]*c.e[1]}, at) || taken[t[0]*c.size[1]+t[1]] {
			continue
		}
		taken[t[0]*c.size[1]+t[1]] = true
		list = append(list, u)
	}
	return list
}

// sample takes promised positions alone: crops of every phase in turn, and of
// each crop a share of its units, until every output has its part of want.
func (v *verification) sample(o *oracle, all []cropPlan, want int64, runs int, r *rand.Rand) []cropPlan {
	taken := make([][]bool, len(v.outs))
	for k, c := range v.outs {
		taken[k] = make([]bool, c.size.area())
	}
	need := share(want, len(v.outs))
	room := make([]int64, len(v.outs))
	var chosen []cropPlan
	for _, p := range v.inTurn(all, r) {
		if runs > 0 && len(chosen) >= runs || v.enough(room, need, len(chosen)) {
			break
		}
		p.pick = make([][]int, len(v.outs))
		empty := true
		for k := range v.outs {
			p.pick[k] = v.units(o, k, p.at, taken[k])
			room[k] += int64(len(p.pick[k]))
			empty = empty && len(p.pick[k]) == 0
		}
		if !empty {
			chosen = append(chosen, p)
		}
	}
	for k := range v.outs {
		thin(chosen, k, need[k], r)
	}
	return slices.DeleteFunc(chosen, func(p cropPlan) bool {
		return !slices.ContainsFunc(p.pick, func(l []int) bool { return len(l) > 0 })
	})
}

// share splits want over the outputs, at least one for each.
func share(want int64, outputs int) []int64 {
	need := make([]int64, outputs)
	for k := range need {
		need[k] = max(1, (want+int64(k))/int64(outputs))
	}
	return need
}

// enough reports whether the crops chosen have room for what is needed, in as
// many phases as there are or as positions are wanted.
func (v *verification) enough(room, need []int64, crops int) bool {
	for k, c := range v.outs {
		phases := int64(min(c.e[0]/c.q[0], c.count[0]) * min(c.e[1]/c.q[1], c.count[1]))
		if room[k] < need[k] || int64(crops) < min(need[k], phases) {
			return false
		}
	}
	return true
}

// inTurn puts one crop of every phase first, then a second one of each, and so on.
func (v *verification) inTurn(all []cropPlan, r *rand.Rand) []cropPlan {
	byPhase := map[pair][]cropPlan{}
	var phases []pair
	for _, p := range all {
		f := v.phase(p.at)
		if byPhase[f] == nil {
			phases = append(phases, f)
		}
		byPhase[f] = append(byPhase[f], p)
	}
	r.Shuffle(len(phases), func(i, j int) { phases[i], phases[j] = phases[j], phases[i] })
	for _, f := range phases {
		l := byPhase[f]
		r.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
	}
	out := make([]cropPlan, 0, len(all))
	for k := 0; len(out) < len(all); k++ {
		for _, f := range phases {
			if k < len(byPhase[f]) {
				out = append(out, byPhase[f][k])
			}
		}
	}
	return out
}

// thin leaves need units of output k, from every crop its share.
func thin(chosen []cropPlan, k int, need int64, r *rand.Rand) {
	give := make([]int, len(chosen))
	for left := need; left > 0; {
		before := left
		for i := range chosen {
			if left > 0 && give[i] < len(chosen[i].pick[k]) {
				give[i]++
				left--
			}
		}
		if left == before {
			break
		}
	}
	for i := range chosen {
		l := chosen[i].pick[k]
		r.Shuffle(len(l), func(a, b int) { l[a], l[b] = l[b], l[a] })
		chosen[i].pick[k] = l[:give[i]]
	}
}
