package pipeline

import (
	"fmt"
	"math"

	"edged"
	"edged/internal/fact"
	"edged/internal/fault"
	"edged/internal/kernel/picture"
)

// Meaning tells what a model's output values are.
type Meaning string

// The meanings a mask can be made from. Over several channels both are decided
// by the greatest; over one channel by a threshold on the probability.
const (
	Logits        Meaning = "logits"        // before softmax (several channels) or sigmoid (one)
	Probabilities Meaning = "probabilities" // 0 to 1
)

// MaskConfig says how a model's output becomes class ids.
type MaskConfig struct {
	Meaning   Meaning
	Threshold float64    // one channel: class 1 where the probability is at least this
	Classes   int        // number of labels; 2 where the output has one channel
	Grid      edged.Grid // of the output on the model's input, in input pixels
	Rotate    int        // as PrepareConfig: the mask is turned back
	Scores    bool       // keep the probability of the winner at every position
}

// Masker makes masks from one output of one model. It allocates nothing after
// it is made.
type Masker struct {
	cfg      MaskConfig
	routines *picture.Routines
	spec     edged.Spec
	h, w     int // of the output
	ch       int
	limit    float32      // float32, one channel: class 1 from here on
	table    [256]byte    // quantised, one channel: the class of each byte
	real     [256]float32 // quantised: the value of each byte
	upward   []uint8      // the mask as the model sees it, where it must be turned
	mask     edged.Mask
	scores   []float32
	whole    stitched // of tiles
}

// NewMasker checks that cfg fits a model's output: one NHWC map, or one
// without the channel axis, of float32, int8 or uint8.
func NewMasker(cfg MaskConfig, output edged.Spec) (*Masker, error) {
	m := &Masker{cfg: cfg, spec: output, routines: picture.Default()}
	if err := m.readShape(output); err != nil {
		return nil, err
	}
	if err := cfg.check(m.ch, output); err != nil {
		return nil, err
	}
	if output.Type != edged.Float32 {
		m.fillTables()
	}
	m.limit = float32(cfg.limit())
	w, h := m.w, m.h
	if cfg.Rotate != 0 {
		m.upward = make([]uint8, w*h)
	}
	if cfg.Rotate == 90 || cfg.Rotate == 270 {
		w, h = h, w
	}
	m.mask = edged.Mask{Pix: make([]uint8, w*h), Stride: w, W: w, H: h}
	if cfg.Scores {
		m.scores = make([]float32, w*h)
	}
	return m, nil
}

// Threshold is, where the output has one channel, the least probability that means
// class 1; 0 where it has more.
func (m *Masker) Threshold() float64 {
	if m.ch != 1 {
		return 0
	}
	return m.cfg.Threshold
}

// Meaning is what the output's numbers are.
func (m *Masker) Meaning() Meaning { return m.cfg.Meaning }

func (m *Masker) readShape(output edged.Spec) error {
	s := output.Shape
	switch {
	case len(s) == 4 && s[0] == 1 && output.Elems() > 0:
		m.h, m.w, m.ch = s[1], s[2], s[3]
	case len(s) == 3 && s[0] == 1 && output.Elems() > 0:
		m.h, m.w, m.ch = s[1], s[2], 1
	default:
		return fmt.Errorf("pipeline: output %v: a mask needs one map of shape [1, height, width, classes]", output)
	}
	if m.ch > 256 {
		return fmt.Errorf("pipeline: output %v: a mask holds at most 256 classes", output)
	}
	return nil
}

// check tells where the facts contradict an output with ch channels.
func (c *MaskConfig) check(ch int, output edged.Spec) error {
	switch want := max(ch, 2); {
	case c.Meaning != Logits && c.Meaning != Probabilities:
		return fmt.Errorf("pipeline: output meaning %q: must be %q or %q", c.Meaning, Logits, Probabilities)
	case c.Classes != want:
		return fmt.Errorf("pipeline: %d labels contradict output %v, which tells %d classes apart", c.Classes, output, want)
	case ch == 1 && fact.Threshold(c.Threshold) != nil:
		return fault.Newf("pipeline", "threshold", "threshold %v: output %v has one channel, so a probability between 0 and 1 must decide", c.Threshold, output)
	case c.Grid.Stride[0] <= 0 || c.Grid.Stride[1] <= 0:
		return fmt.Errorf("pipeline: grid stride %v: must be positive input pixels per axis (y, x)", c.Grid.Stride)
	}
	switch output.Type {
	case edged.Float32:
	case edged.Int8, edged.Uint8:
		if output.Quant.Scale <= 0 {
			return fmt.Errorf("pipeline: output %v has no quantisation scale", output)
		}
	default:
		return fmt.Errorf("pipeline: output %v: float32, int8 and uint8 maps are supported", output)
	}
	return nil
}

// limit is the least output value that means class 1.
func (c *MaskConfig) limit() float64 {
	if c.Meaning == Logits {
		return math.Log(c.Threshold / (1 - c.Threshold))
	}
	return c.Threshold
}

func (m *Masker) fillTables() {
	limit := float32(m.cfg.limit())
	for b := range m.table {
		q := int32(b)
		if m.spec.Type == edged.Int8 {
			q = int32(int8(b))
		}
		m.real[b] = m.spec.Quant.Scale * float32(q-m.spec.Quant.ZeroPoint)
		if m.real[b] >= limit {
			m.table[b] = 1
		}
	}
}

// Make returns the mask of an output's memory, without its grid on the frame.
// The mask is lent until the next call.
func (m *Masker) Make(output []byte) *edged.Mask {
	if len(output) != m.spec.Bytes() {
		panic(fmt.Sprintf("BUG: pipeline: output %v has %d bytes", m.spec, len(output)))
	}
	dst := m.mask.Pix
	if m.upward != nil {
		dst = m.upward
	}
	m.classes(dst, output)
	if m.upward != nil {
		turnBack(m.mask.Pix, m.upward, m.h, m.w, m.cfg.Rotate)
	}
	if m.scores != nil {
		m.fillScores(output)
	}
	return &m.mask
}

func (m *Masker) classes(dst []uint8, output []byte) {
	switch {
	case m.ch == 1 && m.spec.Type == edged.Float32:
		picture.ThresholdF32(dst, edged.View[float32](output), m.limit)
	case m.ch == 1:
		for i, b := range output {
			dst[i] = m.table[b]
		}
	case m.spec.Type == edged.Float32:
		m.routines.ArgmaxF32(dst, edged.View[float32](output), m.ch)
	case m.spec.Type == edged.Int8:
		picture.ArgmaxI8(dst, edged.View[int8](output), m.ch)
	default:
		picture.ArgmaxU8(dst, output, m.ch)
	}
}

// At tells of the position in row r and column c of an output, as the model sees
// it: the class, and the real values of its channels.
func (m *Masker) At(output []byte, r, c int) (class int, values []float32) {
	for k := range m.ch {
		v := m.value(output, (r*m.w+c)*m.ch+k)
		values = append(values, v)
		if v > values[class] {
			class = k
		}
	}
	if m.ch == 1 && values[0] >= m.limit {
		class = 1
	}
	return class, values
}

// Size is the output's, in positions.
func (m *Masker) Size() (h, w int) { return m.h, m.w }

// turnedIndex gives, for a map of h by w positions, where position (0, 0) of
// the map turned back counter-clockwise by rotate degrees comes from, and the
// steps to its right and lower neighbours.
func turnedIndex(h, w, rotate int) (first, right, down int) {
	switch rotate {
	case 90: // its top row is the right column, read downwards
		return w - 1, w, -1
	case 180:
		return h*w - 1, -1, -w
	case 270: // its top row is the left column, read upwards
		return (h - 1) * w, -w, 1
	}
	return 0, 1, w
}

// turnBack writes src, h rows of w, turned counter-clockwise by rotate degrees.
func turnBack[T any](dst, src []T, h, w, rotate int) {
	first, right, down := turnedIndex(h, w, rotate)
	rows, cols := h, w
	if rotate == 90 || rotate == 270 {
		rows, cols = w, h
	}
	for r := range rows {
		at := first + r*down
		for c := range cols {
			dst[r*cols+c] = src[at]
			at += right
		}
	}
}

// Scores lends the winner's probability at every position of the last mask, in
// its layout; nil unless MaskConfig.Scores asked for it.
func (m *Masker) Scores() []float32 { return m.scores }
