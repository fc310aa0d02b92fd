package fallback

// heap is the binary heap of the C++ library that TensorFlow Lite is built with,
// step by step: where scores are equal, which one comes first depends on it.
type heap[T any] struct {
	v    []T
	less func(a, b T) bool
}

// up moves x from hole towards the root, at most to top.
func (h *heap[T]) up(hole, top int, x T) {
	for hole > top {
		parent := (hole - 1) / 2
		if !h.less(h.v[parent], x) {
			break
		}
		h.v[hole] = h.v[parent]
		hole = parent
	}
	h.v[hole] = x
}

// down puts x into the heap of the first n, of which place hole is free: first
// down to a leaf, then up.
func (h *heap[T]) down(hole, n int, x T) {
	top, child := hole, hole
	for child < (n-1)/2 {
		child = 2 * (child + 1)
		if h.less(h.v[child], h.v[child-1]) {
			child--
		}
		h.v[hole] = h.v[child]
		hole = child
	}
	if n%2 == 0 && child == (n-2)/2 {
		child = 2*child + 1
		h.v[hole] = h.v[child]
		hole = child
	}
	h.up(hole, top, x)
}

// push adds x; v has room for it.
func (h *heap[T]) push(x T) {
	h.v = append(h.v, x)
	h.up(len(h.v)-1, 0, x)
}

// pop takes the greatest.
func (h *heap[T]) pop() T {
	last := len(h.v) - 1
	first, x := h.v[0], h.v[last]
	h.v = h.v[:last]
	if last > 0 {
		h.down(0, last, x)
	}
	return first
}

// partialSort brings the least k of all to the front, in order.
func (h *heap[T]) partialSort(k int) {
	if k == 0 {
		return
	}
	for parent := (k - 2) / 2; k > 1 && parent >= 0; parent-- {
		h.down(parent, k, h.v[parent])
	}
	for i := k; i < len(h.v); i++ {
		if h.less(h.v[i], h.v[0]) {
			x := h.v[i]
			h.v[i] = h.v[0]
			h.down(0, k, x)
		}
	}
	for n := k - 1; n > 0; n-- {
		x := h.v[n]
		h.v[n] = h.v[0]
		h.down(0, n, x)
	}
}
