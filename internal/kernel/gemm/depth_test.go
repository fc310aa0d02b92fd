package gemm

import (
	"math"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

func TestDepthF32(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, c := range tileCases() {
			testDepthF32(t, k, r, c)
		}
	})
}

func testDepthF32(t *testing.T, on *Routines, r *rand.Rand, c tileCase) {
	t.Helper()
	tile := TileF32{A: kerneltest.Normal(r, 300), W: kerneltest.Normal(r, c.taps*TileCols), Bias: kerneltest.Normal(r, TileCols),
		Ldc: TileCols + 3, Rows: c.rows, Lo: -2, Hi: 2}
	tile.Off, tile.Taps = positions(r, c, 280)
	var check func()
	tile.Dst, check = kerneltest.Guarded(t, (c.rows-1)*tile.Ldc+TileCols, float32(-77))
	on.DepthF32(&tile)
	check()
	for m := range c.rows {
		for n := range TileCols {
			want, size := float64(tile.Bias[n]), math.Abs(float64(tile.Bias[n]))
			for i, tap := range tile.Taps {
				p := float64(tile.A[tile.Off[m]+tap+n]) * float64(tile.W[i*TileCols+n])
				want, size = want+p, size+math.Abs(p)
			}
			want = max(min(want, 2), -2)
			tol := float64(c.taps+2) * 0x1p-23 * size
			if got := float64(tile.Dst[m*tile.Ldc+n]); !(math.Abs(got-want) <= tol) {
				t.Fatalf("%v: position %d channel %d: got %g, want %g", c, m, n, got, want)
			}
		}
	}
}

func TestDepthI16(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, c := range tileCases() {
			testDepthI16(t, k, r, c)
		}
	})
}

func testDepthI16(t *testing.T, on *Routines, r *rand.Rand, c tileCase) {
	t.Helper()
	tile := TileI16{A: randomI16(r, 300), W: randomI16(r, c.taps*TileCols), Bias: make([]int32, TileCols), Rows: c.rows}
	for n := range tile.Bias {
		tile.Bias[n] = int32(r.Uint32()) >> 4
	}
	tile.Off, tile.Taps = positions(r, c, 280)
	var check func()
	tile.Dst, check = kerneltest.Guarded(t, c.rows*TileCols, int32(-77))
	on.DepthI16(&tile)
	check()
	for m := range c.rows {
		for n := range TileCols {
			want := tile.Bias[n]
			for i, tap := range tile.Taps {
				want += int32(tile.A[tile.Off[m]+tap+n]) * int32(tile.W[i*TileCols+n])
			}
			if got := tile.Dst[m*TileCols+n]; got != want {
				t.Fatalf("%v: position %d channel %d: got %d, want %d", c, m, n, got, want)
			}
		}
	}
}

// TestDepthGenericStopsAtTheEnd: the portable version may not read behind A.
func TestDepthGenericStopsAtTheEnd(t *testing.T) {
	f := TileF32{A: []float32{1, 2, 3}, Taps: []int{0}, W: make([]float32, TileCols), Bias: make([]float32, TileCols),
		Dst: make([]float32, TileCols), Ldc: TileCols, Rows: 1, Lo: -9, Hi: 9}
	f.W[0], f.W[2] = 5, 2
	depthF32Generic(&f)
	i := TileI16{A: []int16{1, 2, 3}, Taps: []int{0}, W: make([]int16, TileCols), Bias: make([]int32, TileCols), Dst: make([]int32, TileCols), Rows: 1}
	i.W[2] = 7
	depthI16Generic(&i)
	if f.Dst[0] != 5 || f.Dst[2] != 6 || i.Dst[2] != 21 {
		t.Errorf("sums %v and %v", f.Dst[:3], i.Dst[:3])
	}
}

func BenchmarkDepthF32(b *testing.B) {
	tile := TileF32{A: make([]float32, 1024), Taps: make([]int, 9), W: make([]float32, 9*TileCols),
		Bias: make([]float32, TileCols), Dst: make([]float32, TileRows*TileCols), Ldc: TileCols, Rows: TileRows}
	kerneltest.Bench(b, For, TileRows*TileCols*9, func(k *Routines) func() { return func() { k.DepthF32(&tile) } })
}

func BenchmarkDepthI16(b *testing.B) {
	tile := TileI16{A: make([]int16, 1024), Taps: make([]int, 9), W: make([]int16, 9*TileCols),
		Bias: make([]int32, TileCols), Dst: make([]int32, TileRows*TileCols), Rows: TileRows}
	kerneltest.Bench(b, For, TileRows*TileCols*9, func(k *Routines) func() { return func() { k.DepthI16(&tile) } })
}
