package main

import (
	"cmp"
	"slices"
)

// drawing is a layered graph: every node has a row (its longest way from an
// input) and, after arrange, a place. An edge over several rows runs through
// way points, nodes without a size, so that it keeps clear of the others.
type drawing struct {
	nodes []*drawNode
	rows  [][]*drawNode
}

type drawNode struct {
	label    []string // lines; none for a way point
	class    string   // how it is painted
	title    string   // what a pointer shows
	row      int
	x        float64 // centre
	up, down []*drawNode
	order    float64
}

const (
	boxWidth   = 224.0
	boxHeight  = 46.0
	rowPitch   = 74.0
	nodeGap    = 22.0 // between neighbours of a row
	pathGap    = 12.0
	maxWayStop = 100_000 // way points; a graph with more is drawn with straight edges
	sweeps     = 12
)

func (n *drawNode) width() float64 {
	if n.label == nil {
		return 0
	}
	return boxWidth
}

func (d *drawing) add(n *drawNode) *drawNode {
	d.nodes = append(d.nodes, n)
	return n
}

// connect adds an edge; nodes are connected from above, in order of creation,
// so that a row can be given at once.
func (d *drawing) connect(from, to *drawNode) {
	from.down = append(from.down, to)
	to.up = append(to.up, from)
	to.row = max(to.row, from.row+1)
}

// arrange gives every node its place.
func (d *drawing) arrange() {
	d.splitLongEdges()
	for _, n := range d.nodes {
		for len(d.rows) <= n.row {
			d.rows = append(d.rows, nil)
		}
		d.rows[n.row] = append(d.rows[n.row], n)
	}
	for range sweeps {
		d.sweep(func(n *drawNode) []*drawNode { return n.up }, slices.Values(d.rows))
		d.sweep(func(n *drawNode) []*drawNode { return n.down }, func(yield func([]*drawNode) bool) {
			for _, row := range slices.Backward(d.rows) {
				if !yield(row) {
					return
				}
			}
		})
	}
	for _, row := range d.rows {
		spread(row)
	}
	for range sweeps {
		for _, row := range d.rows {
			d.pull(row)
		}
		for _, row := range slices.Backward(d.rows) {
			d.pull(row)
		}
	}
}

func (d *drawing) splitLongEdges() {
	stops := 0
	for _, n := range slices.Clone(d.nodes) {
		for i, to := range n.down {
			if stops += max(0, to.row-n.row-1); stops > maxWayStop {
				return
			}
			last := n
			for row := n.row + 1; row < to.row; row++ {
				stop := d.add(&drawNode{row: row, up: []*drawNode{last}})
				if last == n {
					n.down[i] = stop
				} else {
					last.down = []*drawNode{stop}
				}
				last = stop
			}
			if last != n {
				last.down = []*drawNode{to}
				to.up[slices.Index(to.up, n)] = last
			}
		}
	}
}

// sweep orders each row by the mean place of its neighbours on one side: edges
// then cross less.
func (d *drawing) sweep(side func(*drawNode) []*drawNode, rows func(func([]*drawNode) bool)) {
	for row := range rows {
		for i, n := range row {
			n.order = float64(i)
			if near := side(n); len(near) > 0 {
				n.order = 0
				for _, m := range near {
					n.order += m.x / float64(len(near))
				}
			}
		}
		slices.SortStableFunc(row, func(a, b *drawNode) int { return cmp.Compare(a.order, b.order) })
		for i, n := range row {
			n.x = float64(i) - float64(len(row)-1)/2
		}
	}
}

// gap is the least distance of two neighbours' centres.
func gap(a, b *drawNode) float64 {
	if a.label == nil && b.label == nil {
		return pathGap
	}
	return (a.width()+b.width())/2 + nodeGap
}

// spread sets a row side by side, centred on 0.
func spread(row []*drawNode) {
	x := 0.0
	for i, n := range row {
		if i > 0 {
			x += gap(row[i-1], n)
		}
		n.x = x
	}
	for _, n := range row {
		n.x -= x / 2
	}
}

// pull moves a row's nodes as near to the mean of their neighbours as order
// and distances allow: least squares under x[i+1] >= x[i] + gap, by pooling
// neighbours that would come too close.
func (d *drawing) pull(row []*drawNode) {
	type block struct {
		sum    float64 // of the wished places, each less its offset in the row
		weight float64
		first  int
	}
	var blocks []block
	offset := make([]float64, len(row))
	for i, n := range row {
		if i > 0 {
			offset[i] = offset[i-1] + gap(row[i-1], n)
		}
		wish, weight := n.x, 0.1 // a node without neighbours hardly pulls
		if near := len(n.up) + len(n.down); near > 0 {
			wish, weight = 0, float64(near)
			for _, m := range slices.Concat(n.up, n.down) {
				wish += m.x / float64(near)
			}
		}
		blocks = append(blocks, block{weight * (wish - offset[i]), weight, i})
		for k := len(blocks) - 1; k > 0 && blocks[k-1].sum/blocks[k-1].weight > blocks[k].sum/blocks[k].weight; k-- {
			blocks[k-1].sum += blocks[k].sum
			blocks[k-1].weight += blocks[k].weight
			blocks = blocks[:k]
		}
	}
	for k, b := range blocks {
		end := len(row)
		if k+1 < len(blocks) {
			end = blocks[k+1].first
		}
		for i := b.first; i < end; i++ {
			row[i].x = b.sum/b.weight + offset[i]
		}
	}
}
