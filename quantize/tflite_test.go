//go:build tflite && cgo

package quantize

import (
	"bytes"
	"testing"

	"edged"
	"edged/fallback"
	"edged/tflite"
)

// What is written loads in TensorFlow Lite 2.9, and its built-in kernels give the
// bits that the Go engine gives.
func TestInt8IsTheSameOnBothEngines(t *testing.T) {
	nets, bytesHeld := 0, 0
	types := []edged.DType{edged.Int8, edged.Uint8, edged.Float32}
	for seed := range uint64(seeds(6, 200)) {
		r := quantised(t, draw(seed), types[seed%3])
		file, err := r.Model.Write()
		if err != nil {
			t.Fatal(err)
		}
		var outs [2][]byte
		for i, open := range []edged.Opener{fallback.Open, tflite.OpenBuiltin} {
			e, err := open(file, edged.Options{Threads: 1})
			if err != nil {
				t.Fatalf("net %d: %v", seed, err)
			}
			in := e.Inputs()[0]
			x := make([]float32, in.Elems())
			_ = noise{1, [2]int{24, 24}}.Fill(11, in, x)
			if in.Type == edged.Uint8 {
				in.Quant.ZeroPoint -= 128
				feed(e.Input(0), in, x)
				for k := range e.Input(0) {
					e.Input(0)[k] ^= 0x80
				}
			} else {
				feed(e.Input(0), in, x)
			}
			if err := e.Run(); err != nil {
				t.Fatalf("net %d: %v", seed, err)
			}
			outs[i] = bytes.Clone(e.Output(0))
			e.Close()
		}
		if !bytes.Equal(outs[0], outs[1]) {
			t.Errorf("net %d: the engines differ", seed)
		}
		nets, bytesHeld = nets+1, bytesHeld+len(outs[0])
		if bytes.Count(outs[0], outs[0][:1]) == len(outs[0]) {
			t.Logf("net %d: all outputs are %d", seed, outs[0][0])
		}
	}
	t.Logf("%d nets, %d bytes of outputs held against each other", nets, bytesHeld)
}
