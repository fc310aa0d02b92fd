package conv

// Scratch, made by Routines.Scratch, counts the memory that a Worker comes to hold: each of its areas
// grows to the most that one of its convolutions asks for, and stays.
type Scratch struct {
	routines   *Routines
	winograd   [winogradAreas]int // floats
	winogradI8 winogradSizesI8
	strip      int // floats
	widened    int // int16
	flipped    int // bytes
	windows    int // int32
	asideF32   int
	asideI8    int
}

// Scratch counts for convolutions of r.
func (r *Routines) Scratch() Scratch { return Scratch{routines: r} }

// Bytes is the sum.
func (n *Scratch) Bytes() int64 {
	floats := int64(n.strip + n.asideF32)
	for _, size := range n.winograd {
		floats += int64(size)
	}
	i8 := n.winogradI8
	return 4*(floats+int64(i8.product+n.windows)) + 2*int64(n.widened+i8.planes) + int64(n.flipped+i8.window+i8.pixels+n.asideI8)
}

// Reserve makes k's areas as large as counted, so that no convolution grows them
// in a frame. Direct strips alone, which stand in for an inaccurate Winograd
// layer, take theirs when they first run.
func (n *Scratch) Reserve(k *Worker) {
	k.wino.grow(n.winograd)
	k.winoI8.grow(n.winogradI8)
	reserve(&k.widened, n.widened)
	reserve(&k.flipped, n.flipped)
	reserve(&k.windows, n.windows)
	reserveF32(&k.asideF32, n.asideF32)
	reserve(&k.asideI8, n.asideI8)
}

// WinogradF32 counts what NewWinogradF32 of this shape needs.
func (n *Scratch) WinogradF32(s ConvShape) {
	for i, size := range winogradOf(n.routines.winograd, s).sizes() {
		n.winograd[i] = max(n.winograd[i], size)
	}
}

// DirectStripsF32 counts what NewDirectStripsF32 of these operands needs.
func (n *Scratch) DirectStripsF32(s ConvShape, cols int) {
	d := newDirectStrips(s, cols)
	n.strip = max(n.strip, d.size())
}

// WinogradI8 counts what NewWinogradI8 of this shape needs.
func (n *Scratch) WinogradI8(s ConvShape) {
	g, w := winogradI8Of(n.routines.winogradI8, s).sizes(), &n.winogradI8
	*w = winogradSizesI8{max(w.product, g.product), max(w.planes, g.planes), max(w.window, g.window), max(w.pixels, g.pixels)}
}

// ConvI8 counts what NewConvI8 of these operands needs for rows x cols outputs
// from a plane whose windows begin row and pix elements apart.
func (n *Scratch) ConvI8(s ConvShape, p *ConvI8Params, row, pix, rows, cols int) {
	k := n.routines.convI8.taking(p.Factors)
	if rows <= 0 || cols <= 0 {
		return
	}
	one := (cols-1)*pix + s.reach()
	few := min(rows, rowsAtOnce(one, row))
	switch {
	case k.widens:
		n.widened = max(n.widened, i16Size(few, one, row))
		return
	case k.flipsFirst(p.Signed):
		n.flipped = max(n.flipped, flipSize(few, one, row))
		rows = few
	}
	if p.WeightZero != 0 {
		n.windows = max(n.windows, rows*cols)
	}
}

// ChainF32 counts what NewChainF32 needs beside its convolutions.
func (n *Scratch) ChainF32(b Between) { n.asideF32 = max(n.asideF32, b.size(4)) }

// ChainI8 counts what NewChainI8 needs beside its convolutions.
func (n *Scratch) ChainI8(b Between) { n.asideI8 = max(n.asideI8, b.size(1)+Slack) }

// StripsThenF32 counts what StripsF32.Then needs, for outputs of cols columns.
func (n *Scratch) StripsThenF32(s ConvShape, cols int) {
	n.ChainF32(stripBetween(s, cols))
	n.asideF32 = max(n.asideF32, winogradOf(n.routines.winograd, s).between())
}
