package conv

import "edged/internal/kernel/cpu"

// RunnerF32 is a float32 convolution over planes; see ConvF32.Run.
type RunnerF32 interface {
	Run(k *Worker, dst, src, res Plane[float32], rows, cols int)
}

// RunnerI8 is an 8-bit one; see ConvI8.Run.
type RunnerI8 interface {
	Run(k *Worker, dst, src Plane[uint8], rows, cols int)
}

// Between is what passes from a convolution to one of 1x1 behind it, which reads
// each pixel by itself: never more than a few columns, which stay in the cache.
type Between struct {
	Channels   int
	Rows, Cols int // of the largest result that is asked for
	Step       int // neighbouring columns that the first convolution computes together
}

// betweenBytes is how much may pass at once: it shares the second-level cache
// with what it is made from and the weights of both.
const betweenBytes = 64 << 10

// Columns is the number of columns that pass at once, of elements of elem bytes.
func (b Between) Columns(elem int) int {
	most := max(1, betweenBytes/elem/b.Channels/b.Rows/b.Step) * b.Step
	n := (b.Cols + most - 1) / most
	return cpu.RoundUp((b.Cols+n-1)/n, b.Step)
}

// size is the number of elements that pass at once.
func (b Between) size(elem int) int { return b.Rows * b.Columns(elem) * b.Channels }

// plane is cols columns in memory.
func plane[T any](b Between, memory []T, cols int) Plane[T] {
	return Plane[T]{memory, cols * b.Channels, b.Channels}
}

// ChainF32 is a convolution with one of 1x1 behind it.
type ChainF32 struct {
	between     Between
	first, then RunnerF32
}

// NewChainF32 has then read what first computes.
func NewChainF32(b Between, first, then RunnerF32) *ChainF32 { return &ChainF32{b, first, then} }

// Run computes rows x cols output pixels of the second convolution, which adds
// res; see ConvF32.Run.
func (c *ChainF32) Run(k *Worker, dst, src, res Plane[float32], rows, cols int) {
	const elem = 4
	reserveF32(&k.asideF32, c.between.size(elem))
	step := c.between.Columns(elem)
	for x := 0; x < cols; x += step {
		n := min(step, cols-x)
		aside := plane(c.between, k.asideF32, n)
		c.first.Run(k, aside, src.from(0, x), Plane[float32]{}, rows, n)
		c.then.Run(k, dst.from(0, x), aside, res.from(0, x), rows, n)
	}
}

// ChainI8 is ChainF32 for 8-bit convolutions.
type ChainI8 struct {
	between     Between
	first, then RunnerI8
}

// NewChainI8 has then read what first computes.
func NewChainI8(b Between, first, then RunnerI8) *ChainI8 { return &ChainI8{b, first, then} }

// Run computes rows x cols output pixels of the second convolution.
func (c *ChainI8) Run(k *Worker, dst, src Plane[uint8], rows, cols int) {
	const elem = 1
	reserve(&k.asideI8, c.between.size(elem)+Slack)
	step := c.between.Columns(elem)
	for x := 0; x < cols; x += step {
		n := min(step, cols-x)
		aside := plane(c.between, k.asideI8, n)
		c.first.Run(k, aside, src.from(0, x), rows, n)
		c.then.Run(k, dst.from(0, x), aside, rows, n)
	}
}

// reserveF32 is reserve for floats that start on a cache line.
func reserveF32(s *[]float32, n int) {
	if len(*s) < n {
		*s = alignedF32(n)
	}
}
