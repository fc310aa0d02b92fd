package pipeline

import (
	"math"

	"edged"
)

// fillScores computes the probability of the class that won at every position
// and stores it in the mask's orientation.
func (m *Masker) fillScores(output []byte) {
	first, right, down := turnedIndex(m.h, m.w, m.cfg.Rotate)
	for r := range m.mask.H {
		at := first + r*down
		for c := range m.mask.W {
			i := r*m.mask.W + c
			m.scores[i] = m.score(output, at, int(m.mask.Pix[i]))
			at += right
		}
	}
}

// score is the probability of class best at position p of the output.
func (m *Masker) score(output []byte, p, best int) float32 {
	v := m.value(output, p*m.ch+min(best, m.ch-1))
	switch {
	case m.ch == 1:
		return m.scoreOfOne(v, best)
	case m.cfg.Meaning == Probabilities:
		return v
	}
	// Softmax with the winner's logit taken out: no exponential overflows.
	sum := 0.0
	for k := range m.ch {
		sum += math.Exp(float64(m.value(output, p*m.ch+k) - v))
	}
	return float32(1 / sum)
}

func (m *Masker) scoreOfOne(v float32, best int) float32 {
	if m.cfg.Meaning == Logits {
		v = float32(1 / (1 + math.Exp(-float64(v))))
	}
	if best == 0 {
		v = 1 - v
	}
	return v
}

// value is element i of the output as a real number.
func (m *Masker) value(output []byte, i int) float32 {
	if m.spec.Type == edged.Float32 {
		b := output[4*i : 4*i+4 : 4*i+4]
		return math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
	}
	return m.real[output[i]]
}
