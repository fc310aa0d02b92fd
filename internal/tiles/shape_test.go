package tiles

import "testing"

// A tile is as large as the cache holds, larger where too much would be computed
// again, and never larger than the memory.
func TestShape(t *testing.T) {
	a := Axis{Input: 128, Output: 90, Stride: 1, Field: 39}
	n := Net{a, a}
	if got := n.Work([2]int{128, 128}); got < 2.02 || got > 2.03 {
		t.Errorf("%.3f times the pixels", got)
	}
	for _, c := range []struct {
		room     Room
		from, to int // of its height
		ok       bool
	}{
		{Room{Pixel: 100, Cache: 64 << 20}, 800, 820, true},                    // all of the cache
		{Room{Pixel: 100, Cache: 1 << 20}, 360, 372, true},                     // a quarter more, and not less
		{Room{Pixel: 100, Cache: 1 << 20, Limit: 4 << 20}, 196, 205, true},     // all of the memory
		{Room{Pixel: 100, Cache: 1 << 20, Limit: 100 * 39 * 39}, 39, 39, true}, // one position
		{Room{Pixel: 100, Cache: 1 << 20, Limit: 1000}, 0, 0, false},
	} {
		size, ok := n.Shape(c.room)
		if ok != c.ok || size[0] < c.from || size[0] > c.to || size[0] != size[1] {
			t.Errorf("%+v: %v, %v", c.room, size, ok)
		}
		if ok && c.room.Limit > 0 && !c.room.holds(size, c.room.Limit) {
			t.Errorf("%+v: %v is more than the memory", c.room, size)
		}
	}
	odd := Net{{Input: 64, Output: 13, Stride: 3, Field: 28}, a}
	if size, ok := odd.Shape(Room{Pixel: 10, Cache: 1 << 20}); !ok || (size[0]-28)%3 != 0 {
		t.Errorf("%v: no whole strides", size)
	}
}
