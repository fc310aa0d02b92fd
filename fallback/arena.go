package fallback

import (
	"cmp"
	"fmt"
	"slices"
	"unsafe"
)

// alignment of every tensor in the arena: a cache line, which is also the
// widest vector.
const alignment = 64

// MemoryError says that a model needs more memory than Options.MemoryLimit.
type MemoryError struct{ Need, Limit int64 }

func (e *MemoryError) Error() string {
	return fmt.Sprintf("memory limit: the model needs at least %d bytes of tensors, the limit is %d: raise the limit or use a smaller input", e.Need, e.Limit)
}

// exhaustive is the number of tensors up to which layout searches for the best
// place; beyond it, tensors get places of their own, which takes linear time.
const exhaustive = 4096

// layout gives every tensor with a lifetime its offset such that tensors alive
// at the same step do not overlap, and returns the size of the arena. Larger
// tensors choose first; each takes the lowest gap that fits.
func layout(tensors []*tensor) int64 {
	var size int64
	if len(tensors) > exhaustive {
		for _, t := range tensors {
			t.offset = size
			size += align(t.bytes)
		}
		return size
	}
	order := slices.Clone(tensors)
	slices.SortStableFunc(order, func(a, b *tensor) int { return cmp.Compare(b.bytes, a.bytes) })
	var placed []*tensor // by offset
	for _, t := range order {
		t.offset = 0
		for _, o := range placed {
			if o.last < t.first || t.last < o.first {
				continue
			}
			if o.offset-t.offset >= align(t.bytes) {
				break
			}
			t.offset = max(t.offset, o.offset+align(o.bytes))
		}
		at, _ := slices.BinarySearchFunc(placed, t.offset, func(o *tensor, v int64) int { return cmp.Compare(o.offset, v) })
		placed = slices.Insert(placed, at, t)
		size = max(size, t.offset+align(t.bytes))
	}
	return size
}

func align(n int64) int64 { return (n + alignment - 1) &^ (alignment - 1) }

// aligned allocates n zero bytes that start at a multiple of alignment. As many
// more stand behind them: kernels read whole vectors.
func aligned(n int64) []byte {
	b := make([]byte, n+2*alignment)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % alignment
	return b[skip : int64(skip)+n : int64(skip)+n]
}
