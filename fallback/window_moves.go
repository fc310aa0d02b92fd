package fallback

import "edged/model"

// gatherWindows is an operator of the engine's own, which no file can name: it
// copies pixels of a shared tensor to where a convolution or a join wants them.
const gatherWindows = "gather windows (of the engine)"

// pixelMoves are the copies of one such operator.
type pixelMoves struct {
	shape [4]int // of the result, [n, h, w, channels]
	fill  []byte // one element, for what is padding
	runs  []run
}

// run is so many neighbouring pixels, from a pixel of the source, or padding.
type run struct{ to, from, n int32 }

const (
	longestRun = 512 // pixels
	runsOfUnit = 16  // that one worker takes at a time
)

// pixel adds one pixel to the moves.
func (m *pixelMoves) pixel(to, from int) {
	if k := len(m.runs) - 1; k >= 0 {
		r := &m.runs[k]
		next := int(r.to+r.n) == to && r.n < longestRun
		if next && (from < 0 && r.from < 0 || from >= 0 && r.from >= 0 && int(r.from+r.n) == from) {
			r.n++
			return
		}
	}
	m.runs = append(m.runs, run{int32(to), int32(max(from, outside)), 1})
}

// into are the moves that lay out the input of the region of parts py, px: one
// image for each copy, as large as a convolution without padding wants it.
func (l laidOut) into(o laidOut, y, x window, py, px int) *pixelMoves {
	m := &pixelMoves{}
	bases, to := l.bases(), 0
	for ty := range o.axis[0].copies(py) {
		rows := l.axis[0].feeds(o.axis[0], y, py, ty)
		for tx := range o.axis[1].copies(px) {
			cols := l.axis[1].feeds(o.axis[1], x, px, tx)
			m.shape = [4]int{m.shape[0] + 1, len(rows), len(cols), 0}
			for _, r := range rows {
				for _, c := range cols {
					m.pixel(to, l.at(bases, r, c))
					to++
				}
			}
		}
	}
	return m
}

// again are the moves that lay a shared tensor out anew, with padding or without:
// the result of a window of one unit.
func (l laidOut) again(o laidOut, y, x window) *pixelMoves {
	m := &pixelMoves{}
	to := 0
	for r := range parts * parts {
		if o.pixels(r/parts, r%parts) == 0 {
			continue
		}
		part := l.into(o, y, x, r/parts, r%parts)
		for _, one := range part.runs {
			one.to += int32(to)
			m.runs = append(m.runs, one)
		}
		to += part.shape[0] * part.shape[1] * part.shape[2]
	}
	m.shape = [4]int{1, 1, to, 0}
	return m
}

// planGatherWindows plans the copies: input [1, 1, pixels, channels].
func planGatherWindows(c *opContext) error {
	m, ok := c.n.op.Options.(*pixelMoves)
	if !ok {
		return c.unsupported("no such custom operator is known here")
	}
	in, out := c.in[0], c.out[0]
	if err := c.shape(0, m.shape[:]...); err != nil {
		return err
	}
	pixel := m.shape[3] * out.elem()
	blank := make([]byte, 0, pixel)
	for len(blank) < pixel {
		blank = append(blank, m.fill...)
	}
	if err := c.p.claim(int64(12*len(m.runs) + pixel)); err != nil {
		return err
	}
	c.emit("gather windows", ceilDiv(len(m.runs), runsOfUnit), out.elems(), []*tensor{in}, func(_ *worker, lo, hi int) {
		for _, r := range m.runs[lo*runsOfUnit : min(hi*runsOfUnit, len(m.runs))] {
			r.copy(out.data, in.data, blank, pixel)
		}
	})
	return nil
}

// copy moves one run of pixels.
func (r run) copy(dst, src, blank []byte, pixel int) {
	to := dst[int(r.to)*pixel:][:int(r.n)*pixel]
	if r.from >= 0 {
		copy(to, src[int(r.from)*pixel:])
		return
	}
	for ; len(to) > 0; to = to[pixel:] {
		copy(to, blank)
	}
}

// zeroOf is one element that stands for zero in a tensor.
func zeroOf(t *model.Tensor) []byte {
	size := dtypes[t.Type].Size()
	b := make([]byte, max(size, 1))
	if q := t.Quantization; size == 1 && q != nil && len(q.ZeroPoint) > 0 {
		b[0] = byte(q.ZeroPoint[0])
	}
	return b
}
