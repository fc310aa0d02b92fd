package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/cpu"
	"edged/internal/kernel/kerneltest"
)

func randomI16(r *rand.Rand, n int) []int16 {
	v := make([]int16, n)
	for i := range v {
		v[i] = int16(r.IntN(511) - 255)
	}
	return v
}

// tileCase is one geometry: taps*k sums over six positions of a random A.
type tileCase struct{ taps, k, rows int }

func tileCases() []tileCase {
	var cs []tileCase
	for _, k := range []int{1, 2, 3, 4, 5, 8, 16, 27} {
		for _, taps := range []int{1, 2, 9} {
			for rows := 1; rows <= TileRows; rows++ {
				cs = append(cs, tileCase{taps, k, rows})
			}
		}
	}
	return append(cs, tileCase{0, 4, 6}, tileCase{3, 0, 6})
}

func (c tileCase) String() string { return fmt.Sprintf("taps=%d k=%d rows=%d", c.taps, c.k, c.rows) }

// positions draws offsets such that every access of A[n] stays inside.
func positions(r *rand.Rand, c tileCase, n int) (off [TileRows]int, taps []int) {
	taps = make([]int, c.taps)
	for i := range taps {
		taps[i] = r.IntN(n / 3)
	}
	for i := range off {
		off[i] = r.IntN(n / 3)
	}
	return off, taps
}

func TestMulF32(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, c := range tileCases() {
			for _, bound := range []float32{math.MaxFloat32, 0.5} {
				testMulF32(t, k, r, c, bound)
			}
		}
	})
}

// testMulF32 compares with sums in float64 under the summation bound.
func testMulF32(t *testing.T, on *Routines, r *rand.Rand, c tileCase, bound float32) {
	t.Helper()
	tile := TileF32{A: kerneltest.Normal(r, 300), K: c.k, Bias: kerneltest.Normal(r, TileCols), Ldc: TileCols + 3, Rows: c.rows, Lo: -bound, Hi: bound}
	tile.Off, tile.Taps = positions(r, c, 300)
	weights := kerneltest.Normal(r, c.taps*c.k*TileCols)
	tile.W = make([]float32, PackedF32(c.taps*c.k, TileCols))
	PackF32(tile.W, c.taps*c.k, TileCols, func(k, n int) float32 { return weights[k*TileCols+n] })
	var check func()
	tile.Dst, check = kerneltest.Guarded(t, (c.rows-1)*tile.Ldc+TileCols, float32(-77))
	on.MulF32(&tile)
	check()
	for m := range c.rows {
		for n := range TileCols {
			want, size := float64(tile.Bias[n]), math.Abs(float64(tile.Bias[n]))
			for i, tap := range tile.Taps {
				for k := range c.k {
					p := float64(tile.A[tile.Off[m]+tap+k]) * float64(weights[(i*c.k+k)*TileCols+n])
					want += p
					size += math.Abs(p)
				}
			}
			want = max(min(want, float64(bound)), -float64(bound))
			tol := float64(c.taps*c.k+2) * 0x1p-23 * size
			if got := float64(tile.Dst[m*tile.Ldc+n]); !(math.Abs(got-want) <= tol) {
				t.Fatalf("%v: position %d channel %d: got %g, want %g within %g", c, m, n, got, want, tol)
			}
		}
	}
	for m := range c.rows - 1 {
		for _, v := range tile.Dst[m*tile.Ldc+TileCols : (m+1)*tile.Ldc] {
			if v != -77 {
				t.Fatalf("%v: wrote %g between positions", c, v)
			}
		}
	}
}

func TestMulF32KeepsNaN(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		a := make([]float32, 8)
		a[0] = float32(math.NaN())
		tile := TileF32{A: a, Taps: []int{0}, K: 1, W: make([]float32, TileCols), Bias: make([]float32, TileCols),
			Dst: make([]float32, TileCols), Ldc: TileCols, Rows: 1, Lo: 0, Hi: 6}
		k.MulF32(&tile)
		if v := tile.Dst[3]; v == v {
			t.Errorf("NaN became %g", v)
		}
	})
}

func TestMulI16(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, c := range tileCases() {
			testMulI16(t, k, r, c)
		}
	})
}

func testMulI16(t *testing.T, on *Routines, r *rand.Rand, c tileCase) {
	t.Helper()
	k := cpu.RoundUp(c.k, 2)
	tile := TileI16{A: randomI16(r, 300), K: k, Bias: make([]int32, TileCols), Rows: c.rows}
	for n := range tile.Bias {
		tile.Bias[n] = int32(r.Uint32()) >> 4
	}
	tile.Off, tile.Taps = positions(r, c, 300)
	weights := randomI16(r, c.taps*c.k*TileCols)
	at := func(i, n int) int16 {
		if i%k >= c.k {
			return 0
		}
		return weights[(i/k*c.k+i%k)*TileCols+n]
	}
	tile.W = make([]int16, PackedI16(c.taps*k, TileCols))
	PackI16(tile.W, c.taps*k, TileCols, at)
	var check func()
	tile.Dst, check = kerneltest.Guarded(t, c.rows*TileCols, int32(-77))
	on.MulI16(&tile)
	check()
	for m := range c.rows {
		for n := range TileCols {
			want := tile.Bias[n]
			for i, tap := range tile.Taps {
				for kk := range c.k {
					want += int32(tile.A[tile.Off[m]+tap+kk]) * int32(weights[(i*c.k+kk)*TileCols+n])
				}
			}
			if got := tile.Dst[m*TileCols+n]; got != want {
				t.Fatalf("%v: position %d channel %d: got %d, want %d", c, m, n, got, want)
			}
		}
	}
}

func TestPackZeroesPadding(t *testing.T) {
	dst := kerneltest.Normal(rand.New(rand.NewPCG(5, 6)), PackedF32(3, 17))
	PackF32(dst, 3, 17, func(k, n int) float32 { return 1 })
	sum := float32(0)
	for _, v := range dst {
		sum += v
	}
	if len(dst) != 2*3*TileCols || sum != 3*17 {
		t.Errorf("%d elements that sum to %g, want %d and 51", len(dst), sum, 2*3*TileCols)
	}
}

func TestPackRowsF32(t *testing.T) {
	w := kerneltest.Normal(rand.New(rand.NewPCG(5, 6)), 5*19)
	got, want := kerneltest.Normal(rand.New(rand.NewPCG(7, 7)), PackedF32(5, 19)), make([]float32, PackedF32(5, 19))
	PackRowsF32(got, 5, 19, w)
	PackF32(want, 5, 19, func(k, n int) float32 { return w[n*5+k] })
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("element %d is %g, want %g", i, got[i], want[i])
		}
	}
}

func BenchmarkMulF32(b *testing.B) {
	tile := TileF32{A: make([]float32, 1024), Taps: make([]int, 9), K: 32, W: make([]float32, 9*32*TileCols),
		Bias: make([]float32, TileCols), Dst: make([]float32, TileRows*TileCols), Ldc: TileCols, Rows: TileRows}
	kerneltest.Bench(b, For, TileRows*TileCols*9*32, func(k *Routines) func() { return func() { k.MulF32(&tile) } })
}

func BenchmarkMulI16(b *testing.B) {
	tile := TileI16{A: make([]int16, 1024), Taps: make([]int, 9), K: 32, W: make([]int16, 9*32*TileCols),
		Bias: make([]int32, TileCols), Dst: make([]int32, TileRows*TileCols), Rows: TileRows}
	kerneltest.Bench(b, For, TileRows*TileCols*9*32, func(k *Routines) func() { return func() { k.MulI16(&tile) } })
}
