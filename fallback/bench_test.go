package fallback

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"edged"
	"edged/internal/kernel/cpu"
	"edged/model"
)

// BenchmarkRun measures a frame of the bundled nets at their own size, in every
// kernel variant; edged bench --compare measures against TFLite.
func BenchmarkRun(b *testing.B) {
	files, err := filepath.Glob(filepath.Join("..", "train", "nets", "*.tflite"))
	if err != nil || len(files) == 0 {
		b.Fatal("no nets in train/nets")
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		for _, v := range cpu.Available() {
			b.Setenv(cpu.EnvVariable, string(v))
			b.Run(filepath.Base(name)+"/"+string(v), func(b *testing.B) {
				e := open(b, data, edged.Options{Threads: 1})
				for b.Loop() {
					if err := e.Run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkOpen measures the loading of a file of about 10 MB: a chain of
// convolutions of random weights.
func BenchmarkOpen(b *testing.B) {
	data := heavyNet(b, 128, 256, 256, 320, 320)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		open(b, data, edged.Options{Threads: 1}).Close()
	}
}

// BenchmarkFirstResult measures loading and the first frame, of a chain like
// BenchmarkOpen's of about 4 MB.
func BenchmarkFirstResult(b *testing.B) {
	data := heavyNet(b, 128, 256, 256)
	for _, threads := range []int{1, 2} {
		b.Run(strconv.Itoa(threads)+" threads", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				e := open(b, data, edged.Options{Threads: threads})
				if err := e.Run(); err != nil {
					b.Fatal(err)
				}
				e.Close()
			}
		})
	}
}

// heavyNet has 3x3 convolutions of these widths on a map of 16x16.
func heavyNet(t testing.TB, widths ...int) []byte {
	r := rand.New(rand.NewPCG(4, 4))
	g := &grapher{Builder: model.NewBuilder(), typ: model.TypeFloat32, r: r}
	x := g.in(1, 16, 16, 64)
	for _, c := range widths {
		shape := g.Shape(x)
		x = g.Conv2D(x, g.weights(c, 3, 3, shape[3]), g.bias(c), model.Conv2DOptions{Activation: model.ActRelu})
	}
	return file(t, g.Builder, x)
}
