package conv

import "unsafe"

// What the Winograd routines get; strides and steps are in bytes. A
// routine moves the offsets at, never the pointers.

// winogradRows transforms six rows of a picture: column by column, B^T d, to
// six rows of the scratch.
type winogradRows struct {
	rows              [6]unsafe.Pointer
	dst, mask, consts unsafe.Pointer
	stride            int // of dst
	blocks, tail      int // whole vectors, and whether the mask's lanes follow
}

// winogradCols transforms runs of vectors of six rows of the scratch: d B from
// columns that are pix apart, to six planes for each row.
type winogradCols struct {
	src, dst, consts   unsafe.Pointer
	pix, plane, blocks int
	runs               int
	srcStep, dstStep   int // from run to run
	srcRow             int
}

// winogradMul multiplies, for every plane and block of output channels, groups
// of tiles by the weights.
type winogradMul struct {
	v, w, m            unsafe.Pointer
	vPlane, mPlane     int
	vTile, mTile       int
	kc, tiles          int // input channels, groups of tiles
	blocks, planes     int
	vAt, mAt, wAt, bAt int
}

// winogradOut computes clamp(A^T m A + bias + res) for runs of vectors: rows
// rows of four pixels for each.
type winogradOut struct {
	planes, dst, res, bias       unsafe.Pointer
	mask, scratch, consts        unsafe.Pointer
	plane, row, pix              int
	resRow, resPix               int
	lo, hi                       float32
	rows, blocks, runs           int
	planesStep, dstStep, resStep int
	planesAt, dstAt, resAt       int
}
