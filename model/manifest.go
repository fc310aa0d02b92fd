package model

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"edged/internal/fact"
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
	Sample *Sample  `json:"sample,omitempty"` // a picture whose answer is known, checked when the model is loaded

	// What edged rewrite did, empty in a model that is a baseline itself.
	Rewriter       int          `json:"rewriter,omitempty"` // revision of the rewriter that wrote the graph
	BaselineSHA256 string       `json:"baseline_sha256,omitempty"`
	BaselineGraph  string       `json:"baseline_graph_sha256,omitempty"` // of what the baseline computes: names, order and padding aside
	BaselineCheck  string       `json:"baseline_check,omitempty"`        // ties the two hashes together
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

// Sample is a small picture and what the model says of it. A preparation that is
// not the one of the training (channels swapped, another mean) shows at once.
type Sample struct {
	Picture []byte    `json:"picture"`          // PNG
	At      *[2]int   `json:"at,omitempty"`     // pixel of the picture, y, x; nil: its centre
	Class   string    `json:"class"`            // what the position there is: one of the labels
	Values  []float64 `json:"values,omitempty"` // the output's real values there, one a channel; none: not compared
}

// maxSample is how many bytes a sample's picture may have: it travels with every copy.
const maxSample = 256 << 10

func (s *Sample) fits(labels []string) bool {
	return s == nil || len(s.Picture) > 0 && len(s.Picture) <= maxSample && !slices.ContainsFunc(s.Values, func(v float64) bool { return !finite(v) }) &&
		(len(labels) == 0 || slices.Contains(labels, s.Class)) && (s.At == nil || s.At[0] >= 0 && s.At[1] >= 0)
}

// Output names the tensor that is made a mask, and says what its values mean.
type Output struct {
	Tensor    string  `json:"tensor,omitempty"`
	Meaning   string  `json:"meaning,omitempty"`   // logits, probabilities, sigmoid
	Threshold float64 `json:"threshold,omitempty"` // from which a single channel means class 1
}

// Kind is the output's meaning by its plain name: a sigmoid's values are
// probabilities.
func (o Output) Kind() string {
	if o.Meaning == "sigmoid" {
		return "probabilities"
	}
	return o.Meaning
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
		{oneOf(m.Form, "", "dilated", "fragments", "shifts", "windows"), "form is none of dilated, fragments, shifts, windows"},
		{oneOf(m.Contract, "", "patch", "frame"), "contract is none of patch, frame"},
		{finite(m.Output.Threshold), "output.threshold must be finite"},
		{m.Grid.Stride[0] >= 0 && m.Grid.Stride[1] >= 0, "grid.stride is negative"},
		{m.OutputStride[0] >= 0 && m.OutputStride[1] >= 0, "output_stride is negative"},
		{!slices.Contains(m.Labels, ""), "a label is empty"},
		{distinct(m.Labels), "two labels are equal"},
		{m.Sample.fits(m.Labels), "sample needs a picture (PNG, base64, at most 256 KiB), a class that is one of the labels, and finite values"},
	}
	for _, c := range checks {
		if !c.ok {
			return fmt.Errorf("model: manifest: %s", c.what)
		}
	}
	return m.Input.check()
}

func oneOf(s string, list ...string) bool { return slices.Contains(list, s) }

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

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

// check tells the first fault of mean and scale; either may be left to the config.
func (in Input) check() error {
	channels := map[string]int{"RGB": 3, "BGR": 3, "GRAY": 1}[in.ChannelOrder] // 0: not known
	var mean, scale error
	if len(in.Mean) > 0 {
		mean = fact.Mean(in.Mean, channels)
	}
	if len(in.Scale) > 0 {
		scale = fact.Scale(in.Scale, channels)
	}
	if err := cmp.Or(mean, scale); err != nil {
		return fmt.Errorf("model: manifest: input.%w", err)
	}
	if fact.Range(orElse(in.Mean, 0), orElse(in.Scale, 1)) != nil {
		return errors.New("model: manifest: input.mean and input.scale make values that no float32 holds")
	}
	return nil
}

// Same tells whether two preparations compute the same values: one number for
// every channel is as good as three that are equal.
func (in Input) Same(other Input) bool {
	return in.ChannelOrder == other.ChannelOrder && SameSpread(in.Mean, other.Mean) && SameSpread(in.Scale, other.Scale)
}

// SameSpread compares lists of one number, or one per channel. An empty one is
// left to the config, which no number is.
func SameSpread(a, b []float64) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	for i, v := range a {
		if len(b) > 1 && i >= len(b) || v != b[min(i, len(b)-1)] {
			return false
		}
	}
	return true
}

// orElse is list, or v where it is empty.
func orElse(list []float64, v float64) []float64 {
	if len(list) == 0 {
		return []float64{v}
	}
	return list
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
	c.Unknown = nil
	b, err := c.Write()
	if err != nil {
		return "", err
	}
	for _, u := range m.Unknown { // of another graph than the one without
		b = append(b, u.String()...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}
