package rewrite

import "testing"

// Shapes that a file merely claims make no negative number.
func TestMACsOfAnyShape(t *testing.T) {
	const huge = 1<<31 - 1
	for _, x := range []struct {
		of, by []int32
		want   int64
	}{
		{[]int32{1, 4, 5, 8}, []int32{3, 3, 2}, 160 * 18},
		{[]int32{huge, huge, huge}, []int32{huge}, mostMACs},
		{[]int32{1, -1, 5}, []int32{3}, 0},
		{[]int32{1, 0}, []int32{3}, 0},
		{nil, []int32{7}, 7},
	} {
		if got := macs(x.of, x.by...); got != x.want {
			t.Errorf("macs(%v, %v) = %d, want %d", x.of, x.by, got, x.want)
		}
	}
}
