package quantize

import (
	"errors"
	"fmt"

	"edged"
	"edged/model"
	"edged/rewrite"
)

// Pictures are what is learnt from and judged by.
type Pictures interface {
	Len() int
	// Size is the height and width of picture i.
	Size(i int) (h, w int)
	// Fill prepares picture i as an input of spec's shape, in float32: its centre at
	// its own pixels, or all of it where it is smaller.
	Fill(i int, spec edged.Spec, dst []float32) error
	// Span is what a prepared pixel can be.
	Span() Range
}

// form is how a net is shown pictures. Its graph's tensors have the names of the
// baseline's, which are distinct.
type form struct {
	says    string
	base    *model.Model // float32, to be quantised; tensors renamed
	float   *model.Model // what runs in its place
	windows bool         // it is shown many patches of a picture
	framed  bool         // it is as large as the smallest picture
	make    func(base *model.Model) (*model.Model, error)
}

// quantised is the int8 net by a recipe, in the form that is run.
func (f *form) quantised(r *Recipe) (*model.Model, error) {
	q, err := apply(f.base.Clone(), r)
	if err != nil {
		return nil, err
	}
	return f.make(q)
}

// numbered gives every tensor of m a name of its own, and returns what they were
// called.
func numbered(m *model.Model) (names map[string]string) {
	names = map[string]string{}
	for i, t := range m.Subgraphs[0].Tensors {
		own := fmt.Sprintf("#%d", i)
		names[own] = t.Name
		t.Name = own
	}
	return names
}

// bare is a copy of m without documents, whose tensors have names of their own.
func bare(m *model.Model) (*model.Model, map[string]string) {
	c := m.Clone()
	c.Metadata, c.MetadataBuffer, c.SignatureDefs, c.Trailer = nil, nil, nil, nil
	names := numbered(c)
	return c, names
}

// largestFrame is the side of the frames that a patch classifier is made dense for:
// what is learnt of more pixels at a time is no better.
const largestFrame = 640

// Limits of a dense form for learning: multiplications and bytes of tensors. What
// is above is learnt at a coarser output stride.
const (
	mostMACs  = 20e9
	mostBytes = 1 << 30
)

// formOf chooses. base is plain, dense what was given where that is another.
func formOf(base, dense *model.Model, p Pictures) (*form, error) {
	named, _ := bare(base)
	f := &form{base: named, float: named, make: func(m *model.Model) (*model.Model, error) { return m, nil }}
	_, patch := rewrite.PatchSize(named, rewrite.Options{})
	if patch {
		if o, ok := denseOptions(named, p); ok {
			f.framed = true
			return f.rewritten(fmt.Sprintf("as a dense net on frames of %dx%d, output stride %d", o.Input[0], o.Input[1], o.OutputStride[0]), func(m *model.Model) (*rewrite.Result, error) {
				return rewrite.Rewrite(m, "", o)
			})
		}
	}
	if dense != nil && !isWindows(dense) {
		return f.rewritten("as the dense net that it is", func(m *model.Model) (*rewrite.Result, error) { return rewrite.Again(m, "", dense) })
	}
	if f.windows = patch; patch {
		f.says = "patch by patch"
	} else {
		f.says = "as it is"
	}
	return f, nil
}

func isWindows(dense *model.Model) bool {
	f, err := dense.Manifest()
	return err == nil && f != nil && f.Form == string(rewrite.Windows)
}

func (f *form) rewritten(says string, again func(*model.Model) (*rewrite.Result, error)) (*form, error) {
	f.says = says
	f.make = func(m *model.Model) (*model.Model, error) {
		r, err := again(m)
		if err != nil {
			return nil, err
		}
		return r.Model, nil
	}
	var err error
	if f.float, err = f.make(f.base); err != nil {
		return nil, fmt.Errorf("quantize: %w", err)
	}
	return f, nil
}

// denseOptions makes a patch classifier dense on frames of the pictures' size, at
// the finest stride that can be afforded; ok is false where it cannot be made so
// exactly.
func denseOptions(named *model.Model, p Pictures) (o rewrite.Options, ok bool) {
	patch, _ := rewrite.PatchSize(named, rewrite.Options{})
	o = rewrite.Options{Input: frameFor(patch, p), Form: rewrite.Dilated, Contract: rewrite.Patch}
	strides, err := rewrite.OutputStrides(named, o)
	if err != nil {
		return o, false
	}
	for _, q := range strides {
		if q[0] != q[1] {
			continue
		}
		o.OutputStride = q
		r, err := rewrite.Rewrite(named, "", o)
		if err != nil {
			if errors.As(err, new(*rewrite.Refusal)) {
				return o, false
			}
			continue
		}
		if float64(r.MACs) <= mostMACs && tensorBytes(r.Model) <= mostBytes {
			return o, true
		}
		ok = true // the coarsest, if nothing is cheap
	}
	return o, ok
}

// frameFor is what all pictures hold.
func frameFor(patch [2]int, p Pictures) (size [2]int) {
	size = [2]int{largestFrame, largestFrame}
	for i := range p.Len() {
		h, w := p.Size(i)
		size[0], size[1] = min(size[0], h), min(size[1], w)
	}
	return [2]int{max(size[0], patch[0]), max(size[1], patch[1])}
}

func tensorBytes(m *model.Model) int64 {
	n := int64(0)
	for _, t := range m.Subgraphs[0].Tensors {
		if m.Data(t) == nil {
			n += bytesOf(t)
		}
	}
	return n
}

func bytesOf(t *model.Tensor) int64 {
	n, err := model.Elements(t.Shape)
	if err != nil {
		return 1 << 40
	}
	return n * int64(max(1, t.Type.Bits()/8))
}
