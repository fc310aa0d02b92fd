// Package tiles runs a dense net of one input size over frames of any size, with
// the whole frame's result: no output is computed from less than it sees.
//
// Along each axis output t of a dense net sees the input from q*t - A on, R
// pixels long: q is its output stride, R its receptive field and A the padding
// before it. A tile's output is the whole frame's where that lies inside the tile,
// or the tile ends where the frame does. So tiles begin at multiples of q, and
// where a net pads, what its padding reaches at inner sides is dropped.
package tiles

import (
	"errors"
	"fmt"
)

// Axis is a dense net along one axis.
type Axis struct {
	Input  int    // length of its input, pixels
	Output int    // length of its output, positions
	Stride int    // q: pixels from one position to the next
	Field  int    // R: pixels that a position sees, padding included
	Pad    int    // A: how far before the input the first position sees; negative: how far behind its start
	Loose  bool   // its length over other frames is known by whole strides alone
	Margin [2]int // pixels at either end that the net cut off before it padded
}

// ErrNothingLeft says that padding reaches every position of an inner tile.
var ErrNothingLeft = errors.New("no position of a tile is free of its padding")

// ErrSmall says that a frame does not hold one tile.
var ErrSmall = errors.New("smaller than the model's input")

// Padded tells whether the net pads along the axis.
func (a Axis) Padded() bool { return a.Pad > 0 || a.Output > a.seen(a.Input) }

// Exact tells whether the net has every position that it can have without padding:
// then its length over any frame is known. One that pads, or crops its end, has its
// length known where the frame is longer than its input by whole strides.
func (a Axis) Exact() bool { return !a.Loose && a.Pad <= 0 && a.Output == a.seen(a.Input) }

// Validate tells the first contradiction.
func (a Axis) Validate() error {
	if a.Input < 1 || a.Output < 1 || a.Stride < 1 || a.Field < 1 {
		return fmt.Errorf("tiles: input %d, output %d, stride %d, receptive field %d: each is at least 1", a.Input, a.Output, a.Stride, a.Field)
	}
	return nil
}

// seen is how many positions see nothing beyond the end of n pixels.
func (a Axis) seen(n int) int { return max(0, n+a.Pad-a.Field+a.Stride) / a.Stride }

// Length is how many positions the net has over a whole frame.
func (a Axis) Length(frame int) int { return a.Output + a.last(frame) }

// Used is how many of a frame's pixels count: a padded net's last tile ends where
// the frame is taken to end, a whole number of strides behind the first one's.
func (a Axis) Used(frame int) int {
	if a.Exact() {
		return frame
	}
	return a.Input + a.last(frame)*a.Stride
}

// last is where the last tile begins, in strides. Where the net does not pad it
// may reach over the frame's end, by less than a stride, which nothing sees.
func (a Axis) last(frame int) int {
	if a.Exact() {
		return a.seen(frame) - a.Output
	}
	return (frame - a.Input) / a.Stride
}

// free are the tile's own positions that no padding reaches: [from, to).
func (a Axis) free() (from, to int) {
	return max(0, a.Pad+a.Margin[0]+a.Stride-1) / a.Stride, min(a.Output, a.seen(a.Input-a.Margin[1]))
}

// Span is one tile along an axis.
type Span struct {
	At       int // its first pixel
	From, To int // the whole frame's positions that are taken from it
	First    int // its own position that From is
}

// Cut lays tiles over the positions [lo, hi) of a frame.
func (a Axis) Cut(frame, lo, hi int) ([]Span, error) {
	if frame < a.Input {
		return nil, fmt.Errorf("tiles: %d pixels for a tile of %d: %w", frame, a.Input, ErrSmall)
	}
	last := a.last(frame)
	from, to := a.free()
	if last > 0 && from >= to {
		return nil, fmt.Errorf("tiles: of %d pixels, with %d of padding before a receptive field of %d: %w", a.Input, a.Pad, a.Field, ErrNothingLeft)
	}
	var spans []Span
	for at := lo; at < hi; {
		k := min(max(at-from, 0), last)
		s := Span{At: k * a.Stride, From: at, To: min(k+to, hi), First: at - k}
		if k == last {
			s.To = hi
		}
		spans = append(spans, s)
		at = s.To
	}
	return spans, nil
}

// Step is how many pixels an inner tile adds; 0: none of it is free of padding.
func (a Axis) Step() int {
	from, to := a.free()
	return max(0, to-from) * a.Stride
}

// Within are the positions whose whole field lies in pixels [lo, hi) of a frame,
// or, of a net that pads, whose centre does; lo and hi rounded outward to strides.
func (a Axis) Within(frame, lo, hi int) (from, to, low, high int) {
	low = lo / a.Stride * a.Stride
	high = min((hi+a.Stride-1)/a.Stride*a.Stride, frame)
	n := a.Length(frame)
	if a.Padded() {
		centre := func(pixel int) int { // the first position whose centre is not before pixel
			return (2*pixel + 2*a.Pad - (a.Field - 1) + 2*a.Stride - 1) / (2 * a.Stride)
		}
		return min(max(centre(low), 0), n), min(max(centre(high), 0), n), low, high
	}
	from = max(0, low+a.Pad+a.Stride-1) / a.Stride
	return from, max(from, min(a.seen(high), n)), low, high
}
