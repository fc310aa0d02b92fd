package rewrite

import (
	"crypto/sha256"
	"encoding/hex"
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
	if err := s.origin(f); err != nil {
		return err
	}
	f.Form, f.Contract = string(s.form), string(s.contract)
	f.OutputStride, f.ReceptiveField = s.opts.stride(), main.Field // an output of smaller eST keeps its own
	f.Grid = gridOf(main)
	f.Sample = movedSample(f.Sample, s.contract, f.Grid)
	f.Band = &main.Band
	f.Outputs = outputFacts(r.Outputs, main.Name)
	if f.Inverse, err = s.recipe(); err != nil {
		return err
	}
	return r.Model.SetManifest(f)
}

// Revision counts the changes that make a rewriting come out as another graph.
// A dense file says which revision wrote it: only the same one can prove it by
// rewriting its baseline again.
const Revision = 2

// origin says of what, where ended, and by which revision the dense graph was made.
func (s *state) origin(f *model.Manifest) error {
	c, err := canonicalOf(s.work)
	if err != nil {
		return err
	}
	f.Rewriter, f.BaselineSHA256, f.BaselineGraph, f.TunedFrom = Revision, s.sha, c.sha(), ""
	f.BaselineCheck = baselineCheck(s.sha, f.BaselineGraph)
	f.Cuts = s.cuts
	for _, t := range s.graph.weights {
		if s.result.carried == nil {
			s.result.carried = map[int32]bool{}
		}
		s.result.carried[t.tensor] = true
	}
	return nil
}

// baselineCheck ties the hash of the baseline's file to that of its graph. A
// baseline saved anew has another file hash, which is no fault: its graph is
// what counts. A file hash that was altered in the manifest no longer fits.
func baselineCheck(file, graph string) string {
	sum := sha256.Sum256([]byte(file + " " + graph))
	return hex.EncodeToString(sum[:8])
}

// outputFacts lists the outputs, the mask first.
func outputFacts(all []OutputGrid, mask string) []model.OutputFact {
	var out []model.OutputFact
	for _, o := range all {
		x := model.OutputFact{Tensor: o.Name, Grid: gridOf(o), Size: o.Size, ReceptiveField: o.Field, Band: o.Band}
		if o.Name == mask {
			out = append([]model.OutputFact{x}, out...)
		} else {
			out = append(out, x)
		}
	}
	return out
}

func gridOf(o OutputGrid) model.Grid {
	return model.Grid{Stride: [2]float64{float64(o.Stride[0]), float64(o.Stride[1])}, Origin: o.Centre}
}

// movedSample is a baseline's sample for its dense net: the answer to the whole
// patch is what the first position says, which looks at the patch in the
// corner. Under the frame contract that position sees more than the patch did,
// and may answer otherwise: the sample is dropped.
func movedSample(sample *model.Sample, contract Contract, g model.Grid) *model.Sample {
	if sample == nil || contract != Patch {
		return nil
	}
	moved := *sample
	moved.At = &[2]int{int(g.Origin[0]), int(g.Origin[1])}
	return &moved
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
		if o.Sample != nil {
			f.Sample = o.Sample
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
		out.Centre[i] = float64(float64(g.r-1)/2) - float64(g.o) // conversions keep every machine from fusing the two
		out.Field[i], out.EST[i] = g.r, g.e
		out.Padded = out.Padded || g.padded
	}
	if s.form != Windows {
		out.Band = s.net.band(v)
	}
	return out
}
