package verdict

import (
	"cmp"

	"edged"
	"edged/internal/zones"
)

// whole is what is ruled on: a mask, or a part whose rows come in pieces.
type whole struct {
	w, h   int
	grid   edged.Grid
	scored bool
	cut    bool // what is before it may have begun its blobs
}

// Begin begins a part, whose rows Rows takes; rules with zones look at all of it. cut:
// the rows before it may hold what goes on in it.
func (j *Judge) Begin(cut bool) { j.begin(cut) }

// Rows takes the next rows of the part. Its outcome is no verdict, but the blobs that
// are complete by them: no further row can touch them. Memory depends on the width and
// on what is not complete, however long the part.
func (j *Judge) Rows(m *edged.Mask, scores []float32) Outcome {
	j.add(m, scores)
	j.fresh.reset()
	j.settle(false, false)
	return Outcome{Blobs: j.fresh.largest, BlobsTotal: j.fresh.total}
}

// End rules on the part as Judge does on a mask of all of its rows. cut: the rows
// behind it may go on with its blobs.
func (j *Judge) End(cut bool) Outcome { return j.rule(cut) }

// Unseen notes that a part got another verdict than the rules', which did not see all
// of it: what they say of the next is a change.
func (j *Judge) Unseen(verdict string) Outcome {
	o := Outcome{Verdict: verdict, Previous: j.last, Changed: j.last != "" && j.last != verdict}
	j.last = verdict
	return o
}

func (j *Judge) begin(cut bool) {
	j.whole = whole{cut: cut}
	j.list.reset()
	j.fresh.reset()
	for i := range j.rules {
		j.rules[i].blobs.begin()
	}
	for i := range j.looks {
		j.looks[i].blobs.begin()
	}
}

// add takes rows of what is ruled on.
func (j *Judge) add(m *edged.Mask, scores []float32) {
	p := &j.whole
	if p.h == 0 {
		p.w, p.grid, p.scored = m.W, m.Grid, scores != nil
	}
	p.h += m.H
	for i := range j.rules {
		s := &j.rules[i]
		s.blobs.add(m, scores, &counted{s.Class, float32(s.MinScore), s.MinAreaPx, s.shape})
	}
	for i := range j.looks {
		if l := &j.looks[i]; l.rule < 0 {
			l.blobs.add(m, scores, &counted{l.Class, float32(l.MinScore), l.MinAreaPx, nil})
		}
	}
}

// settle lists the blobs that are complete; end: all are.
func (j *Judge) settle(end, cut bool) {
	settle := (*blobs).settle
	if end {
		settle = (*blobs).finish
	}
	for i := range j.rules {
		s := &j.rules[i]
		settle(&s.blobs, s.MinAreaPx, s.listed)
	}
	for i := range j.looks {
		l := &j.looks[i]
		b := &l.blobs
		if l.rule < 0 {
			settle(b, l.MinAreaPx, true)
		} else {
			b = &j.rules[l.rule].blobs
		}
		j.list.total += len(b.done)
		j.fresh.total += len(b.done)
		for k := range b.done {
			j.note(i, &b.done[k], end, cut)
		}
	}
}

// note lists one blob of look i.
func (j *Judge) note(i int, p *part, end, cut bool) {
	w := &j.whole
	k := key{int(p.area), i, p.born}
	if !j.list.takes(k) && (end || !j.fresh.takes(k)) {
		return
	}
	b := p.blob(j.looks[i].Name, &w.grid, w.scored)
	b.Zone = cmp.Or(j.placed.set, zones.Empty).At(float64(b.X)+float64(b.W-1)/2, float64(b.Y)+float64(b.H-1)/2)
	b.Cut = w.cut && p.top == 0 || cut && int(p.bottom) == w.h
	j.list.insert(b, k)
	if !end {
		j.fresh.insert(b, k)
	}
}
