package tiles

import (
	"errors"
	"testing"
)

// covered tells whether spans are the positions [lo, hi), each once and from a tile
// that has it free of padding.
func covered(a Axis, frame, lo, hi int, spans []Span) bool {
	at := lo
	for _, s := range spans {
		k := s.At / a.Stride
		if s.At%a.Stride != 0 || s.From != at || s.First != s.From-k || s.To <= s.From || s.First+s.To-s.From > a.Output {
			return false
		}
		for p := s.From; p < s.To; p++ {
			first, last := p*a.Stride-a.Pad, p*a.Stride-a.Pad+a.Field
			if first < s.At && s.At > 0 || last > s.At+a.Input && s.At+a.Input < frame {
				return false
			}
		}
		at = s.To
	}
	return at == hi
}

// Every part of every frame is covered by tiles that see all that counts.
func TestCutCoversEveryPart(t *testing.T) {
	for _, a := range []Axis{
		{Input: 20, Output: 12, Stride: 1, Field: 9},
		{Input: 21, Output: 6, Stride: 2, Field: 10},
		{Input: 24, Output: 2, Stride: 8, Field: 13},
		{Input: 20, Output: 20, Stride: 1, Field: 7, Pad: 3},
		{Input: 32, Output: 8, Stride: 4, Field: 11, Pad: 5},
		{Input: 20, Output: 13, Stride: 1, Field: 7, Pad: -1},
	} {
		if err := a.Validate(); err != nil {
			t.Fatal(err)
		}
		for frame := a.Input; frame < 3*a.Input; frame++ {
			frame, n := a.Used(frame), a.Length(frame)
			for lo := range n {
				for hi := lo + 1; hi <= n; hi++ {
					spans, err := a.Cut(frame, lo, hi)
					if err != nil || !covered(a, frame, lo, hi, spans) {
						t.Fatalf("%+v: positions %d to %d of %d pixels: %+v, %v", a, lo, hi, frame, spans, err)
					}
				}
			}
		}
	}
}

func TestCutRefusesWhatCannotBe(t *testing.T) {
	padded := Axis{Input: 16, Output: 16, Stride: 1, Field: 33, Pad: 16}
	if _, err := padded.Cut(17, 0, 17); !errors.Is(err, ErrNothingLeft) {
		t.Errorf("a tile that is all padding: %v", err)
	}
	if _, err := padded.Cut(16, 0, 16); err != nil {
		t.Errorf("a frame that is one tile: %v", err)
	}
	if _, err := padded.Cut(15, 0, 15); !errors.Is(err, ErrSmall) {
		t.Errorf("a frame smaller than a tile: %v", err)
	}
	if (Axis{Input: 4, Output: 1, Stride: 0, Field: 1}).Validate() == nil {
		t.Error("a stride of 0 passes")
	}
}

// A part's positions see the part alone, and its corners lie at whole strides.
func TestWithinRoundsOutward(t *testing.T) {
	a := Axis{Input: 40, Output: 16, Stride: 2, Field: 9}
	for lo := range 60 {
		for hi := lo + 12; hi <= 90; hi++ {
			from, to, low, high := a.Within(90, lo, hi)
			if low > lo || high < hi || low%2 != 0 || from*2 < low || (to-1)*2+9 > high || (from-1)*2 >= low || to*2+9 <= high {
				t.Fatalf("pixels %d to %d: positions %d to %d of %d to %d", lo, hi, from, to, low, high)
			}
		}
	}
}
