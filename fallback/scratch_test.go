package fallback

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"edged"
	"edged/internal/kernel/conv"
	"edged/model"
)

// TestWorkersMemoryIsCounted: the memory limit knows what each worker holds for
// its convolutions, and no frame adds to it, whoever computes what in it.
func TestWorkersMemoryIsCounted(t *testing.T) {
	const slack = 32 << 10                  // whole pages, and what the runtime keeps for itself
	t.Setenv(conv.RatesVariable, "1,1,1,1") // Winograd pays, whatever this machine is
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8, model.TypeUint8} {
		for _, stride := range []int32{1, 2} {
			data := convNet(t, typ, stride)
			e := open(t, data, edged.Options{Threads: 1}).(*Engine)
			counted := e.plan.ownScratch.Bytes()
			// Where NEON has a dot product, bytes are convolved directly, in no memory at all.
			if typ == model.TypeFloat32 && stride == 1 && counted < 4*slack {
				t.Errorf("%d bytes counted for Winograd", counted)
			}
			if got := kept(func() { e.Run() }); got > slack {
				t.Errorf("%v, stride %d: the first frame keeps %d bytes", typ, stride, got)
			}
			two := open(t, data, edged.Options{Threads: 2}).(*Engine)
			if more := two.plan.fixedBytes - e.plan.fixedBytes; more != counted {
				t.Errorf("%v, stride %d: a second worker counts %d bytes, the first %d", typ, stride, more, counted)
			}
		}
	}
}

// convNet is a convolution behind another, so that what is between has a border,
// with a head that is computed with it.
func convNet(t *testing.T, typ model.TensorType, stride int32) []byte {
	g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(7, 7))}
	x := g.in(1, 64, 64, 16)
	for _, channels := range []int{16, 32} {
		x = g.q(g.Conv2D(x, g.weights(32, 3, 3, channels), g.bias(32), model.Conv2DOptions{StrideH: stride, StrideW: stride}))
	}
	return file(t, g.Builder, g.pointwise(x, 5))
}

// kept is how many bytes f leaves alive.
func kept(f func()) int64 {
	live := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	f()
	return live() - before
}
