package vec

import "math"

var (
	minusInf = float32(math.Inf(-1))
	plusInf  = float32(math.Inf(1))
)
