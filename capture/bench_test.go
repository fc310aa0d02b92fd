package capture

import (
	"context"
	"testing"

	"edged"
)

// BenchmarkNext is a frame from the worker process to the caller and back,
// every frame, as fast as both sides go; the picture is not touched.
func BenchmarkNext(b *testing.B) {
	cfg := fake("blank=1")
	cfg.EveryFrame, cfg.FrozenAfter = true, -1
	benchmark(b, cfg)
}

// BenchmarkNextLooked adds what every live frame is checked for, at 640x480.
func BenchmarkNextLooked(b *testing.B) {
	cfg := fake("blank=1&w=640&h=480")
	cfg.EveryFrame = true
	benchmark(b, cfg)
}

func benchmark(b *testing.B, cfg Config) {
	src, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	ctx, f := context.Background(), edged.Frame{}
	for range 10 { // past the opening
		if err := src.Next(ctx, &f); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := src.Next(ctx, &f); err != nil {
			b.Fatal(err)
		}
	}
}
