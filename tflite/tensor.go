//go:build tflite && cgo

package tflite

import (
	"fmt"
	"unsafe"

	tf "github.com/mattn/go-tflite"

	"edged"
)

// dtypes maps TfLiteType, which is numbered apart from the schema's
// TensorType. Absent: strings, complex numbers, resources and variants.
var dtypes = map[tf.TensorType]edged.DType{
	1: edged.Float32, 2: edged.Int32, 3: edged.Uint8, 4: edged.Int64, 6: edged.Bool, 7: edged.Int16,
	9: edged.Int8, 10: edged.Float16, 11: edged.Float64, 13: edged.Uint64, 16: edged.Uint32,
}

// tensor is one input or output: its handle, which TFLite may move when it
// allocates, and its description.
type tensor struct {
	t    *tf.Tensor
	spec edged.Spec
}

// describe reads the tensor that t points to.
func describe(t *tf.Tensor) (edged.Spec, error) {
	dtype, ok := dtypes[t.Type()]
	if !ok {
		return edged.Spec{}, fmt.Errorf("tensor %q: element type %d (TfLiteType) is not one that edged exchanges", t.Name(), t.Type())
	}
	q := t.QuantizationParams()
	return edged.Spec{
		Name: t.Name(), Type: dtype, Shape: t.Shape(),
		Quant: edged.Quant{Scale: float32(q.Scale), ZeroPoint: int32(q.ZeroPoint)},
	}, nil
}

// bytes lends the tensor's memory, nil where TFLite has not allocated it. The
// one place where C memory becomes a slice: its length is TFLite's own count.
func (t *tensor) bytes() []byte {
	p := t.t.Data()
	if p == nil {
		return nil
	}
	return unsafe.Slice((*byte)(p), t.t.ByteSize())
}

// check compares TFLite's byte count with what shape and type promise.
func (t *tensor) check() error {
	if got, want := int(t.t.ByteSize()), t.spec.Bytes(); got != want {
		return fmt.Errorf("tensor %s: TFLite holds %d bytes, the shape takes %d", t.spec, got, want)
	}
	return nil
}

func specs(ts []tensor) []edged.Spec {
	out := make([]edged.Spec, len(ts))
	for i := range ts {
		out[i] = ts[i].spec
		out[i].Shape = append([]int(nil), ts[i].spec.Shape...)
	}
	return out
}
