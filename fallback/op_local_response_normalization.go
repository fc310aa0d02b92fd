package fallback

import (
	"math"

	"edged/model"
)

// planLocalResponseNormalization plans LOCAL_RESPONSE_NORMALIZATION: every value
// over (bias + alpha * sum)^beta, the sum that of the squares of the channels
// from radius before it to radius behind it.
func planLocalResponseNormalization(c *opContext) error {
	o, err := options[model.LocalResponseNormalizationOptions](c)
	if err != nil {
		return err
	}
	in, out := c.in[0], c.out[0]
	if !isType(model.TypeFloat32, in, out) {
		return c.types()
	}
	if len(in.shape) != 4 || o.Radius < 0 {
		return c.malformed("radius %d on %v", o.Radius, in.shape)
	}
	n, radius := in.shape[3], min(int(o.Radius), in.shape[3])
	c.emit("local response", product(in.shape[:3]), 20*in.elems(), c.in, func(_ *worker, lo, hi int) {
		for u := lo; u < hi; u++ {
			src, dst := in.f32()[u*n:][:n], out.f32()[u*n:][:n]
			for i, v := range src {
				sum := 0.0
				for _, x := range src[max(0, i-radius):min(n, i+radius+1)] {
					sum += float64(x) * float64(x)
				}
				dst[i] = float32(float64(v) * math.Pow(float64(o.Bias)+float64(o.Alpha)*sum, -float64(o.Beta)))
			}
		}
	})
	return c.shape(0, in.shape...)
}
