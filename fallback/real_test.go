//go:build tflite && cgo

package fallback

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"edged"
	"edged/model"
	"edged/tflite"
)

// realModel reads one of the nets that make deps-test fetches.
func realModel(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("DEPS")
	if dir == "" {
		dir = filepath.Join("..", ".deps")
	}
	data, err := os.ReadFile(filepath.Join(dir, "models", name+".tflite"))
	if err != nil {
		t.Fatalf("%v: run make deps-test", err)
	}
	return data
}

// TestRealModels: end to end within 1e-4 of TFLite, relative to the largest
// value of an output. The segmentation logits of the pose nets amplify
// rounding so far that TFLite's own two kernel sets part by up to 1e-3: there
// twice their distance is the bound.
func TestRealModels(t *testing.T) {
	for _, name := range []string{"face_detection_short_range", "face_detection_full_range",
		"face_detection_full_range_sparse", "pose_landmark_lite", "pose_landmark_full"} {
		t.Run(name, func(t *testing.T) {
			data := realModel(t, name)
			compareFrames(t, frameOf(t, Open, data), frameOf(t, tflite.OpenBuiltin, data), frameOf(t, tflite.Open, data))
		})
	}
}

// TestSelfieSegmentation checks MediaPipe's Convolution2DTransposeBias, which
// TFLite does not know: the same file with TRANSPOSE_CONV in its place, which
// it does.
func TestSelfieSegmentation(t *testing.T) {
	for _, name := range []string{"selfie_segmentation", "selfie_segmentation_landscape"} {
		t.Run(name, func(t *testing.T) {
			data := realModel(t, name)
			if _, err := tflite.OpenBuiltin(data, edged.Options{}); err == nil {
				t.Fatal("TFLite loads the custom operator: this test compares nothing")
			}
			same, replaced := withoutCustom(t, data)
			if replaced == 0 {
				t.Fatal("the file has no Convolution2DTransposeBias")
			}
			compareFrames(t, frameOf(t, Open, data), frameOf(t, tflite.OpenBuiltin, same), frameOf(t, tflite.Open, same))
		})
	}
}

// withoutCustom replaces every Convolution2DTransposeBias by TRANSPOSE_CONV.
func withoutCustom(t *testing.T, data []byte) (file []byte, replaced int) {
	t.Helper()
	m, err := model.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	e := open(t, data, edged.Options{}).(*Engine)
	sub := m.Subgraphs[0]
	m.OperatorCodes = append(m.OperatorCodes, &model.OperatorCode{Builtin: model.OpTransposeConv, Version: 3})
	for _, op := range sub.Operators {
		if m.Code(op).Custom != model.OpConvolution2DTransposeBias {
			continue
		}
		o, err := model.TransposeBiasOptions(op)
		if err != nil {
			t.Fatal(err)
		}
		var size []byte
		for _, d := range e.plan.tensors[op.Outputs[0]].shape {
			size = binary.LittleEndian.AppendUint32(size, uint32(d))
		}
		m.Buffers = append(m.Buffers, &model.Buffer{Data: size})
		sub.Tensors = append(sub.Tensors, &model.Tensor{Name: "size", Shape: []int32{4}, Type: model.TypeInt32, Buffer: uint32(len(m.Buffers) - 1)})
		op.OpcodeIndex = uint32(len(m.OperatorCodes) - 1)
		op.Inputs = []int32{int32(len(sub.Tensors) - 1), op.Inputs[1], op.Inputs[0], op.Inputs[2]}
		op.Options, op.CustomOptions = &o, nil
		replaced++
	}
	if file, err = m.Write(); err != nil {
		t.Fatal(err)
	}
	return file, replaced
}

// blobs draws soft blobs of colour: white noise is no picture, and drives
// these nets where any two engines part (XNNPACK and the built-in kernels by
// up to 1e-3 of the largest value).
func blobs(dst []float32, shape []int, r *rand.Rand) {
	h, w, c := shape[1], shape[2], shape[3]
	clear(dst)
	for k := range c {
		for range 6 {
			cy, cx := r.Float64()*float64(h), r.Float64()*float64(w)
			size, level := (0.05+0.3*r.Float64())*float64(h), r.Float64()
			for i := range h * w {
				d := math.Hypot(float64(i/w)-cy, float64(i%w)-cx) / size
				v := float64(dst[i*c+k])
				dst[i*c+k] = float32(v + (level-v)*math.Exp(-d*d))
			}
		}
	}
}

// frameOf runs an engine on the picture and copies its outputs.
func frameOf(t *testing.T, opener edged.Opener, data []byte) []result {
	t.Helper()
	e, err := opener(data, edged.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	r := rand.New(rand.NewPCG(5, 6))
	for i, s := range e.Inputs() {
		blobs(edged.View[float32](e.Input(i)), s.Shape, r)
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	var list []result
	for i, s := range e.Outputs() {
		list = append(list, result{s, append([]float32(nil), edged.View[float32](e.Output(i))...)})
	}
	return list
}

type result struct {
	spec   edged.Spec
	values []float32
}

// compareFrames holds ours against the built-in kernels', with the distance of
// XNNPACK's as the yardstick where it is over 1e-4.
func compareFrames(t *testing.T, ours, builtin, xnnpack []result) {
	t.Helper()
	for i, want := range builtin {
		largest := 0.0
		for _, v := range want.values {
			largest = max(largest, math.Abs(float64(v)))
		}
		own, spread := apart(ours[i], want), apart(xnnpack[i], want)
		t.Logf("%v: largest %.3g, apart %.3g, TFLite's own kernels %.3g", want.spec, largest, own, spread)
		if !(own <= max(1e-4*largest, 2*spread)) {
			t.Errorf("%v: apart by %g of %g", want.spec, own, largest)
		}
		if want.spec.Elems() > 1000 && largest < 1e-3 {
			t.Errorf("%v: nothing to compare", want.spec)
		}
	}
}

func apart(a, b result) float64 {
	worst := 0.0
	for k := range b.values {
		worst = max(worst, math.Abs(float64(a.values[k])-float64(b.values[k])))
	}
	return worst
}
