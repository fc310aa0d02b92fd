package tune

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"edged"
	"edged/model"
	"edged/rewrite"
)

// Ignore is the class id of pixels that nothing is learnt from.
const Ignore = 255

// Frame is a labelled picture of the net's input size: pixels in the net's channel
// order, and a class id for each, or Ignore.
type Frame struct {
	Name string
	Pix  []byte
	Mask []byte
}

// Options are what Run is told beside the net and the frames. Default has what
// suits.
type Options struct {
	Epochs   int // at most
	Patience int // epochs without a better one before it ends
	Steps    int // of an epoch
	Batch    int // crops of a step
	Rate     float64
	Seed     int
	Threads  int
	Freeze   int // layers with weights, counted from the input, that keep them
	Band     int // pixels on both sides of a boundary between classes that are ignored
	Augment  []string
	Weighted bool   // rare classes count more
	Random   bool   // begin with weights drawn at random
	Work     string // folder of the run's state; empty: a temporary one
	Python   string
	Open     edged.Opener
	Tell     func(Epoch) // after each epoch; may be nil
}

// Augmentations lists what may be done to crops.
var Augmentations = []string{"flips", "light", "noise"}

// Default is what tune does where nothing is said.
func Default() Options {
	return Options{Epochs: 40, Patience: 12, Steps: 16, Batch: 4, Rate: 2e-3, Seed: 1, Augment: slices.Clone(Augmentations), Weighted: true, Python: "/usr/bin/python3"}
}

// Epoch is how far the learning is.
type Epoch struct {
	Epoch   int        `json:"epoch"` // 0: before the first step
	Epochs  int        `json:"epochs"`
	Loss    float64    `json:"loss"`
	MIoU    float64    `json:"miou"` // on the frames kept back
	IoU     []*float64 `json:"iou"`  // by class; nil where it occurs neither in truth nor in answer
	Best    int        `json:"best"` // the epoch with the best mIoU so far
	Resumed bool       `json:"resumed,omitempty"`
}

// Result is a finished learning.
type Result struct {
	Model    *model.Model `json:"-"`
	Frames   int          `json:"frames"` // learnt from
	Kept     int          `json:"kept_back"`
	Crop     [2]int       `json:"crop"` // pixels that the net learns from at a time
	Layers   int          `json:"layers"`
	Learnt   int          `json:"weights"`
	Epochs   []Epoch      `json:"epochs"`
	Best     int          `json:"best_epoch"`
	Stopped  bool         `json:"stopped_early"`
	Before   float64      `json:"miou_before"` // of the engine, on the frames kept back
	After    float64      `json:"miou_after"`
	Checked  float64      `json:"torch_max_abs_diff"` // between torch and the engine, before the first step
	Torch    string       `json:"torch"`
	Warnings []string     `json:"warnings,omitempty"`
}

// Run tunes a dense net. The error is a *Refusal where the net cannot be.
func Run(ctx context.Context, m *model.Model, frames []Frame, o Options) (*Result, error) {
	n, err := open(m)
	if err != nil {
		return nil, err
	}
	d, err := n.look(frames, o)
	if err != nil {
		return nil, err
	}
	small, err := n.forLearning(o.Freeze)
	if err != nil {
		return nil, err
	}
	r := &Result{Frames: len(d.learn), Kept: len(d.kept), Crop: small.crop, Warnings: d.warnings}
	for _, b := range small.graph.Buffers {
		if b.Learn {
			r.Layers++
			r.Learnt += b.N
		}
	}
	if r.Before, err = n.judge(m, frames, d.kept, o); err != nil {
		return nil, err
	}
	s := &session{o: o, net: n, small: small, data: d, frames: frames, r: r}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	if r.After, err = n.judge(r.Model, frames, d.kept, o); err != nil {
		return nil, err
	}
	return r, nil
}

// net is what is known of the dense net.
type net struct {
	m       *model.Model
	f       *model.Manifest
	frame   [3]int // h, w, channels
	output  int32  // tensor
	at      int    // of the outputs
	classes int
}

// open checks that m can be learnt at all.
func open(m *model.Model) (*net, error) {
	if len(m.Subgraphs) != 1 || len(m.Subgraphs[0].Inputs) != 1 {
		return nil, refusef("a net with one graph and one input is needed")
	}
	g := m.Subgraphs[0]
	in := g.Tensors[g.Inputs[0]]
	if in.Type != model.TypeFloat32 {
		return nil, refusef("the net's input is %s: quantised nets cannot learn; tune the float32 net, then make it int8 with edged quantize", in.Type)
	}
	if err := m.CheckNumbers(); err != nil {
		return nil, err
	}
	f, err := m.Manifest()
	if err != nil {
		return nil, err
	}
	if f == nil || f.Grid.Stride == [2]float64{} {
		return nil, refusef("its manifest does not say where its outputs lie on the picture: make the dense net with edged rewrite, and tune that")
	}
	if len(in.Shape) != 4 {
		return nil, refusef("its input %v is no picture", in.Shape)
	}
	n := &net{m: m, f: f, frame: [3]int{int(in.Shape[1]), int(in.Shape[2]), int(in.Shape[3])}, at: -1}
	for i, t := range g.Outputs {
		if g.Tensors[t].Name == f.Output.Tensor || len(g.Outputs) == 1 {
			n.output, n.at = t, i
		}
	}
	if n.at < 0 {
		return nil, refusef("its manifest does not name the output that is the mask")
	}
	out := g.Tensors[n.output]
	if out.Type != model.TypeFloat32 || len(out.Shape) != 4 {
		return nil, refusef("its output %q is %s%v, not a float32 map", out.Name, out.Type, out.Shape)
	}
	if n.classes = int(out.Shape[3]); n.classes == 1 {
		n.classes = 2
	}
	return n, nil
}

// learning is the net on crops.
type learning struct {
	m     *model.Model
	graph *graph
	crop  [2]int
	grid  grid
}

// grid is where the outputs of a crop lie on it.
type grid struct {
	Stride [2]float64 `json:"stride"`
	Origin [2]float64 `json:"origin"`
	Size   [2]int     `json:"size"`
	Useful [2]int     `json:"useful"` // outputs outside of the band
	Band   [4]int     `json:"band"`   // top, left, bottom, right, pixels that padding reaches
}

// besideField is how many pixels a crop has beside the receptive field.
const besideField = 96

// forLearning makes the net smaller than its frame, where it can be: the same
// weights answer on crops, which costs less memory and shows more places.
func (n *net) forLearning(freeze int) (*learning, error) {
	var crop [2]int
	for a := range crop {
		crop[a] = min(n.frame[a], n.f.ReceptiveField[a]+besideField)
	}
	l := &learning{m: n.m, crop: [2]int{n.frame[0], n.frame[1]}}
	if len(n.f.Inverse) > 0 && crop != l.crop && n.f.ReceptiveField[0] > 0 {
		if r, err := rewrite.Resized(n.m, crop); err == nil && sameWeights(r.Model, n.m) {
			l.m, l.crop = r.Model, crop
		}
	}
	f, err := l.m.Manifest()
	if err != nil {
		return nil, err
	}
	g := l.m.Subgraphs[0]
	out := int32(-1)
	for _, t := range g.Outputs {
		if g.Tensors[t].Name == n.m.Subgraphs[0].Tensors[n.output].Name {
			out = t
		}
	}
	if out < 0 {
		return nil, fmt.Errorf("tune: BUG: the smaller net has lost its output")
	}
	s := g.Tensors[out].Shape
	l.grid = grid{Stride: f.Grid.Stride, Origin: f.Grid.Origin, Size: [2]int{int(s[1]), int(s[2])}}
	if b := f.Band; b != nil && l.crop != [2]int{n.frame[0], n.frame[1]} {
		l.grid.Band = [4]int{b.Top, b.Left, b.Bottom, b.Right}
	}
	for a := range 2 {
		for i := range l.grid.Size[a] {
			if p := l.grid.Origin[a] + float64(i)*l.grid.Stride[a]; p >= float64(l.grid.Band[a]) && p < float64(l.crop[a]-l.grid.Band[2+a]) {
				l.grid.Useful[a]++
			}
		}
	}
	l.graph, err = carry(l.m, out, freeze)
	return l, err
}

// sameWeights tells whether every constant of a net on a crop is in the dense net
// under the same name, so that what is learnt can be brought back.
func sameWeights(small, m *model.Model) bool {
	for _, t := range small.Subgraphs[0].Tensors {
		data := small.Data(t)
		if data == nil || t.Type != model.TypeFloat32 && t.Type != model.TypeFloat16 {
			continue
		}
		x := tensorCalled(m, t.Name)
		if x == nil || x.Type != t.Type || !bytes.Equal(m.Data(x), data) {
			return false
		}
	}
	return true
}

func tensorCalled(m *model.Model, name string) *model.Tensor {
	for _, t := range m.Subgraphs[0].Tensors {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// withWeights is a copy of m with what was learnt in the place of its weights, in
// the order of the graph's buffers.
func withWeights(m *model.Model, g *graph, tuned []float32) (*model.Model, error) {
	c := m.Clone()
	for _, b := range g.Buffers {
		if !b.Learn {
			continue
		}
		if len(tuned) < b.N {
			return nil, errors.New("tune: what was learnt is shorter than the net's weights")
		}
		t := tensorCalled(c, b.tensor)
		if t == nil || t.Buffer == 0 {
			return nil, fmt.Errorf("tune: BUG: weight %q is not in the dense net", b.tensor)
		}
		data := make([]byte, 0, 4*b.N)
		for _, v := range tuned[:b.N] {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return nil, fmt.Errorf("tune: learning diverged: weight %q is not a number; a lower --rate helps", b.tensor)
			}
			if b.Half {
				h := model.ToFloat16(v)
				data = append(data, byte(h), byte(h>>8))
			} else {
				u := math.Float32bits(v)
				data = append(data, byte(u), byte(u>>8), byte(u>>16), byte(u>>24))
			}
		}
		c.Buffers[t.Buffer] = &model.Buffer{Data: data}
		tuned = tuned[b.N:]
	}
	f, err := c.Manifest()
	if err != nil || f == nil {
		return c, err
	}
	f.Certificate = nil
	if f.Sample != nil {
		f.Sample.Values = nil
	}
	return c, c.SetManifest(f)
}
