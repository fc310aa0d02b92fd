package gemm

import (
	"math"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
	"edged/internal/kernel/vec"
)

func TestRequantTile(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(7, 8))
		for i := range kerneltest.Cases(3000) {
			testRequant(t, k, r, 1+i%TileRows, i%2 == 0, i%4 < 2)
		}
	})
}

// testRequant compares with the scalar functions, on sums around exact halves
// as well as on any.
func testRequant(t *testing.T, on *Routines, r *rand.Rand, rows int, halfUp, signed bool) {
	t.Helper()
	q := Requant{Acc: make([]int32, rows*TileCols), Mult: make([]int32, TileCols), Shift: make([]int32, TileCols),
		Ldc: TileCols + 5, Rows: rows, Zero: int32(r.IntN(256)), Lo: 0, Hi: 255, HalfUp: halfUp}
	if signed {
		q.Zero, q.Lo, q.Hi = q.Zero-128, -128, 127
	}
	for n := range TileCols {
		q.Mult[n], q.Shift[n] = 1<<30+int32(r.IntN(1<<30)), int32(r.IntN(35))-31
		if r.IntN(3) == 0 {
			q.Mult[n] = 1 << 30
		}
	}
	for i := range q.Acc {
		q.Acc[i] = int32(r.Uint32()) >> r.IntN(31)
		if r.IntN(50) == 0 {
			q.Acc[i] = math.MinInt32
		}
	}
	var check func()
	q.Dst, check = kerneltest.Guarded(t, (rows-1)*q.Ldc+TileCols, byte(0xA5))
	on.Requant(&q)
	check()
	mul := vec.MulByQuantized
	if halfUp {
		mul = vec.MulByQuantizedHalfUp
	}
	for m := range rows {
		for n := range TileCols {
			a := q.Acc[m*TileCols+n]
			want := byte(min(max(q.Zero+mul(a, q.Mult[n], q.Shift[n]), q.Lo), q.Hi))
			if got := q.Dst[m*q.Ldc+n]; got != want {
				t.Fatalf("sum %d * %d shift %d (half up %v) at %d,%d: got %d, want %d", a, q.Mult[n], q.Shift[n], halfUp, m, n, got, want)
			}
		}
	}
}

func BenchmarkRequantTile(b *testing.B) {
	q := Requant{Acc: make([]int32, TileRows*TileCols), Mult: make([]int32, TileCols), Shift: make([]int32, TileCols),
		Dst: make([]byte, TileRows*TileCols), Ldc: TileCols, Rows: TileRows, Lo: -128, Hi: 127}
	kerneltest.Bench(b, For, TileRows*TileCols, func(k *Routines) func() { return func() { k.Requant(&q) } })
}
