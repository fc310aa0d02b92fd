package belt

import (
	"bytes"
	"testing"

	"edged"
)

// TestLine: a line camera's strips are one picture, whichever their height, with the
// truth of each row.
func TestLine(t *testing.T) {
	rows := func(h, n int) (pix, classes []byte) {
		c := Default()
		c.W, c.H, c.FPS, c.Line, c.Grain = 96, h, 0, true, 0
		s, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		var f edged.Frame
		var m edged.Mask
		for range n / h {
			if err := s.Next(t.Context(), &f); err != nil {
				t.Fatal(err)
			}
			if err := s.Truth(&m); err != nil {
				t.Fatal(err)
			}
			if f.W != 96 || f.H != h || m.W != 96 || m.H != h {
				t.Fatalf("a strip of %dx%d, its truth %dx%d", f.W, f.H, m.W, m.H)
			}
			pix, classes = append(pix, f.Pix...), append(classes, m.Pix...)
		}
		return pix, classes
	}
	pix, classes := rows(32, 384)
	again, same := rows(128, 384)
	if !bytes.Equal(pix, again) || !bytes.Equal(classes, same) {
		t.Error("strips of other heights make another picture")
	}
	if bytes.Count(classes, []byte{Metal}) < 500 || bytes.Count(classes, []byte{Background}) < 500 {
		t.Error("the rows show no parts on a belt")
	}
}
