package fallback

import (
	"math"

	"edged/model"
)

// planCast plans CAST between floats, integers and booleans, as a C cast on
// amd64 does it: toward zero, integers by their low bits.
func planCast(c *opContext) error {
	in, out := c.in[0], c.out[0]
	if err := c.shape(0, in.shape...); err != nil {
		return err
	}
	read, write := castFrom(in), castTo(out)
	if read == nil || write == nil {
		return c.types()
	}
	n := in.elems()
	c.emit("cast", pieces(n), 4*n, c.in[:1], func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		for i := lo; i < hi; i++ {
			write(i, read(i))
		}
	})
	return nil
}

// anyValue holds a value exactly: i where it is an integer, else f.
type anyValue struct {
	i       int64
	f       float64
	isFloat bool
}

func castFrom(t *tensor) func(i int) anyValue {
	switch t.typ {
	case model.TypeFloat32:
		return func(i int) anyValue { return anyValue{f: float64(t.f32()[i]), isFloat: true} }
	case model.TypeFloat16:
		return func(i int) anyValue { return anyValue{f: float64(float16(halves(t)[i])), isFloat: true} }
	case model.TypeInt8:
		return func(i int) anyValue { return anyValue{i: int64(int8(t.data[i]))} }
	case model.TypeUint8, model.TypeBool:
		return func(i int) anyValue { return anyValue{i: int64(t.data[i])} }
	case model.TypeInt16:
		return func(i int) anyValue { return anyValue{i: int64(t.i16()[i])} }
	case model.TypeInt32:
		return func(i int) anyValue { return anyValue{i: int64(t.i32()[i])} }
	case model.TypeInt64:
		return func(i int) anyValue { return anyValue{i: t.i64()[i]} }
	}
	return nil
}

func castTo(t *tensor) func(i int, v anyValue) {
	switch t.typ {
	case model.TypeFloat32:
		return func(i int, v anyValue) { t.f32()[i] = v.float() }
	case model.TypeFloat16:
		return func(i int, v anyValue) { halves(t)[i] = toFloat16(v.float()) }
	case model.TypeInt8, model.TypeUint8:
		return func(i int, v anyValue) { t.data[i] = byte(v.int(math.MinInt32, math.MaxInt32)) }
	case model.TypeBool:
		return func(i int, v anyValue) {
			t.data[i] = 0
			if v.i != 0 || v.isFloat && v.f != 0 {
				t.data[i] = 1
			}
		}
	case model.TypeInt16:
		return func(i int, v anyValue) { t.i16()[i] = int16(v.int(math.MinInt32, math.MaxInt32)) }
	case model.TypeInt32:
		return func(i int, v anyValue) { t.i32()[i] = int32(v.int(math.MinInt32, math.MaxInt32)) }
	case model.TypeInt64:
		return func(i int, v anyValue) { t.i64()[i] = v.int(math.MinInt64, math.MaxInt64) }
	}
	return nil
}

func (v anyValue) float() float32 {
	if v.isFloat {
		return float32(v.f)
	}
	return float32(v.i)
}

// int is v toward zero; what does not fit the machine's integer is its least.
func (v anyValue) int(lo, hi int64) int64 {
	if !v.isFloat {
		return v.i
	}
	if !(v.f > float64(lo)-1 && v.f < float64(hi)+1) || v.f >= -float64(lo) {
		return lo
	}
	return int64(v.f)
}
