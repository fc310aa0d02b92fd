package belt

import (
	"testing"

	"edged"
)

// 60 frames a second leave 16.6 ms for each: BenchmarkFrame is what playing in
// order costs, BenchmarkJump a frame whose whole belt is new.
func BenchmarkFrame(b *testing.B) {
	s := mustScene(b, Default())
	var f edged.Frame
	s.Render(0, &f, nil)
	b.ReportAllocs()
	k := uint64(0)
	for b.Loop() {
		k++
		s.Render(k, &f, nil)
	}
}

func BenchmarkJump(b *testing.B) {
	s := mustScene(b, Default())
	var f edged.Frame
	k := uint64(0)
	for b.Loop() {
		k += 10000
		s.Render(k, &f, nil)
	}
}
