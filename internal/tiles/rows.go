package tiles

import (
	"fmt"

	"edged"
)

// Rows is edged.Rows by tiles: a net of fixed height runs whenever as many new rows
// are there as it gives rows of the map for, and what tiles have in common is
// computed again. It is for nets whose rows cannot be computed one by one (windows
// that are gathered), and what such rows are compared with.
type Rows struct {
	net    edged.Engine
	axis   Axis
	output int
	in     edged.Spec
	out    edged.Spec
	inRow  int // bytes
	outRow int

	picture []byte
	rows    int // in picture
	unseen  int // rows to come that lie between tiles: their stride is longer than they are
	pushed  int // of the whole picture
	given   int // rows of the map
	result  []byte
	decided int
}

var _ edged.Rows = (*Rows)(nil)

// OpenRows takes a net over; n is what it does along y and x. Pushes have at most
// strip rows.
func OpenRows(net edged.Engine, n Net, output, strip int) (*Rows, error) {
	if err := n.Validate(); err != nil {
		return nil, err
	}
	if !n[0].Exact() {
		return nil, fmt.Errorf("tiles: the net pads its rows or cuts them off: tiles of a picture without end would not have its borders")
	}
	r := &Rows{net: net, axis: n[0], output: output, in: net.Inputs()[0], out: net.Outputs()[output]}
	r.inRow, r.outRow = r.in.Bytes()/r.in.Shape[1], r.out.Bytes()/r.out.Shape[1]
	r.in.Shape = []int{1, strip, r.in.Shape[2], r.in.Shape[3]}
	most := (strip/(r.axis.Output*r.axis.Stride) + 2) * r.axis.Output
	r.out.Shape = append([]int{1, most}, r.out.Shape[2:]...)
	r.picture = make([]byte, (r.axis.Input+strip)*r.inRow)
	r.result = make([]byte, most*r.outRow)
	return r, nil
}

// Name tells the engine.
func (r *Rows) Name() string { return r.net.Name() + ", tiles" }

// In describes the rows of one Push.
func (r *Rows) In() edged.Spec { return r.in }

// Out describes the rows of one Output.
func (r *Rows) Out() edged.Spec { return r.out }

// Delay is how many rows wait for a tile to be whole.
func (r *Rows) Delay() int { return r.axis.Output*r.axis.Stride - 1 }

// Input lends the memory of the next rows.
func (r *Rows) Input() []byte { return r.picture[r.rows*r.inRow:][:r.in.Bytes()] }

// Output lends the rows that the last call decided.
func (r *Rows) Output() []byte { return r.result[:r.decided*r.outRow] }

// Push takes n rows.
func (r *Rows) Push(n int) (int, error) {
	if n < 0 || n > r.in.Shape[1] {
		return 0, fmt.Errorf("tiles: %d rows at once: at most %d", n, r.in.Shape[1])
	}
	r.decided = 0
	r.rows += n
	r.pushed += n
	r.drop(0)
	for r.rows >= r.axis.Input {
		if err := r.tile(r.axis.Output); err != nil {
			return 0, err
		}
	}
	return r.decided, nil
}

// tile runs the net on the first rows, keeps n rows of its map, and drops the rows
// that nothing further sees.
func (r *Rows) tile(n int) error {
	copy(r.net.Input(0), r.picture)
	if err := r.net.Run(); err != nil {
		return err
	}
	copy(r.result[r.decided*r.outRow:], r.net.Output(r.output)[:n*r.outRow])
	r.decided += n
	r.given += n
	r.drop(r.axis.Output * r.axis.Stride)
	return nil
}

// drop forgets the first n rows more, also those that are not there yet.
func (r *Rows) drop(n int) {
	r.unseen += n
	step := min(r.unseen, r.rows)
	copy(r.picture, r.picture[step*r.inRow:r.rows*r.inRow])
	r.rows -= step
	r.unseen -= step
}

// End decides what is left of the picture, and begins another.
func (r *Rows) End() (int, error) {
	r.decided = 0
	for left := r.axis.seen(r.pushed) - r.given; left > 0; left = r.axis.seen(r.pushed) - r.given {
		clear(r.picture[r.rows*r.inRow : r.axis.Input*r.inRow])
		if err := r.tile(min(left, r.axis.Output)); err != nil {
			return 0, err
		}
	}
	n := r.decided
	r.Reset()
	r.decided = n
	return n, nil
}

// Reset begins another picture.
func (r *Rows) Reset() { r.rows, r.unseen, r.pushed, r.given, r.decided = 0, 0, 0, 0, 0 }

// Close closes the net's engine.
func (r *Rows) Close() error { return r.net.Close() }
