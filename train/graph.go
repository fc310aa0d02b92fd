package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// graph is a trained net as train.py hands it over: layers in the order they
// run, weights folded and laid out as TFLite wants them.
type graph struct {
	Name   string  `json:"name"`
	Patch  int     `json:"patch"`
	Mean   float64 `json:"mean"`
	Scale  float64 `json:"scale"`
	Torch  string  `json:"torch"`
	Layers []layer `json:"layers"`
}

type layer struct {
	Op      string     `json:"op"` // conv, dense, maxpool, flatten, add, mean
	Name    string     `json:"name"`
	Inputs  []string   `json:"inputs"`
	Stride  int        `json:"stride"`
	Padding string     `json:"padding"` // SAME or VALID
	K       int        `json:"k"`
	Relu    bool       `json:"relu"`
	Weights *array     `json:"w"`
	Bias    *array     `json:"b"`
	Range   [2]float64 `json:"range"` // of the output, over the calibration patches
}

// array is a place in the file of weights, then what lies there.
type array struct {
	Offset int   `json:"offset"` // in elements
	Shape  []int `json:"shape"`
	data   []float32
}

// readGraph reads NAME.json and NAME.bin of dir.
func readGraph(dir, name string) (*graph, error) {
	text, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil {
		return nil, err
	}
	g := new(graph)
	if err := json.Unmarshal(text, g); err != nil {
		return nil, fmt.Errorf("train: graph %s: %w", name, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, name+".bin"))
	if err != nil {
		return nil, err
	}
	all := floats(raw)
	for _, l := range g.Layers {
		for _, a := range []*array{l.Weights, l.Bias} {
			if err := a.load(all); err != nil {
				return nil, fmt.Errorf("train: layer %s of %s: %w", l.Name, name, err)
			}
		}
	}
	return g, nil
}

func (a *array) load(all []float32) error {
	if a == nil {
		return nil
	}
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	if a.Offset < 0 || n < 0 || a.Offset+n > len(all) {
		return fmt.Errorf("weights [%d:%d] lie outside the file's %d", a.Offset, a.Offset+n, len(all))
	}
	a.data = all[a.Offset : a.Offset+n]
	return nil
}

// floats reads little-endian float32 values.
func floats(raw []byte) []float32 {
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}
