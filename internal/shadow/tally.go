package shadow

import (
	"maps"
	"math"
	"sync"

	"edged"
)

// Class counts the positions of one class.
type Class struct{ Both, LiveOnly, ShadowOnly uint64 }

// Counts is what a shadow has shown so far.
type Counts struct {
	Frames            uint64 // that both looked at
	VerdictsDiffering uint64
	Failed            uint64
	Classes           map[string]Class
}

// Account counts for one shadow.
type Account struct {
	mu sync.Mutex
	c  Counts
}

// Counts reads the account.
func (a *Account) Counts() Counts {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.c
	c.Classes = maps.Clone(c.Classes)
	return c
}

func (a *Account) failed() {
	a.mu.Lock()
	a.c.Failed++
	a.mu.Unlock()
}

func (a *Account) add(classes map[string]Class, verdictsDiffer bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.c.Classes == nil {
		a.c.Classes = map[string]Class{}
	}
	for name, n := range classes {
		c := a.c.Classes[name]
		a.c.Classes[name] = Class{c.Both + n.Both, c.LiveOnly + n.LiveOnly, c.ShadowOnly + n.ShadowOnly}
	}
	a.c.Frames++
	if verdictsDiffer {
		a.c.VerdictsDiffering++
	}
}

// tally compares two masks of a frame by the names of their classes, at every
// position of live that shadow covers: each with the nearest of shadow's.
func tally(live *edged.Mask, liveLabels []string, shadow *edged.Mask, shadowLabels []string) map[string]Class {
	var pairs [256][256]uint64
	rows, cols := nearest(live, shadow, 0, live.H, shadow.H), nearest(live, shadow, 1, live.W, shadow.W)
	for y, row := range rows {
		if row < 0 {
			continue
		}
		a, b := live.Pix[y*live.Stride:][:live.W], shadow.Pix[row*shadow.Stride:][:shadow.W]
		for x, col := range cols {
			if col >= 0 {
				pairs[a[x]][b[col]]++
			}
		}
	}
	all := map[string]Class{}
	for i, l := range liveLabels {
		for k, s := range shadowLabels {
			if n := pairs[i][k]; n > 0 {
				note(all, l, s, n)
			}
		}
	}
	return all
}

func note(all map[string]Class, live, shadow string, n uint64) {
	c := all[live]
	if live == shadow {
		c.Both += n
		all[live] = c
		return
	}
	c.LiveOnly += n
	all[live] = c
	c = all[shadow]
	c.ShadowOnly += n
	all[shadow] = c
}

// nearest finds, for each of n positions of live along an axis, the nearest of
// shadow's m; -1 where shadow has none within a step.
func nearest(live, shadow *edged.Mask, axis, n, m int) []int {
	list := make([]int, n)
	for i := range list {
		at := live.Grid.Origin[axis] + float64(i)*live.Grid.Stride[axis]
		k := int(math.Round((at - shadow.Grid.Origin[axis]) / shadow.Grid.Stride[axis]))
		if k < 0 || k >= m {
			k = -1
		}
		list[i] = k
	}
	return list
}
