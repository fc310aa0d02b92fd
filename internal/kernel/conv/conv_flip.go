package conv

// lifting copies n bytes with 128 added, which makes signed activations unsigned.
type lifting func(dst, src *uint8, n int)

// runLifted is band on activations that have 128 added: as many rows at a time
// as fit the scratch memory. Rows that share nothing lie closer there.
func (c *ConvI8) runLifted(k *Worker, dst, src Plane[uint8], rows, cols int) {
	one := (cols-1)*src.Pix + c.reach
	most := wideRows(one, src.Row)
	for y := 0; y < rows; y += most {
		n := min(most, rows-y)
		reserve(&k.lift, liftSize(n, one, src.Row))
		own := Plane[uint8]{k.lift, min(src.Row, one), src.Pix}
		c.copyLifted(own, Plane[uint8]{src.P[y*src.Row:], src.Row, src.Pix}, n, one)
		c.band(k, Plane[uint8]{dst.P[y*dst.Row:], dst.Row, dst.Pix}, own, n, cols)
	}
}

// copyLifted copies the input of rows rows, one elements each.
func (c *ConvI8) copyLifted(dst, src Plane[uint8], rows, one int) {
	if dst.Row == src.Row {
		c.lift(&dst.P[0], &src.P[0], (rows-1)*src.Row+one)
		return
	}
	for y := range rows {
		c.lift(&dst.P[y*dst.Row], &src.P[y*src.Row], one)
	}
}

// liftSize is the memory for the input of rows rows: the last group of four
// channels may have only one.
func liftSize(rows, one, step int) int { return (rows-1)*min(step, one) + one + 3 }
