package tiles

// Room is what a tile may take.
type Room struct {
	Pixel int64 // bytes that the engine works in for each pixel of a tile
	Cache int64 // of one processor, bytes
	Limit int64 // of memory, bytes; 0: none
}

// overlap is the share of pixels, beside a frame's own, that a tile in the cache may
// compute again: beyond it a larger tile that reads memory is cheaper.
const overlap = 1.25

// Shape chooses the size of square tiles: as large as the cache holds, unless too
// much of such a tile is computed again: then as small as overlaps little enough. It
// is never larger than the memory holds. false: not even a tile of one position fits.
func (n Net) Shape(r Room) (size [2]int, ok bool) {
	best := n.tile(0)
	if !r.holds(best, r.Limit) {
		return size, false
	}
	for k := 1; k <= maxSteps; k++ {
		next := n.tile(k)
		if !r.holds(next, r.Limit) || !r.holds(next, r.Cache) && n.Work(best) <= overlap {
			break
		}
		best = next
	}
	return best, true
}

// maxSteps bounds a tile's growth.
const maxSteps = 1 << 12

// tile is a tile of k steps more than the least, each of as many strides as make 8
// pixels or more.
func (n Net) tile(k int) (size [2]int) {
	for i, a := range n {
		step := (7/a.Stride + 1) * a.Stride
		size[i] = a.border() + a.Stride + k*step
	}
	return size
}

// border is how many pixels of an inner tile add no position.
func (a Axis) border() int { return a.Input - a.Step() }

// Work is how many pixels are computed for each of a large frame's, in tiles of a
// size.
func (n Net) Work(size [2]int) float64 {
	w := 1.0
	for i, a := range n {
		w *= float64(size[i]) / float64(max(1, size[i]-a.border()))
	}
	return w
}

// holds tells whether bytes of memory hold a tile; 0 is no limit.
func (r Room) holds(size [2]int, bytes int64) bool {
	return bytes <= 0 || r.Pixel*int64(size[0])*int64(size[1]) <= bytes
}
