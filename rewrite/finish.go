package rewrite

import (
	"fmt"
	"slices"

	"edged/model"
)

// carry takes over signatures and metadata.
func (s *state) carry() error {
	m := s.graph.m
	g, from := s.graph.g, s.work.Subgraphs[0]
	for _, d := range s.work.SignatureDefs {
		c := *d
		c.Inputs = carryMap(d.Inputs, from.Inputs, g.Inputs)
		c.Outputs = carryMap(d.Outputs, from.Outputs, g.Outputs)
		if d.SubgraphIndex == 0 && len(c.Inputs) > 0 && len(c.Outputs) > 0 {
			m.SignatureDefs = append(m.SignatureDefs, &c)
		}
	}
	for _, e := range s.work.Metadata {
		if e.Name == model.ManifestName || int(e.Buffer) >= len(s.work.Buffers) {
			continue
		}
		m.Metadata = append(m.Metadata, &model.Metadata{Name: e.Name, Buffer: s.graph.addBuffer(s.work.Buffers[e.Buffer].Data)})
	}
	s.carryDebug()
	return nil
}

// debugMetadata is the metadata entry that operators and graphs point into with
// their debug_metadata_index.
const debugMetadata = "debug_metadata"

// carryDebug notes which operators have no place in the debug metadata: those
// that stand for none of the baseline's. The others keep theirs, since the
// document is carried as it is; without a document no index leads anywhere.
func (s *state) carryDebug() {
	g, from := s.graph.g, s.work.Subgraphs[0]
	if from.DebugMetadata == 0 && !slices.ContainsFunc(from.Operators, func(op *model.Operator) bool { return op.DebugMetadata != 0 }) {
		return
	}
	if !slices.ContainsFunc(s.graph.m.Metadata, func(e *model.Metadata) bool { return e.Name == debugMetadata }) {
		g.DebugMetadata = 0
		for _, op := range g.Operators {
			op.DebugMetadata = 0
		}
		s.notes = append(s.notes, "debug_metadata_index is dropped: the baseline has no "+debugMetadata+" to point into")
		return
	}
	bare := 0
	for _, op := range g.Operators {
		if op.DebugMetadata == 0 {
			bare++
		}
	}
	if bare > 0 {
		s.notes = append(s.notes, fmt.Sprintf("debug metadata: %d of %d operators stand for none of the baseline's and have no debug_metadata_index", bare, len(g.Operators)))
	}
}

func carryMap(list []*model.TensorMap, from, to []int32) []*model.TensorMap {
	var out []*model.TensorMap
	for _, t := range list {
		if i := slices.Index(from, int32(t.TensorIndex)); i >= 0 && i < len(to) {
			out = append(out, &model.TensorMap{Name: t.Name, TensorIndex: uint32(to[i])})
		}
	}
	return out
}

func (s *state) versions() error {
	s.graph.m.UpdateVersions()
	return nil
}

// check infers all shapes once more, apart from the arithmetic that wrote the
// graph, and compares the outputs with what they are promised to be.
func (s *state) check() error {
	m := s.graph.m
	if err := m.InferShapes(0); err != nil {
		return fmt.Errorf("the graph written does not hold together: %w", err)
	}
	for i, o := range s.net.outputs {
		t := s.graph.g.Tensors[s.graph.g.Outputs[i]]
		n := s.dense.target(o.val)
		if want := []int32{1, int32(n[0]), int32(n[1]), int32(o.val.ch)}; !slices.Equal(t.Shape, want) {
			return fmt.Errorf("output %q has shape %v, %v was promised", t.Name, t.Shape, want)
		}
	}
	return m.Validate()
}

// manifest fills the result, and writes what a user of the file must know.
func (s *state) manifest() error {
	r := s.result
	r.Model, r.Form, r.Reason, r.Contract = s.graph.m, s.form, s.reason, s.contract
	for _, o := range s.net.outputs {
		r.Outputs = append(r.Outputs, s.outputGrid(o))
	}
	for _, op := range s.graph.g.Operators {
		r.MACs += opMACs(s.graph.m, s.graph.g, op)
	}
	f, err := s.facts()
	if err != nil {
		return err
	}
	main := r.Outputs[0]
	for _, o := range r.Outputs {
		if o.Name == f.Output.Tensor {
			main = o
		}
	}
	if f.Output.Tensor == "" {
		f.Output.Tensor = main.Name
	}
	f.BaselineSHA256, f.Form, f.Contract = s.sha, string(s.form), string(s.contract)
	f.OutputStride, f.ReceptiveField = s.opts.stride(), main.Field // an output of smaller eST keeps its own
	f.Grid = model.Grid{Stride: [2]float64{float64(main.Stride[0]), float64(main.Stride[1])}, Origin: main.Centre}
	f.Band = &main.Band
	if f.Inverse, err = s.recipe(); err != nil {
		return err
	}
	return r.Model.SetManifest(f)
}

// facts are the baseline's manifest under the caller's, which wins.
func (s *state) facts() (*model.Manifest, error) {
	f, err := s.base.Manifest()
	if err != nil {
		return nil, err
	}
	if f == nil {
		f = &model.Manifest{}
	}
	f.Schema = model.ManifestSchema
	f.Certificate, f.PatchAgreement = nil, nil
	s.graph.m.Repairs = s.base.Repairs
	f.Notes = append(slices.Clip(f.Notes), s.notes...)
	if o := s.opts.Facts; o != nil {
		if len(o.Labels) > 0 {
			f.Labels = o.Labels
		}
		if o.Input.ChannelOrder != "" {
			f.Input = o.Input
		}
		if o.Output.Meaning != "" || o.Output.Tensor != "" {
			f.Output = o.Output
		}
		f.Notes = append(f.Notes, o.Notes...)
	}
	if !slices.ContainsFunc(s.result.Outputs, func(o OutputGrid) bool { return o.Name == f.Output.Tensor }) {
		f.Output.Tensor = ""
	}
	return f, nil
}

// outputGrid describes one output. Output t looks at pixel
// stride*t - origin + (field-1)/2.
func (s *state) outputGrid(o *output) OutputGrid {
	v := o.val
	step := s.dense.stride(v)
	out := OutputGrid{Name: s.work.Subgraphs[0].Tensors[o.tensor].Name, Size: s.dense.target(v), Stride: step, Channel: v.ch}
	for i, g := range v.grid {
		out.Centre[i] = float64(g.r-1)/2 - float64(g.o)
		out.Field[i], out.EST[i] = g.r, g.e
		out.Padded = out.Padded || g.padded
	}
	out.Band = s.net.band(v)
	return out
}
