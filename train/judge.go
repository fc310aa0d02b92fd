package main

import (
	"fmt"
	"math"

	"edged"
	"edged/capture/belt"
	"edged/train/data"
)

// confusion counts patches: [true class][class that the net said].
type confusion [belt.Classes][belt.Classes]int

// accuracy is the share of class c that the net got right.
func (m *confusion) accuracy(c int) float64 {
	all := 0
	for _, n := range m[c] {
		all += n
	}
	if all == 0 {
		return math.NaN()
	}
	return float64(m[c][c]) / float64(all)
}

// balanced is the mean accuracy of the classes.
func (m *confusion) balanced() float64 {
	sum := 0.0
	for c := range m {
		sum += m.accuracy(c)
	}
	return sum / float64(len(m))
}

// verdict is how one .tflite does on patches it was not trained on.
type verdict struct {
	name   string
	bytes  int
	engine string
	clear  confusion // centres data.Far or more from a border
	near   confusion // the others
}

// candidate is a net under judgement.
type candidate struct {
	verdict
	engine edged.Engine
	patch  int
}

func openCandidate(open edged.Opener, name string, tfl []byte) (*candidate, error) {
	e, err := open(tfl, edged.Options{Threads: 1})
	if err != nil {
		return nil, fmt.Errorf("train: judging %s: %w", name, err)
	}
	return &candidate{
		verdict: verdict{name: name, bytes: len(tfl), engine: e.Name()},
		engine:  e, patch: e.Inputs()[0].Shape[1],
	}, nil
}

// judge shows every candidate the centre patches of the same crops.
func judge(p data.Plan, nets []*candidate) error {
	return p.Each(func(c *data.Crop) error {
		for _, n := range nets {
			got, err := n.classify(c)
			if err != nil {
				return fmt.Errorf("train: judging %s: %w", n.name, err)
			}
			m := &n.near
			if c.Clear {
				m = &n.clear
			}
			m[c.Class][got]++
		}
		return nil
	})
}

// classify runs the net on the patch in the middle of c.
func (n *candidate) classify(c *data.Crop) (int, error) {
	in := n.engine.Input(0)
	quantised := n.engine.Inputs()[0].Type == edged.Int8
	from := (c.Side - n.patch) / 2
	for y := range n.patch {
		src := c.Pix[3*((from+y)*c.Side+from):][:3*n.patch]
		if quantised {
			fillInt8(in[3*y*n.patch:], src)
		} else {
			fillFloat(edged.View[float32](in)[3*y*n.patch:], src)
		}
	}
	if err := n.engine.Run(); err != nil {
		return 0, err
	}
	return argmax(n.engine.Outputs()[0], n.engine.Output(0)), nil
}

// fillInt8 is what train.py's mean and scale make of a pixel in int8.
func fillInt8(dst, src []byte) {
	for i, v := range src {
		dst[i] = v - 128
	}
}

func fillFloat(dst []float32, src []byte) {
	for i, v := range src {
		dst[i] = (float32(v) - 128) / 128
	}
}

func argmax(spec edged.Spec, out []byte) int {
	if spec.Type == edged.Int8 {
		return argmaxOf(edged.View[int8](out))
	}
	return argmaxOf(edged.View[float32](out))
}

func argmaxOf[T int8 | float32](v []T) int {
	at := 0
	for i := range v {
		if v[i] > v[at] {
			at = i
		}
	}
	return at
}
