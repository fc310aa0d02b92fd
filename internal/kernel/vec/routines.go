package vec

// Routines are the loops of one variant: what it has is done by assembly, the
// rest, and all of what it has not, in portable Go. They are made by For, hold no
// state, and serve any number of threads.
type Routines struct {
	maxF32, addF32 loop[func(dst, src *float32, blocks int)]
	maxI8          loop[func(dst, src *int8, blocks int)]
	maxU8          loop[func(dst, src *uint8, blocks int)]

	addPair, subPair, mulPair, divPair          floatPair
	maxPair, minPair, preluPair, squaredDiffers floatPair

	clampF32               loop[func(dst, src *float32, blocks int, lo, hi float32)]
	hardSwishF32           loop[func(dst, src *float32, blocks int)]
	leakyReluF32, scaleF32 loop[func(dst, src *float32, blocks int, factor float32)]

	expF32                       loop[func(dst, src *float32, blocks int, minus, times float32) [8]float32]
	topF32                       loop[func(src *float32, blocks int) [8]float32]
	logisticF32, tanhF32, eluF32 loop[func(dst, src *float32, blocks int, table *expConstants)]

	widenI8, widenU8           loop[func(dst *int16, src *byte, blocks int, zero int16)]
	dequantiseI8, dequantiseU8 loop[func(dst *float32, src *byte, blocks int, scale float32, zero int32)]
	quantise                   loop[func(dst *byte, src *float32, blocks int, scale float64, zero, lo, hi float32)]
	table                      loop[func(dst, src *byte, blocks int, t *Table)]

	sumRowsI8, sumRowsU8 loop[func(acc *int32, src *byte, blocks, rows, stride int)]
	sumRowsF32           loop[func(acc *float64, src *float32, blocks, rows, stride int)]

	// The size of these is that of the pieces in which they take a pixel, past
	// whose end they go.
	averageBytes             loop[func(dst *byte, acc *int32, n, c, step, tap, k int, inverse, half float32, lo, hi int32)]
	averageF32               loop[func(dst, acc *float32, n, c, step, tap, k int, count, lo, hi float32)]
	maxPixelsI8, maxPixelsU8 loop[func(dst, src *byte, n, c, step, tap, k int)]
	maxPixelsF32             loop[func(dst, src *float32, n, c, step, tap, k int)]
	lerpI8                   loop[func(dst, top, bottom *byte, xs *lerpI8X, n, c int, t int32)]
	lerpF32                  loop[func(l *LerpF32, dst, top, bottom *float32, t float32)]

	addBytesI8, addBytesU8         pairLoop
	subBytesI8, subBytesU8         pairLoop
	subFromBytesI8, subFromBytesU8 pairLoop
	mulBytesI8, mulBytesU8         pairLoop
}

// loop is a routine of the machine and how many elements it takes at a time; of
// size 0, there is none.
type loop[F any] struct {
	fn   F
	size int
}

// of is fn, which takes size elements at a time.
func of[F any](fn F, size int) loop[F] { return loop[F]{fn, size} }

// blocks is how many times size elements the routine takes of n.
func (l loop[F]) blocks(n int) int {
	if l.size == 0 {
		return 0
	}
	return n / l.size
}

// bySign is signed or unsigned.
func bySign[T any](signed bool, i8, u8 *T) *T {
	if signed {
		return i8
	}
	return u8
}

// ofPair computes whole blocks of dst from src, as long, and says how many
// elements these are.
func ofPair[T any](l loop[func(dst, src *T, blocks int)], dst, src []T) int {
	b := l.blocks(len(dst))
	if b > 0 {
		_ = src[len(dst)-1]
		l.fn(&dst[0], &src[0], b)
	}
	return b * l.size
}
