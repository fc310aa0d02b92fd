package conv

// flipping copies n bytes with 128 added, which makes signed activations unsigned, and back.
type flipping func(dst, src *uint8, n int)

// runFlipped is band on activations that have 128 added: as many rows at a time
// as fit the scratch memory. Rows that share nothing lie closer there.
func (c *ConvI8) runFlipped(k *Worker, dst, src Plane[uint8], rows, cols int) {
	one := (cols-1)*src.Pix + c.reach
	most := rowsAtOnce(one, src.Row)
	for y := 0; y < rows; y += most {
		n := min(most, rows-y)
		reserve(&k.flipped, flipSize(n, one, src.Row))
		own := Plane[uint8]{k.flipped, min(src.Row, one), src.Pix}
		c.copyFlipped(own, Plane[uint8]{src.P[y*src.Row:], src.Row, src.Pix}, n, one)
		c.band(k, Plane[uint8]{dst.P[y*dst.Row:], dst.Row, dst.Pix}, own, n, cols)
	}
}

// copyFlipped copies the input of rows rows, one elements each.
func (c *ConvI8) copyFlipped(dst, src Plane[uint8], rows, one int) {
	if dst.Row == src.Row {
		c.flipped(&dst.P[0], &src.P[0], (rows-1)*src.Row+one)
		return
	}
	for y := range rows {
		c.flipped(&dst.P[y*dst.Row], &src.P[y*src.Row], one)
	}
}

// flipSize is the memory for the input of rows rows: the last group of four
// channels may have only one.
func flipSize(rows, one, step int) int { return (rows-1)*min(step, one) + one + 3 }
