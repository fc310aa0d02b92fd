package fallback

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"edged"
	"edged/model"
)

// TestMappedComputesWhatOpenDoes: weights read where the file lies, float16 ones
// unpacked among them, one of them for two convolutions; also after a resize,
// which reads them again.
func TestMappedComputesWhatOpenDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 20, 20, 16)
	w := b.Float16s("w", []int{16, 3, 3, 16}, randoms(r, 16*9*16))
	bias := model.Const(b, "bias", []int{16}, randoms(r, 16))
	y := b.Conv2D(x, w, bias, model.Conv2DOptions{Activation: model.ActRelu})
	y = b.Conv2D(y, w, bias, model.Conv2DOptions{})
	data := file(t, b, b.Add(y, model.Const(b, "", []int{16}, randoms(r, 16)), model.ActNone))
	want := open(t, data, edged.Options{Threads: 2})
	got, err := OpenMapped(mapped(t, data), edged.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	for _, size := range []int{20, 14} {
		for _, e := range []edged.Engine{want, got} {
			if err := e.Resize(0, []int{1, size, size, 16}); err != nil {
				t.Fatal(err)
			}
			copy(edged.View[float32](e.Input(0)), randoms(rand.New(rand.NewPCG(3, 4)), size*size*16))
			if err := e.Run(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got.Output(0), want.Output(0)) {
			t.Errorf("size %d: another result from a mapped file", size)
		}
	}
}

// TestMappedButNotAligned: constants that are copied from the file, since they
// are not aligned there, are still there after a resize.
func TestMappedButNotAligned(t *testing.T) {
	data := heavyNet(t, 32, 64)
	want := open(t, data, edged.Options{Threads: 2})
	got, err := OpenMapped(mapped(t, append([]byte{0}, data...))[1:], edged.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if err := got.Resize(0, got.Inputs()[0].Shape); err != nil {
		t.Fatal(err)
	}
	sameOutput(t, want.(*Engine), got, model.TypeFloat32)
}

// mapped is data in a file that is mapped: what the engine forgets, the system
// reads again from there.
func mapped(t *testing.T, data []byte) []byte {
	f, err := os.Create(filepath.Join(t.TempDir(), "net.tflite"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, len(data), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(b) })
	return b
}

// TestWeightsAreHeldOnce: what is packed or folded is given up.
func TestWeightsAreHeldOnce(t *testing.T) {
	e := open(t, heavyNet(t, 128, 256), edged.Options{Threads: 2}).(*Engine)
	for _, c := range e.plan.tensors {
		if c.constant() && len(c.data) > 1<<12 {
			t.Errorf("tensor %d still holds %d bytes", c.index, len(c.data))
		}
	}
}
