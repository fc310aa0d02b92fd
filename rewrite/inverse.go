package rewrite

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"edged/model"
)

// recipe is what the way back needs beside the dense graph's weights: the
// baseline's structure. It holds no weight: two baselines of one structure have
// the same recipe, and a weight changed in the dense file is changed in what
// comes back.
type recipe struct {
	// Structure is the baseline's graph without the data of its weights, as a
	// .tflite, deflated.
	Structure []byte `json:"structure"`
	// Weights says where each weight of the baseline lies in the dense graph.
	Weights []weightEntry `json:"weights"`
}

// weightEntry ties a tensor of the baseline to one of the dense graph.
type weightEntry struct {
	Tensor int32  `json:"t"`
	Name   string `json:"n"`           // of the dense graph's tensor
	Index  int32  `json:"i"`           // where names were lost
	Perm   []int  `json:"p,omitempty"` // axes were reordered
}

// recipe describes the way back from the graph just written.
func (s *state) recipe() (json.RawMessage, error) {
	bare := s.work.Clone()
	bare.Trailer, bare.Unknown = nil, nil // what is unknown has no part in a result: see cut
	g := bare.Subgraphs[0]
	var r recipe
	used := map[uint32]bool{}
	for i, t := range g.Tensors {
		ref, ok := s.weights[int32(i)]
		if !ok {
			continue
		}
		used[t.Buffer] = true
		r.Weights = append(r.Weights, weightEntry{int32(i), s.graph.g.Tensors[ref.tensor].Name, ref.tensor, ref.perm})
		t.Quantization = nil // travels with the weight
	}
	bare.Buffers = slices.Clone(bare.Buffers)
	for i := range bare.Buffers {
		if used[uint32(i)] {
			bare.Buffers[i] = &model.Buffer{}
		}
	}
	if err := s.dropUnused(bare); err != nil {
		return nil, err
	}
	file, err := bare.Write()
	if err != nil {
		return nil, err
	}
	if r.Structure, err = deflate(file); err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// smallConstant is the most bytes of a structural constant: shapes, axes,
// paddings, the borders of slices. Larger ones are weights, and must be in the
// dense graph.
const smallConstant = 256

// dropUnused clears the constants that no operator reads, and refuses to hide
// a weight in the recipe.
func (s *state) dropUnused(bare *model.Model) error {
	g := bare.Subgraphs[0]
	read := map[int32]bool{}
	for _, op := range g.Operators {
		for _, t := range op.Inputs {
			read[t] = true
		}
	}
	keep := map[uint32]bool{}
	for i, t := range g.Tensors {
		if _, ok := s.weights[int32(i)]; ok || bare.Data(t) == nil {
			continue
		}
		if !read[int32(i)] {
			continue
		}
		if n := len(bare.Data(t)); n > smallConstant {
			return &Refusal{Reason: fmt.Sprintf("constant %q (%d bytes) did not reach the dense graph, so there would be no way back", t.Name, n)}
		}
		keep[t.Buffer] = true
	}
	for _, e := range bare.Metadata {
		keep[e.Buffer] = keep[e.Buffer] || e.Name == model.ManifestName
	}
	for i := range bare.Buffers {
		if !keep[uint32(i)] {
			bare.Buffers[i] = &model.Buffer{}
		}
	}
	return nil
}

func deflate(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// inflateLimit bounds what a hostile recipe may unfold to.
const inflateLimit = 64 << 20

func inflate(b []byte) ([]byte, error) {
	return io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b)), inflateLimit))
}

// Inverse restores the baseline from a dense graph alone: the baseline's
// operators with their strides and paddings, and the weights that dense holds
// now.
func Inverse(dense *model.Model) (*model.Model, error) {
	f, err := dense.Manifest()
	if err != nil {
		return nil, err
	}
	if f == nil || len(f.Inverse) == 0 {
		return nil, &Refusal{Reason: "the model carries no way back in its manifest: it was not written by edged rewrite"}
	}
	var r recipe
	if err := json.Unmarshal(f.Inverse, &r); err != nil {
		return nil, fmt.Errorf("rewrite: way back in the manifest: %w", err)
	}
	file, err := inflate(r.Structure)
	if err != nil {
		return nil, fmt.Errorf("rewrite: way back in the manifest: %w", err)
	}
	base, err := model.Read(file)
	if err != nil {
		return nil, fmt.Errorf("rewrite: way back in the manifest: %w", err)
	}
	if len(base.Subgraphs) == 0 || len(dense.Subgraphs) == 0 {
		return nil, errors.New("rewrite: way back in the manifest: no graph")
	}
	for _, w := range r.Weights {
		if err := restoreWeight(base, dense, w); err != nil {
			return nil, err
		}
	}
	restoreMetadata(base, dense)
	base.Trailer = dense.Trailer
	if err := base.Validate(); err != nil {
		return nil, err
	}
	return base, noteTuning(base, f.BaselineGraph)
}

// InverseFile is Inverse from file to file.
func InverseFile(dense []byte) (base []byte, err error) {
	defer noPanic(&err)
	m, err := model.Read(dense)
	if err != nil {
		return nil, err
	}
	if m, err = Inverse(m); err != nil {
		return nil, err
	}
	return m.Write()
}

// noteTuning writes into a baseline whose weights were changed in the dense file
// from which graph it was tuned, so that the dense file's own note of its
// baseline can be followed. A baseline as it was stays as it was.
func noteTuning(base *model.Model, from string) error {
	if from == "" {
		return nil
	}
	c, err := canonicalOf(base)
	if err != nil || c.sha() == from {
		return err
	}
	f, err := base.Manifest()
	if err != nil {
		return err
	}
	if f == nil {
		f = &model.Manifest{Schema: model.ManifestSchema}
	}
	f.TunedFrom = from
	return base.SetManifest(f)
}

func restoreWeight(base, dense *model.Model, w weightEntry) error {
	g, d := base.Subgraphs[0], dense.Subgraphs[0]
	i := slices.IndexFunc(d.Tensors, func(t *model.Tensor) bool { return t.Name == w.Name })
	if i < 0 {
		i = int(w.Index)
	}
	if i < 0 || i >= len(d.Tensors) || int(w.Tensor) >= len(g.Tensors) || w.Tensor < 0 {
		return fmt.Errorf("rewrite: weight %q is no longer in the dense graph", w.Name)
	}
	to, from := g.Tensors[w.Tensor], d.Tensors[i]
	data := dense.Data(from)
	if w.Perm != nil {
		if !isPerm(w.Perm) || len(from.Shape) != 4 || from.Type.Size() == 0 || elems(from.Shape)*from.Type.Size() != len(data) {
			return fmt.Errorf("rewrite: weight %q cannot be put in the order %v of the way back", w.Name, w.Perm)
		}
		data = permute(data, intsOf(from.Shape), inversePerm(w.Perm), from.Type.Size())
	}
	if len(data) == 0 || to.Type != from.Type || to.Sparsity == nil && len(data)*8 != elems(to.Shape)*to.Type.Bits() {
		return fmt.Errorf("rewrite: weight %q in the dense graph is %s%v, the baseline's is %s%v", w.Name, from.Type, from.Shape, to.Type, to.Shape)
	}
	to.Quantization = from.Quantization
	if int(to.Buffer) >= len(base.Buffers) {
		return fmt.Errorf("rewrite: weight %q has no buffer", w.Name)
	}
	base.Buffers[to.Buffer] = &model.Buffer{Data: data}
	return nil
}

func intsOf(s []int32) []int {
	var v []int
	for _, x := range s {
		v = append(v, int(x))
	}
	return v
}

// isPerm tells whether p orders three axes.
func isPerm(p []int) bool {
	return len(p) == 3 && slices.Contains(p, 0) && slices.Contains(p, 1) && slices.Contains(p, 2)
}

func inversePerm(p []int) []int {
	q := make([]int, len(p))
	for i, x := range p {
		q[x] = i
	}
	return q
}

// restoreMetadata brings back the documents that travelled in the dense file.
func restoreMetadata(base, dense *model.Model) {
	for _, e := range base.Metadata {
		if e.Name == model.ManifestName {
			continue
		}
		for _, d := range dense.Metadata {
			if d.Name == e.Name && int(e.Buffer) < len(base.Buffers) && int(d.Buffer) < len(dense.Buffers) {
				base.Buffers[e.Buffer] = &model.Buffer{Data: dense.Buffers[d.Buffer].Data}
			}
		}
	}
}
