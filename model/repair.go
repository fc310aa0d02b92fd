package model

import "fmt"

// maxRepairs bounds the list of repairs; more of them are counted.
const maxRepairs = 32

// repair puts right what exporters are known to get wrong and what has one
// meaning all the same, as TFLite's users do by hand. Every repair is told.
func (m *Model) repair() {
	more := 0
	for s, g := range m.Subgraphs {
		for i, t := range g.Tensors {
			q := t.Quantization
			if q == nil || !looseDimension(t) {
				continue
			}
			if len(m.Repairs) < maxRepairs {
				m.Repairs = append(m.Repairs, fmt.Sprintf("subgraph %d, %s: quantized_dimension %d of a tensor of %d dimensions is read as 0",
					s, g.TensorName(int32(i)), q.QuantizedDimension, len(t.Shape)))
			} else {
				more++
			}
			q.QuantizedDimension = 0
		}
	}
	if more > 0 {
		m.Repairs = append(m.Repairs, fmt.Sprintf("the same in %d more tensors", more))
	}
}

// looseDimension tells whether the scales of t name a dimension that t does
// not have although only one can be meant: there is one dimension, or one scale.
// Runtimes refuse such a file; a bias that was exported with its weights'
// dimension is the common case.
func looseDimension(t *Tensor) bool {
	q := t.Quantization
	if len(t.Shape) == 0 || len(q.Scale) == 0 || q.QuantizedDimension >= 0 && int(q.QuantizedDimension) < len(t.Shape) {
		return false
	}
	return len(q.Scale) == 1 || len(t.Shape) == 1 && len(q.Scale) == int(t.Shape[0])
}
