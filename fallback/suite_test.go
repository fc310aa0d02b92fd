//go:build tflite && cgo

package fallback

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"edged"
	"edged/internal/enginetest"
	"edged/internal/kernel/cpu"
	"edged/model"
	"edged/tflite"
)

// builtin is the reference.
var builtin edged.Opener = tflite.OpenBuiltin

// TestEqualsBuiltin holds every operator against TensorFlow Lite's built-in
// kernels, in every variant of ours: quantised ones bit for bit.
func TestEqualsBuiltin(t *testing.T) {
	eachKernel(t, func(t *testing.T) { enginetest.Compare(t, Open, builtin, enginetest.Tolerance{}) })
}

// TestNetsEqualBuiltin does the same with whole random nets.
func TestNetsEqualBuiltin(t *testing.T) {
	eachKernel(t, func(t *testing.T) { enginetest.CompareNets(t, Open, builtin, enginetest.Tolerance{}) })
}

func TestFindsEqualBuiltin(t *testing.T) {
	enginetest.Finds(t, Open, builtin, enginetest.Tolerance{})
}

func FuzzNetsEqualBuiltin(f *testing.F) {
	enginetest.FuzzNets(f, Open, builtin, enginetest.Tolerance{})
}

// TestTablesEqualBuiltin: tensors so large that results are looked up, unless
// vectors compute them.
func TestTablesEqualBuiltin(t *testing.T) { eachKernel(t, testTables) }

func testTables(t *testing.T) {
	for _, typ := range []model.TensorType{model.TypeInt8, model.TypeUint8} {
		b := model.NewBuilder()
		in := func(scale float32, zero int64, shape ...int) model.Ref {
			return b.Quant(b.Input("x", typ, shape...), scale, zero)
		}
		x, y := in(0.07, 12, 1, 160, 140, 3), in(0.031, 100, 1, 160, 140, 3)
		big := in(0.02, 3, 80, 5, 7, 300)
		data := file(t, b, b.Quant(b.Add(x, y, model.ActNone), 0.09, 7), b.Quant(b.Sub(x, y, model.ActRelu), 0.05, 20),
			b.Quant(b.Mul(x, y, model.ActNone), 0.03, 9), b.Quant(b.Maximum(x, x), 0.07, 12),
			b.Quant(b.Mean(big, false, 1, 2), 0.013, 5), b.Quant(b.Mean(big, false, 0, 1), 0.02, 3), b.Quant(b.Reduce(model.OpSum, big, true, 1), 0.1, 5))
		ours, theirs := open(t, data, edged.Options{Threads: 2}), openBuiltin(t, data)
		r := rand.New(rand.NewPCG(8, 8))
		for i := range ours.Inputs() {
			for k := range ours.Input(i) {
				ours.Input(i)[k] = byte(r.Uint32())
			}
			copy(theirs.Input(i), ours.Input(i))
		}
		for _, e := range []edged.Engine{ours, theirs} {
			if err := e.Run(); err != nil {
				t.Fatal(err)
			}
		}
		tables := 0
		for _, s := range ours.(*Engine).plan.steps {
			if s.how.routine == pairTable || ours.(*Engine).routines.Variant != cpu.Generic && s.how.routine == pairVectors {
				tables++
			}
		}
		if tables != 4 {
			t.Errorf("%d operators by table or in vectors, want 4", tables)
		}
		for i, s := range theirs.Outputs() {
			if !bytes.Equal(ours.Output(i), theirs.Output(i)) {
				t.Errorf("%v output %d %v differs", typ, i, s)
			}
		}
	}
}

func openBuiltin(t *testing.T, data []byte) edged.Engine {
	t.Helper()
	e, err := builtin(data, edged.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}
