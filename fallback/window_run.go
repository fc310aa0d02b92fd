package fallback

import (
	"errors"
	"time"

	"edged/model"
)

// windowLoop runs a plan on one window after the other, between the steps of a
// frame and its end.
type windowLoop struct {
	plan    *plan
	from    laidOut
	bases   *[parts * parts]int
	source  *tensor // shared, or the frame
	pixel   int     // bytes
	results []*tensor
	origin  []int
	info    *WindowsInfo
	took    []time.Duration // of one window's steps, where times are asked for
}

// planOverWindows plans the operator that stands for all that windows have of their
// own: its steps are another plan's.
func planOverWindows(c *opContext) error {
	o, ok := c.n.op.Options.(*perWindow)
	if !ok || c.p.loop != nil {
		return c.unsupported("no such custom operator is known here")
	}
	inner, err := o.plan(o.net)
	if err != nil {
		return err
	}
	l := &windowLoop{plan: inner, from: o.from, bases: o.from.bases(), source: c.in[0], origin: o.origin, info: o.info, results: c.out}
	l.pixel = inner.inputs[0].shape[3] * inner.inputs[0].elem()
	rows, cols := o.from.axis[0].count, o.from.axis[1].count
	for i, t := range c.out {
		one := inner.outputs[i]
		if one.typ != t.typ {
			return c.types()
		}
		if err := c.shape(i, 1, rows, cols, one.elems()); err != nil {
			return err
		}
	}
	if err := c.p.claim(inner.fixedBytes + inner.arenaBytes); err != nil {
		return err
	}
	c.p.fixedBytes -= inner.arenaBytes // counted with the frame's, once that is laid out
	c.p.loop = l
	c.emit("over windows", 0, 0, c.in, func(*worker, int, int) {}) // nothing: the plan runs the loop when its steps are done
	return nil
}

// planWindows plans a graph of the form windows on one window at a time, with at
// most so many layers shared: fewer where those take more memory than there is.
func planWindows(s *sharer, most int, plan func(m *model.Model) (*plan, error)) (*plan, error) {
	layers, cut := s.cut(most)
	m, origin := s.split(layers, cut, plan)
	p, err := plan(m)
	if p != nil {
		p.origin = origin
	}
	if tooMuch := (*MemoryError)(nil); layers > 0 && errors.As(err, &tooMuch) {
		return planWindows(s, layers-1, plan)
	}
	return p, err
}

// compute runs a frame; took, unless it is nil, gets the time of each step, those of
// windows summed up.
func (p *plan) compute(pool *workerPool, took []time.Duration) error {
	if p.loop == nil {
		return pool.run(p.schedule, took)
	}
	own := took
	if took != nil {
		own = took[:len(p.steps)]
		took = took[len(p.steps):]
		clear(took)
	}
	if err := pool.run(p.schedule, own); err != nil {
		return err
	}
	return p.loop.run(pool, took)
}

func (l *windowLoop) run(pool *workerPool, sums []time.Duration) error {
	var took []time.Duration
	if sums != nil {
		took = l.took
	}
	cols := l.from.axis[1].count
	for t := range l.from.axis[0].count * cols {
		l.fetch(t/cols, t%cols)
		if err := pool.run(l.plan.schedule, took); err != nil {
			return err
		}
		for i, d := range took {
			sums[i] += d
		}
		for i, r := range l.results {
			one := l.plan.outputs[i].data
			copy(r.data[t*len(one):], one)
		}
	}
	return nil
}

// fetch copies window (ty, tx) of the shared tensor to where its layers read it.
func (l *windowLoop) fetch(ty, tx int) {
	dst := l.plan.inputs[0].data
	y, x := l.from.axis[0], l.from.axis[1]
	for j := range y.n {
		row := y.spot(ty, j)
		for _, p := range [][2]int{{0, x.lo}, {x.lo, x.hi}, {x.hi, x.n}} {
			if p[0] == p[1] {
				continue
			}
			at := l.from.at(l.bases, row, x.spot(tx, p[0])) * l.pixel
			n := (p[1] - p[0]) * l.pixel
			copy(dst[:n], l.source.data[at:][:n])
			dst = dst[n:]
		}
	}
}

// bind gives the windows' own plan its memory.
func (l *windowLoop) bind(mapped []byte) {
	l.plan.mapped = mapped
	l.plan.bind()
	l.took = make([]time.Duration, len(l.plan.steps))
}

// WindowsInfo tells how a graph of the form windows is run.
type WindowsInfo struct {
	Size   [2]int        `json:"size"`   // of a window, input pixels
	Count  [2]int        `json:"count"`  // windows
	Stride [2]int        `json:"stride"` // input pixels
	Shared []SharedLayer `json:"shared"` // computed for all windows together, in order
	Alone  int           `json:"alone"`  // operators that each window computes by itself
}

// SharedLayer tells how many units, positions of its result, of a layer are
// computed: all together without sharing, and with it.
type SharedLayer struct {
	Operator int    `json:"operator"` // its index in the file
	Name     string `json:"name"`
	Without  int    `json:"without_sharing"`
	Frame    int    `json:"once_a_frame"` // meet no padding
	Rows     int    `json:"of_rows"`      // meet it along y: for each row of windows
	Columns  int    `json:"of_columns"`   // along x: for each column of windows
	Windows  int    `json:"of_windows"`   // along both: for each window
}

// info tells what sharing so many layers means.
func (s *sharer) info(layers int) *WindowsInfo {
	w := &WindowsInfo{Size: s.size, Count: s.count, Stride: s.stride, Alone: len(s.body) - layers}
	for k, x := range s.work[:layers] {
		l := s.place[x.op.Outputs[0]]
		y, c := l.axis[0], l.axis[1]
		in, left := y.units(inner), c.units(inner)
		w.Shared = append(w.Shared, SharedLayer{Operator: s.body[k], Name: s.m.Code(x.op).Name(), Without: y.n * c.n * y.count * c.count,
			Frame: in * left, Rows: (y.total() - in) * left, Columns: in * (c.total() - left), Windows: (y.total() - in) * (c.total() - left)})
	}
	return w
}
