package verdict

import (
	"bytes"

	"edged"
	"edged/internal/zones"
)

// part is what is known of one component, in mask positions: its box holds
// left..right-1 and top..bottom-1.
type part struct {
	area                     int32
	left, top, right, bottom int32
	score                    float64 // sum over its positions
	born                     int64   // its first position: of equals the first found is listed first
}

// add takes the other's positions as well.
func (p *part) add(o *part) {
	p.area += o.area
	p.left, p.top = min(p.left, o.left), min(p.top, o.top)
	p.right, p.bottom = max(p.right, o.right), max(p.bottom, o.bottom)
	p.score += o.score
	p.born = min(p.born, o.born)
}

// run is a stretch of counted positions in one line: columns from..to-1.
type run struct {
	from, to int32
	blob     int32 // index into blobs.parent
}

// blobs finds the connected components of one class: counted positions that
// touch at a side or a corner (8-connectivity). It works on runs, not on single
// positions, keeps two lines of them, and unites labels with a union-find. Rows may
// come in pieces: labels of components that can still grow are carried over, so that
// memory depends on the width alone. It is kept from mask to mask.
type blobs struct {
	above, line []run
	parent      []int32 // union-find; a root is its own parent
	parts       []part  // of each root
	rows        int32   // so far
	labels      []int32 // scratch of settle: the new one of each root

	count, total int    // components that are complete and count, and their positions
	done         []part // those that the last settle found
}

// counted are the positions that a rule looks at.
type counted struct {
	class   uint8
	least   float32 // of a score; 0: none is asked for
	minArea int
	in      *zones.Shape // nil: all of the mask
}

// find counts the components of one mask: how many have at least minArea positions,
// and how many positions those have together. scores is dense, m.W wide; nil means 1
// everywhere.
func (b *blobs) find(m *edged.Mask, scores []float32, c *counted) (count, total int) {
	b.begin()
	b.add(m, scores, c)
	b.finish(c.minArea, false)
	return b.count, b.total
}

// begin forgets the mask before.
func (b *blobs) begin() {
	b.above, b.line, b.parent, b.parts = b.above[:0], b.line[:0], b.parent[:0], b.parts[:0]
	b.rows, b.count, b.total = 0, 0, 0
}

// add takes the next rows of a mask.
func (b *blobs) add(m *edged.Mask, scores []float32, c *counted) {
	for y := range m.H {
		pix := m.Pix[y*m.Stride:][:m.W]
		b.line = b.line[:0]
		var line []float32
		if scores != nil {
			line = scores[y*m.W:][:m.W]
		}
		if c.in == nil {
			b.scan(pix, c.class, line, c.least, 0, m.W)
		} else {
			for _, s := range c.in.Row(y) {
				b.scan(pix, c.class, line, c.least, int(s.From), int(s.To))
			}
		}
		b.join(b.rows, line, m.W)
		b.above, b.line = b.line, b.above
		b.rows++
	}
}

// finish counts the components that have minArea positions: no further row comes.
// list: done has them.
func (b *blobs) finish(minArea int, list bool) {
	b.done = b.done[:0]
	for i, p := range b.parent {
		if part := &b.parts[i]; int(p) == i && int(part.area) >= minArea {
			b.count++
			b.total += int(part.area)
			if list {
				b.done = append(b.done, *part)
			}
		}
	}
	b.above, b.parent, b.parts = b.above[:0], b.parent[:0], b.parts[:0]
}

// settle is finish for the components that are complete: no run of the last line is of
// them. The labels of the others begin anew.
func (b *blobs) settle(minArea int, list bool) {
	grows := b.labels[:0]
	for range b.parent {
		grows = append(grows, -1)
	}
	for i := range b.above {
		b.above[i].blob = b.root(b.above[i].blob)
		grows[b.above[i].blob] = 0
	}
	b.done = b.done[:0]
	n := int32(0)
	for i, p := range b.parent {
		part := &b.parts[i]
		switch {
		case int(p) != i:
		case grows[i] == 0:
			b.parts[n] = *part // n <= i
			grows[i] = n
			n++
		case int(part.area) >= minArea:
			b.count++
			b.total += int(part.area)
			if list {
				b.done = append(b.done, *part)
			}
		}
	}
	for i := range b.above {
		b.above[i].blob = grows[b.above[i].blob]
	}
	b.parent, b.parts, b.labels = b.parent[:n], b.parts[:n], grows
	for i := range b.parent {
		b.parent[i] = int32(i)
	}
}

// scan appends the runs of a line's columns begin..end-1 to b.line.
func (b *blobs) scan(pix []byte, class uint8, scores []float32, least float32, begin, end int) {
	if scores == nil || least == 0 {
		b.scanClass(pix[:end], class, begin)
	} else {
		b.scanScored(pix[:end], class, scores, least, begin)
	}
}

func (b *blobs) scanClass(pix []byte, class uint8, begin int) {
	for x := begin; x < len(pix); {
		i := bytes.IndexByte(pix[x:], class)
		if i < 0 {
			return
		}
		from := x + i
		for x = from + 1; x < len(pix) && pix[x] == class; x++ {
		}
		b.line = append(b.line, run{from: int32(from), to: int32(x)})
	}
}

// scanScored is scanClass for those whose score suffices; NaN does not.
func (b *blobs) scanScored(pix []byte, class uint8, scores []float32, least float32, begin int) {
	from := -1
	for x := begin; x < len(pix); x++ {
		switch counted := pix[x] == class && scores[x] >= least; {
		case counted && from < 0:
			from = x
		case !counted && from >= 0:
			b.line = append(b.line, run{from: int32(from), to: int32(x)})
			from = -1
		}
	}
	if from >= 0 {
		b.line = append(b.line, run{from: int32(from), to: int32(len(pix))})
	}
}

// join gives each run of line y a blob: that of the runs above which it
// touches, or a new one. Both lines are sorted, so one sweep suffices.
func (b *blobs) join(y int32, scores []float32, width int) {
	j := 0
	for i := range b.line {
		r := &b.line[i]
		r.blob = -1
		for j < len(b.above) && b.above[j].to < r.from { // ends before the corner
			j++
		}
		for k := j; k < len(b.above) && b.above[k].from <= r.to; k++ {
			r.blob = b.unite(r.blob, b.above[k].blob)
		}
		if r.blob < 0 {
			r.blob = int32(len(b.parent))
			b.parent = append(b.parent, r.blob)
			b.parts = append(b.parts, part{left: r.from, top: y, born: int64(y)*int64(width) + int64(r.from)})
		}
		p := &b.parts[r.blob] // its first position is before these
		p.area += r.to - r.from
		p.left, p.right, p.bottom = min(p.left, r.from), max(p.right, r.to), y+1
		if scores != nil {
			p.score += sum(scores[r.from:r.to])
		}
	}
}

// unite makes one blob of two and returns its root. Blob -1 is none.
func (b *blobs) unite(a, c int32) int32 {
	c = b.root(c)
	if a < 0 || a == c {
		return c
	}
	if c < a { // the older root stays
		a, c = c, a
	}
	b.parent[c] = a
	b.parts[a].add(&b.parts[c])
	return a
}

// root follows the parents and halves the path on its way.
func (b *blobs) root(a int32) int32 {
	for b.parent[a] != a {
		b.parent[a] = b.parent[b.parent[a]]
		a = b.parent[a]
	}
	return a
}

// sum adds in four lanes: one after the other each addition waits for the last.
func sum(v []float32) float64 {
	var a, b, c, d float64
	for ; len(v) >= 4; v = v[4:] {
		a, b, c, d = a+float64(v[0]), b+float64(v[1]), c+float64(v[2]), d+float64(v[3])
	}
	for _, x := range v {
		a += float64(x)
	}
	return a + b + (c + d)
}
