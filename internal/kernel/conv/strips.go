package conv

// StripsF32 computes a 3x3 convolution of stride 1 over a picture strip by
// strip; see WinogradF32.RunStrips.
type StripsF32 interface {
	RunStrips(k *Worker, dst Plane[float32], src Picture, res Plane[float32], rows, cols, lo, hi int)
	Then(then RunnerF32)
}

// Strips is the number of strips of rows that can be computed by themselves:
// rows that lie DY apart, four at most.
func (s ConvShape) Strips(rows int) int {
	block := 4 * s.DY
	return rows/block*s.DY + min(rows%block, s.DY)
}

// strip gives the first row of strip i and how many there are.
func (s ConvShape) strip(i, rows int) (y, n int) {
	y = i/s.DY*4*s.DY + i%s.DY
	return y, min(4, (rows-y+s.DY-1)/s.DY)
}

// directStrips is the direct convolution of strips, where Winograd is not
// accurate enough: the rows under a strip are gathered with their border.
type directStrips struct {
	conv  RunnerF32
	cols  int // of the output
	shape ConvShape
	row   int // elements of a gathered row
}

// NewDirectStripsF32 packs w, shaped [OC][3][3][IC], for outputs of cols columns.
func (r *Routines) NewDirectStripsF32(s ConvShape, cols int, w, bias []float32, lo, hi float32) StripsF32 {
	d := newDirectStrips(s, cols)
	d.conv = r.NewConvF32(ConvShape{KH: 3, KW: 3, DY: 1, DX: s.DX, IC: s.IC, OC: s.OC, Row: d.row, Pix: s.IC}, w, bias, lo, hi)
	return &d
}

// newDirectStrips is the geometry, without weights.
func newDirectStrips(s ConvShape, cols int) directStrips {
	return directStrips{shape: s, cols: cols, row: (cols + 2*s.DX) * s.IC}
}

// size is the number of floats of the rows under a strip.
func (d *directStrips) size() int { return 6 * d.row }

// Then is WinogradF32.Then.
func (d *directStrips) Then(then RunnerF32) {
	d.conv = NewChainF32(stripBetween(d.shape, d.cols), d.conv, then)
}

func stripBetween(s ConvShape, cols int) Between {
	return Between{Channels: s.OC, Rows: 4, Cols: cols, Step: 1}
}

func (d *directStrips) RunStrips(k *Worker, dst Plane[float32], src Picture, res Plane[float32], rows, cols, lo, hi int) {
	src.holds(d.shape.IC)
	if len(k.strip) < d.size() {
		k.strip = alignedF32(d.size())
	}
	from := Plane[float32]{k.strip, d.row, d.shape.IC}
	for i := lo; i < hi; i++ {
		y, n := d.shape.strip(i, rows)
		for j := range n + 2 {
			d.gather(k, from.P[j*d.row:][:d.row], src, y+j*d.shape.DY-src.Top)
		}
		d.conv.Run(k, dst.from(y, 0).apart(d.shape.DY, 1), from, res.from(y, 0).apart(d.shape.DY, 1), n, cols)
	}
}

// gather fills a row with row y of the picture and its border.
func (d *directStrips) gather(k *Worker, row []float32, src Picture, y int) {
	ic := d.shape.IC
	clear(row)
	if y < 0 || y >= src.H {
		return
	}
	for x := max(0, -src.Left); x < min(src.W, len(row)/ic-src.Left); x++ {
		to, from := row[(x+src.Left)*ic:][:ic], src.P[y*src.Row+x*src.Pix:]
		if src.Pool == nil {
			copy(to, from)
		} else {
			src.Pool.Run(k, to, from)
		}
	}
}
