package wire

import "testing"

func TestReduction(t *testing.T) {
	for _, c := range []struct {
		e    Enough
		w, h int
		want int
	}{
		{Enough{}, 1920, 1080, 1},
		{Enough{W: 640, H: 480}, 1920, 1080, 2},
		{Enough{W: 480, H: 270}, 1920, 1080, 4},
		{Enough{W: 240, H: 135}, 1920, 1080, 8},
		{Enough{W: 30, H: 30}, 1920, 1080, 8},
		{Enough{W: 241, H: 135}, 1920, 1080, 4},
		{Enough{W: 640, H: 640}, 1920, 1080, 1},
		{Enough{W: 96, H: 96}, 1920, 1084, 4},                               // 1084 is 8 * 135.5
		{Enough{W: 96, H: 96}, 1919, 1080, 1},                               // a column would be cut
		{Enough{W: 96, H: 96, ROI: [4]int{8, 16, 800, 800}}, 1920, 1080, 8}, //
		{Enough{W: 96, H: 96, ROI: [4]int{4, 16, 800, 800}}, 1920, 1080, 4}, // its edge lies on a quarter
		{Enough{W: 96, H: 96, ROI: [4]int{1, 16, 800, 800}}, 1920, 1080, 1}, // on none
		{Enough{W: 96, H: 96, ROI: [4]int{0, 0, 800, 190}}, 1920, 1080, 1},  // the part is too small
		{Enough{W: -1, H: 96, ROI: [4]int{0, 0, -8, -8}}, 1920, 1080, 1},
	} {
		if got := c.e.Reduction(c.w, c.h); got != c.want {
			t.Errorf("%+v of %dx%d: %d, want %d", c.e, c.w, c.h, got, c.want)
		}
	}
}
