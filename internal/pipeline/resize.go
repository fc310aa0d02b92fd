package pipeline

// fixedOne is 1.0 in the fixed-point weights of the bilinear resize. Two
// weights of 11 bits and a byte fit an int32 with room to round.
const (
	fixedBits = 11
	fixedOne  = 1 << fixedBits
)

// tap is one output position of a bilinear resize along one axis: the two
// pixels it lies between and the second one's weight.
type tap struct {
	at, next int // byte offsets along the axis
	weight   int32
}

// makeTaps fills taps for resizing n pixels, step bytes apart, to len(taps)
// positions whose centres are spread evenly (the half-pixel rule of OpenCV's
// INTER_LINEAR); outside the picture its border repeats.
func makeTaps(taps []tap, n, step int) {
	a := resizeAxis(len(taps), n)
	for i := range taps {
		pos := min(max(a.scale*float64(i)+a.offset, 0), float64(n-1))
		at := int(pos)
		taps[i] = tap{
			at: at * step, next: min(at+1, n-1) * step,
			weight: int32((pos-float64(at))*fixedOne + 0.5),
		}
	}
}

// resizeAxis places to positions on from pixels.
func resizeAxis(to, from int) axis {
	scale := float64(from) / float64(to)
	return axis{scale: scale, offset: 0.5*scale - 0.5}
}

// resizeRow interpolates one row of pixels, ch bytes each, at the vertical tap
// ty of the picture that starts at pix[base].
func resizeRow(dst, pix []byte, base int, ty tap, tx []tap, ch int) {
	wy := ty.weight
	o := 0
	for _, t := range tx {
		a, b := base+ty.at+t.at, base+ty.at+t.next
		c, d := base+ty.next+t.at, base+ty.next+t.next
		for k := range ch {
			top := int32(pix[a+k])*(fixedOne-t.weight) + int32(pix[b+k])*t.weight
			bottom := int32(pix[c+k])*(fixedOne-t.weight) + int32(pix[d+k])*t.weight
			dst[o+k] = byte((top*(fixedOne-wy) + bottom*wy + 1<<(2*fixedBits-1)) >> (2 * fixedBits))
		}
		o += ch
	}
}
