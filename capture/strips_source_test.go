package capture

import (
	"testing"
	"time"
)

// A live camera is read on while its rows wait, and a hole lies where rows lack:
// neither before what waited while the camera was opened anew, nor unseen behind it.
func TestAHoleIsWhereRowsLack(t *testing.T) {
	for _, fault := range []string{"end", "crash", "hang", "corrupt"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cfg := fake("fps=100&" + fault + "=14&" + mark(t))
			cfg.Keep, cfg.MaxAge, cfg.StallAfter, cfg.FrozenAfter = true, -1, -1, -1
			src := NewStrips(mustOpen(t, cfg), 48, false)
			holes, again := 0, false
			last, row := uint64(0), int64(0)
			for i := 0; !again || i < 60; i++ {
				if i == 8 || i == 40 {
					time.Sleep(300 * time.Millisecond) // the mailbox fills, and runs over
				}
				f, n := next(t, src)
				if f.H != 48 || f.Begins == (n == last+1) && i > 0 {
					t.Fatalf("strip %d: picture %d after %d, begins %v", i, n, last, f.Begins)
				}
				if f.Row < row {
					t.Fatalf("strip %d lies at row %d, behind row %d", i, f.Row, row)
				}
				if f.Begins && i > 0 {
					holes++
				}
				again = again || n < last || fault == "corrupt" && n > 14
				last, row = n, f.Row+48
				if i > 3000 {
					t.Fatal("the fault did not come")
				}
			}
			if got := src.Holes(); got != uint64(holes) || holes < 2 {
				t.Errorf("%d holes counted, %d seen", got, holes)
			}
			if read, lost := src.Rows(); lost == 0 || read == 0 {
				t.Errorf("%d rows read, %d lost", read, lost)
			}
			balanced(t, src)
		})
	}
}

// A folder and a clip that are played again begin a picture with each round.
func TestEachRoundIsAPicture(t *testing.T) {
	cfg := fakeFile(t, "n=5&w=64&h=48")
	cfg.Keep, cfg.Loop = true, true
	src := NewStrips(mustOpen(t, cfg), 48, false)
	for i := range 12 {
		if f, n := next(t, src); f.Begins != (i%5 == 0) || n != uint64(i%5+1) {
			t.Fatalf("strip %d: picture %d, begins %v", i, n, f.Begins)
		}
	}
	if src.Holes() != 2 {
		t.Errorf("%d holes", src.Holes())
	}
}
