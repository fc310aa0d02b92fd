package rewrite

import (
	"fmt"

	"edged/model"
)

// Form is how a dense graph holds all phases.
type Form string

// The forms. Auto takes the cheapest that is exact for the net.
const (
	Auto      Form = "auto"
	Dilated   Form = "dilated"   // whole maps, dilated windows
	Fragments Form = "fragments" // maps split over the batch, windows as they were
	Shifts    Form = "shifts"    // the baseline itself on shifted crops in the batch
	Windows   Form = "windows"   // the baseline itself on every window of the frame, in the batch
)

// Contract is what a dense graph promises.
type Contract string

// The contracts. Under Patch, output t is the baseline's on the patch at pixel
// q*t. Under Frame, it is that of the baseline enlarged to the frame.
const (
	DefaultContract Contract = ""
	Patch           Contract = "patch"
	Frame           Contract = "frame"
)

// Options are a rewriting's wishes. The zero value asks for every position, at
// the baseline's own input size, in the form that suits.
type Options struct {
	Input        [2]int // h, w of the dense graph's input; zero: the baseline's
	OutputStride [2]int // y, x, input pixels; zero: 1
	Form         Form   // empty: Auto
	Contract     Contract
	Cuts         []string        // names of the tensors that become the outputs, in order, or "maps"; none: the graph's outputs
	Facts        *model.Manifest // what is known about the model beyond its graph, nil: what the baseline's manifest says
}

// Validate names the first option that makes no sense.
func (o Options) Validate() error {
	switch o.Form {
	case "", Auto, Dilated, Fragments, Shifts, Windows:
	default:
		return usagef("form %q: choose auto, dilated, fragments, shifts or windows", o.Form)
	}
	switch o.Contract {
	case DefaultContract, Patch, Frame:
	default:
		return usagef("contract %q: choose patch or frame", o.Contract)
	}
	if o.Form == Windows {
		if err := o.validateWindows(); err != nil {
			return err
		}
	}
	for i := range o.Input {
		if o.Input[i] < 0 || o.Input[i] > 1<<15 || (o.Input[0] == 0) != (o.Input[1] == 0) {
			return usagef("input %dx%d: give height x width, both from 1 to 32768", o.Input[0], o.Input[1])
		}
		if o.OutputStride[i] < 0 {
			return usagef("output stride %v is negative", o.OutputStride)
		}
	}
	return nil
}

// validateWindows asks for what the form windows has no default for.
func (o Options) validateWindows() error {
	if o.Contract == Frame {
		return usagef("--form windows keeps the patch contract and no other: leave out --contract frame")
	}
	if o.OutputStride[0] < 1 || o.OutputStride[1] < 1 {
		return usagef("--form windows needs --output-stride Q: every Q-th pixel starts a window, and each costs one run of the net; --plan prices them")
	}
	return nil
}

func (o Options) stride() pair {
	return pair{max(o.OutputStride[0], 1), max(o.OutputStride[1], 1)}
}

// OutputGrid is one output of a dense graph and its place on the frame.
type OutputGrid struct {
	Name    string     `json:"name"`
	Size    [2]int     `json:"size"`   // positions
	Stride  [2]int     `json:"stride"` // input pixels
	Centre  [2]float64 `json:"origin"` // the pixel that position (0, 0) looks at
	Field   [2]int     `json:"receptive_field"`
	EST     [2]int     `json:"est"` // of the baseline
	Band    model.Band `json:"band"`
	Padded  bool       `json:"padded"`
	Channel int        `json:"channels"`
}

// Result is a finished rewriting.
type Result struct {
	Model    *model.Model
	Form     Form
	Reason   string // why this form
	Contract Contract
	Outputs  []OutputGrid
	MACs     int64
	carried  map[int32]bool // tensors of Model that hold the baseline's constants
}

func sizeText(p pair) string { return fmt.Sprintf("%dx%d", p[0], p[1]) }
