package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// ManifestSchema is the version of the manifest that this package reads and
// writes; ManifestName is the metadata entry that holds it.
const (
	ManifestSchema = 1
	ManifestName   = "edged"
)

// Manifest is what a camera daemon must know about a model beyond its graph:
// how a picture becomes its input, what its output means, and where the
// output's positions lie in the picture. It travels in the .tflite as JSON.
type Manifest struct {
	Schema int      `json:"schema"`
	Labels []string `json:"labels,omitempty"` // the classes, in the order of the output's channels
	Input  Input    `json:"input,omitzero"`
	Output Output   `json:"output,omitzero"`
	Grid   Grid     `json:"grid,omitzero"`

	// What edged rewrite did, empty in a model that is a baseline itself.
	Rewriter       int          `json:"rewriter,omitempty"` // revision of the rewriter that wrote the graph
	BaselineSHA256 string       `json:"baseline_sha256,omitempty"`
	BaselineGraph  string       `json:"baseline_graph_sha256,omitempty"` // of what the baseline computes: names, order and padding aside
	TunedFrom      string       `json:"tuned_from,omitempty"`            // in a baseline that a tuned dense file inverts to: the graph it was tuned from
	Form           string       `json:"form,omitempty"`                  // dilated, fragments, shifts
	Contract       string       `json:"contract,omitempty"`              // patch, frame
	OutputStride   [2]int       `json:"output_stride,omitzero"`          // y, x, input pixels
	ReceptiveField [2]int       `json:"receptive_field,omitzero"`        // y, x, input pixels
	Band           *Band        `json:"band,omitempty"`                  // where the frame's border changes the result
	Cuts           []string     `json:"cuts,omitempty"`                  // tensors of the baseline at which its graph was ended
	Outputs        []OutputFact `json:"outputs,omitempty"`               // every output; the first is the mask
	Certificate    *Certificate `json:"certificate,omitempty"`           // what edged verify found
	Repairs        []string     `json:"repairs,omitempty"`               // what was put right while the baseline was read
	Notes          []string     `json:"notes,omitempty"`                 // for people

	PatchAgreement *PatchAgreement `json:"patch_agreement,omitempty"` // under the frame contract, as edged rewrite measured it
	Inverse        json.RawMessage `json:"inverse,omitempty"`         // what edged rewrite --inverse needs: structure, no weights
}

// OutputFact is one output of a dense graph and its place on the picture.
type OutputFact struct {
	Tensor         string `json:"tensor"`
	Grid           Grid   `json:"grid"`
	Size           [2]int `json:"size"`                     // positions, y, x
	ReceptiveField [2]int `json:"receptive_field,omitzero"` // y, x, input pixels
	Band           Band   `json:"band,omitzero"`
}

// Input says how pixels become the model's input:
// value = (pixel - Mean) * Scale, pixels from 0 to 255, one entry for every
// channel in ChannelOrder, or a single one for all.
type Input struct {
	ChannelOrder string    `json:"channel_order,omitempty"` // RGB, BGR, GRAY
	Mean         []float64 `json:"mean,omitempty"`
	Scale        []float64 `json:"scale,omitempty"`
}

// Output names the tensor that is made a mask, and says what its values mean.
type Output struct {
	Tensor    string  `json:"tensor,omitempty"`
	Meaning   string  `json:"meaning,omitempty"`   // logits, probabilities, sigmoid
	Threshold float64 `json:"threshold,omitempty"` // from which a single channel means class 1
}

// Grid places output positions on the input picture, per axis in the order y,
// x: position (r, c) is centred on input pixel Origin + (r, c)*Stride.
type Grid struct {
	Stride [2]float64 `json:"stride"`
	Origin [2]float64 `json:"origin"`
}

// Band is the width, in input pixels, of the border in which an output may
// differ from the baseline's because it sees the frame's edge.
type Band struct {
	Top    int `json:"top"`
	Left   int `json:"left"`
	Bottom int `json:"bottom"`
	Right  int `json:"right"`
}

// ParseManifest reads a manifest's JSON. Unknown keys, another schema and
// contradictions are errors: a daemon must not guess.
func ParseManifest(b []byte) (*Manifest, error) {
	var head struct {
		Schema *int `json:"schema"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("model: manifest: %w", err)
	}
	if head.Schema == nil {
		return nil, fmt.Errorf(`model: manifest: no "schema"; this edged writes "schema": %d`, ManifestSchema)
	}
	if *head.Schema != ManifestSchema {
		return nil, fmt.Errorf("model: manifest: schema %d, this edged reads schema %d: use the edged that wrote it, or a newer one",
			*head.Schema, ManifestSchema)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	m := &Manifest{}
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("model: manifest: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("model: manifest: something follows the JSON document")
	}
	return m, m.Validate()
}

// Validate checks the manifest by itself; see Model.SetManifest for the model.
func (m *Manifest) Validate() error {
	checks := []struct {
		ok   bool
		what string
	}{
		{m.Schema == ManifestSchema, fmt.Sprintf("schema is %d, not %d", m.Schema, ManifestSchema)},
		{oneOf(m.Input.ChannelOrder, "", "RGB", "BGR", "GRAY"), "input.channel_order is none of RGB, BGR, GRAY"},
		{oneOf(m.Output.Meaning, "", "logits", "probabilities", "sigmoid"), "output.meaning is none of logits, probabilities, sigmoid"},
		{oneOf(m.Form, "", "dilated", "fragments", "shifts"), "form is none of dilated, fragments, shifts"},
		{oneOf(m.Contract, "", "patch", "frame"), "contract is none of patch, frame"},
		{m.Input.channelsFit(m.Input.Mean), "input.mean has neither one entry nor one for every channel"},
		{m.Input.channelsFit(m.Input.Scale), "input.scale has neither one entry nor one for every channel"},
		{finite(m.Input.Mean) && finite(m.Input.Scale), "input.mean and input.scale must be finite"},
		{m.Input.inRange(), "input.mean and input.scale make values that no float32 holds"},
		{!slices.Contains(m.Input.Scale, 0), "input.scale is 0: every picture would look the same"},
		{finite([]float64{m.Output.Threshold}), "output.threshold must be finite"},
		{m.Grid.Stride[0] >= 0 && m.Grid.Stride[1] >= 0, "grid.stride is negative"},
		{m.OutputStride[0] >= 0 && m.OutputStride[1] >= 0, "output_stride is negative"},
		{!slices.Contains(m.Labels, ""), "a label is empty"},
		{distinct(m.Labels), "two labels are equal"},
	}
	for _, c := range checks {
		if !c.ok {
			return fmt.Errorf("model: manifest: %s", c.what)
		}
	}
	return nil
}

func oneOf(s string, list ...string) bool { return slices.Contains(list, s) }

func finite(list []float64) bool {
	return !slices.ContainsFunc(list, func(f float64) bool { return math.IsNaN(f) || math.IsInf(f, 0) })
}

func distinct(list []string) bool {
	seen := map[string]bool{}
	for _, s := range list {
		if seen[s] {
			return false
		}
		seen[s] = true
	}
	return true
}

// channelsFit tells whether a list suits the channel order.
func (in Input) channelsFit(list []float64) bool {
	switch in.ChannelOrder {
	case "":
		return oneOf(fmt.Sprint(len(list)), "0", "1", "3")
	case "GRAY":
		return len(list) <= 1
	}
	return len(list) <= 1 || len(list) == 3
}

// inRange tells whether black and white become finite values.
func (in Input) inRange() bool {
	for i := range max(len(in.Mean), len(in.Scale)) {
		mean, scale := float32(0), float32(1)
		if n := len(in.Mean); n > 0 {
			mean = float32(in.Mean[i%n])
		}
		if n := len(in.Scale); n > 0 {
			scale = float32(in.Scale[i%n])
		}
		if !finite([]float64{float64(-mean * scale), float64((255 - mean) * scale)}) {
			return false
		}
	}
	return true
}

// Manifest is the model's manifest, or nil where it carries none.
func (m *Model) Manifest() (*Manifest, error) {
	for _, e := range m.Metadata {
		if e.Name != ManifestName {
			continue
		}
		if e.Buffer == 0 || int(e.Buffer) >= len(m.Buffers) {
			return nil, fmt.Errorf("model: manifest: the metadata entry %q has no data", ManifestName)
		}
		return ParseManifest(m.Buffers[e.Buffer].Data)
	}
	return nil, nil
}

// SetManifest puts a manifest into the model, in the place of an older one; a
// nil one takes it out. An output that the manifest names must exist.
func (m *Model) SetManifest(f *Manifest) error {
	if f == nil {
		m.removeManifest()
		return nil
	}
	if err := f.Validate(); err != nil {
		return err
	}
	if err := m.checkOutput(f.Output.Tensor); err != nil {
		return err
	}
	data, err := json.MarshalIndent(f.repaired(m.Repairs), "", "  ")
	if err != nil {
		return fmt.Errorf("model: manifest: %w", err)
	}
	id, free := m.removeManifest()
	if !free {
		if len(m.Buffers) == 0 {
			m.Buffers = []*Buffer{{}}
		}
		id = uint32(len(m.Buffers))
		m.Buffers = append(m.Buffers, nil)
	}
	m.Buffers[id] = &Buffer{Data: data}
	m.Metadata = append(m.Metadata, &Metadata{Name: ManifestName, Buffer: id})
	return nil
}

// repaired is f with the repairs that it does not list yet.
func (f *Manifest) repaired(repairs []string) *Manifest {
	c := *f
	for _, r := range repairs {
		if !slices.Contains(c.Repairs, r) {
			c.Repairs = append(slices.Clip(c.Repairs), r)
		}
	}
	return &c
}

func (m *Model) checkOutput(name string) error {
	if name == "" || len(m.Subgraphs) == 0 {
		return nil
	}
	g := m.Subgraphs[0]
	var names []string
	for _, id := range g.Outputs {
		names = append(names, g.Tensors[id].Name)
	}
	if !slices.Contains(names, name) {
		return fmt.Errorf("model: manifest: output.tensor %q is no output of the model; its outputs are %s",
			name, strings.Join(names, ", "))
	}
	return nil
}

// removeManifest takes the entry out, and gives the buffer that it leaves
// behind empty, where there is one. Unused, the last buffer goes too.
func (m *Model) removeManifest() (id uint32, free bool) {
	i := slices.IndexFunc(m.Metadata, func(e *Metadata) bool { return e.Name == ManifestName })
	if i < 0 {
		return 0, false
	}
	id = m.Metadata[i].Buffer
	m.Metadata = slices.Delete(slices.Clone(m.Metadata), i, i+1)
	if id == 0 || int(id) >= len(m.Buffers) || m.uses(id) {
		return 0, false
	}
	if int(id) == len(m.Buffers)-1 {
		m.Buffers = m.Buffers[:id]
		return 0, false
	}
	m.Buffers[id] = &Buffer{}
	return id, true
}

// uses tells whether anything refers to buffer id.
func (m *Model) uses(id uint32) bool {
	for _, g := range m.Subgraphs {
		if slices.ContainsFunc(g.Tensors, func(t *Tensor) bool { return t.Buffer == id }) {
			return true
		}
	}
	return slices.Contains(m.MetadataBuffer, int32(id)) ||
		slices.ContainsFunc(m.Metadata, func(e *Metadata) bool { return e.Buffer == id })
}

// GraphSHA256 identifies what the model computes: the SHA-256, in hex, of its
// file without the manifest. A certificate in the manifest can so name the
// graph that it belongs to.
func (m *Model) GraphSHA256() (string, error) {
	c := *m
	c.Buffers = slices.Clone(m.Buffers)
	c.removeManifest()
	if len(c.Metadata) == 0 {
		c.Metadata = nil
	}
	b, err := c.Write()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}
