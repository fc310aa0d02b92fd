package wire

// Enough is how coarse a picture may be decoded: its part ROI, or all of it, is
// resized to W x H whatever its size. The zero Enough asks for every pixel.
type Enough struct {
	ROI [4]int `json:"roi"` // x, y, width, height in the camera's pixels; zero: all
	W   int    `json:"w"`
	H   int    `json:"h"`
}

// Reduction is the largest of 8, 4 and 2 by which a picture of w x h pixels may be
// made smaller, else 1: no pixel of it and no edge of the part is cut, and the part
// stays at least as large as what it becomes.
func (e Enough) Reduction(w, h int) int {
	x, y, partW, partH := e.ROI[0], e.ROI[1], e.ROI[2], e.ROI[3]
	if partW == 0 || partH == 0 {
		partW, partH = w, h
	}
	if e.W < 1 || e.H < 1 {
		return 1
	}
	for _, k := range [...]int{8, 4, 2} {
		if (w|h|x|y|partW|partH)%k == 0 && partW/k >= e.W && partH/k >= e.H {
			return k
		}
	}
	return 1
}
