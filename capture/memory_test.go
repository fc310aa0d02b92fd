package capture

import "testing"

func TestLargestPicture(t *testing.T) {
	for _, c := range []struct {
		total int64
		slots int
		want  int64
	}{
		{0, 4, manyPixels}, {24 << 30, 4, manyPixels}, {1 << 30, 4, 19884107}, {512 << 20, 4, 9942053}, {1 << 30, 16, 6628035},
	} {
		if got := largestPicture(c.total, c.slots); got != c.want {
			t.Errorf("%d bytes, %d slots: %d pixels, want %d", c.total, c.slots, got, c.want)
		}
	}
	if memoryTotal() < 64<<20 {
		t.Errorf("this machine has %d bytes of memory", memoryTotal())
	}
	c := &camera{}
	for _, said := range []string{"fatal error: runtime: out of memory", "terminate called after throwing an instance of 'std::bad_alloc'", "Could not open codec h264, error: -11"} {
		if c.hunger(said) == said {
			t.Errorf("%q tells of no limit", said)
		}
	}
	if c.hunger("it answers 404") != "it answers 404" {
		t.Error("what has nothing to do with memory speaks of it")
	}
}
