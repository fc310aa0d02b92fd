//go:build tflite && cgo

package fallback

import (
	"encoding/binary"
	"testing"

	"edged"
	"edged/model"
)

// TestCurvesOfEveryInt16 holds LOGISTIC and TANH of int16 against TFLite's for each
// of the 65,536 values: at scales that are powers of two, which have kernels of
// their own, near them, and between.
func TestCurvesOfEveryInt16(t *testing.T) {
	for _, op := range []model.BuiltinOperator{model.OpLogistic, model.OpTanh} {
		for _, scale := range []float32{1.0 / 4096, 1.0 / 2048, 1.0 / 8192, 1.0 / 4096 * 1.0003, 0.0001, 0.00024, 0.00031, 0.002, 1e-6, 0.5} {
			b := model.NewBuilder()
			x := b.Quant(b.Input("x", model.TypeInt16, 1, 1<<16), scale, 0)
			data := file(t, b, b.Quant(b.Unary(op, x), 1.0/32768, 0))
			ours, theirs := open(t, data, edged.Options{Threads: 1}), openBuiltin(t, data)
			for v := range 1 << 16 {
				binary.LittleEndian.PutUint16(ours.Input(0)[2*v:], uint16(v))
			}
			copy(theirs.Input(0), ours.Input(0))
			if err := ours.Run(); err != nil {
				t.Fatal(err)
			}
			if err := theirs.Run(); err != nil {
				t.Fatal(err)
			}
			wrong := 0
			for v := range 1 << 16 {
				got, want := binary.LittleEndian.Uint16(ours.Output(0)[2*v:]), binary.LittleEndian.Uint16(theirs.Output(0)[2*v:])
				if got == want {
					continue
				}
				if wrong++; wrong < 4 {
					t.Errorf("%s at scale %g of %d: %d, TFLite says %d", op, scale, int16(v), int16(got), int16(want))
				}
			}
			if wrong > 0 {
				t.Errorf("%s at scale %g: %d of 65,536 values differ", op, scale, wrong)
			}
		}
	}
}
