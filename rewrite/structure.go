package rewrite

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"edged/model"
)

// A structural proof says that dense computes what the baseline's dense net
// computes, for every input: rewriting is deterministic, so the baseline
// rewritten by dense's own form, output stride, input, contract and cuts must
// give dense. That the rewriter and the engine are right is for the run to show.

// structureResult is the outcome: proven, else refuted or only not provable, and why.
type structureResult struct {
	proven  bool
	refuted bool
	why     string
	stated  []string // facts that the baseline says nothing about: the user's word
}

func refutedf(format string, args ...any) *structureResult {
	return &structureResult{refuted: true, why: fmt.Sprintf(format, args...)}
}

func unprovable(format string, args ...any) *structureResult {
	return &structureResult{why: fmt.Sprintf(format, args...)}
}

const rewriteAgain = "rewrite it again with edged rewrite to have it proved"

// proveStructure compares dense with its baseline rewritten.
func proveStructure(base, dense []byte, q pair, contract Contract) (*structureResult, error) {
	b, err := model.Read(base)
	if err != nil {
		return nil, fmt.Errorf("rewrite: baseline: %w", err)
	}
	d, err := model.Read(dense)
	if err != nil {
		return nil, fmt.Errorf("rewrite: dense model: %w", err)
	}
	f, err := d.Manifest()
	if err != nil {
		return nil, err
	}
	if f == nil || f.Form == "" {
		return unprovable("the dense model carries no manifest that says how it was made: %s", rewriteAgain), nil
	}
	sha := hashOf(base)
	r, err := rewriteLike(b, sha, d, f, q, contract)
	if err != nil {
		if f.Rewriter == Revision && asRefusal(err) != nil {
			return refutedf("rewriting the baseline as the dense model's manifest says is refused: %v", err), nil
		}
		return unprovable("the baseline cannot be rewritten as the dense model's manifest says (%v): %s", err, rewriteAgain), nil
	}
	return compareStructure(b, d, f, r, sha)
}

// hashOf is a file's SHA-256 in hex.
func hashOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// rewriteLike rewrites the baseline as dense says that it was made.
func rewriteLike(b *model.Model, sha string, d *model.Model, f *model.Manifest, q pair, contract Contract) (*Result, error) {
	o := Options{OutputStride: q, Form: Form(f.Form), Contract: contract, Facts: &model.Manifest{Labels: f.Labels, Input: f.Input, Output: f.Output}}
	o.Cuts = f.Cuts
	if err := o.frameOf(b, d); err != nil {
		return nil, err
	}
	return Rewrite(b, sha, o)
}

// frameOf takes the input size from dense's input, whatever layout that has.
func (o *Options) frameOf(b, d *model.Model) error {
	b = b.Clone()
	if len(b.Subgraphs) > 0 {
		if err := endAt(b.Subgraphs[0], o.Cuts); err != nil {
			return err
		}
		dropDead(b.Subgraphs[0])
	}
	b, err := sizedLike(b, d)
	if err != nil {
		return err
	}
	n, err := lift(b)
	if err != nil {
		return err
	}
	g := d.Subgraphs[0]
	if len(g.Inputs) != 1 {
		return disprovefErr("the dense model has %d inputs, not one picture", len(g.Inputs))
	}
	shape := intsOf(g.Tensors[g.Inputs[0]].Shape)
	dims := n.frameDims(shape)
	if dims == nil {
		return disprovefErr("the dense model takes %v, which is no frame of %d channels", shape, n.input.ch)
	}
	for i, s := range dims {
		for _, a := range s {
			if a != atomC {
				o.Input[a] = shape[i]
			}
		}
	}
	return nil
}

func compareStructure(b, d *model.Model, f *model.Manifest, r *Result, sha string) (*structureResult, error) {
	want, err := canonicalOf(r.Model)
	if err != nil {
		return nil, err
	}
	got, err := canonicalOf(d)
	if err != nil {
		return nil, err
	}
	if diff := differenceOf(want, got, r.carried); diff != nil {
		switch {
		case diff.weights:
			return refutedf("%s. If it was tuned on purpose, compare it with its own baseline: edged rewrite --inverse DENSE -o X, then edged verify X DENSE", diff.what), nil
		case f.Rewriter == Revision:
			return refutedf("%s", diff.what), nil
		}
		return unprovable("it was written by %s, and its graph differs from this one's: %s; %s", revisionText(f.Rewriter), diff.what, rewriteAgain), nil
	}
	own, err := r.Model.Manifest()
	if err != nil {
		return nil, err
	}
	c := facts{base: b, dense: d, rewritten: r.Model, want: own, got: f, sha: sha}
	if why := c.lie(); why != "" {
		return refutedf("%s", why), nil
	}
	if f.Rewriter != Revision {
		return unprovable("it was written by %s (this one is %d): %s", revisionText(f.Rewriter), Revision, rewriteAgain), nil
	}
	return &structureResult{proven: true, stated: c.stated()}, nil
}

func revisionText(n int) string {
	if n == 0 {
		return "a rewriter that did not name its revision"
	}
	return fmt.Sprintf("revision %d of the rewriter", n)
}

// plainJSON shows a fact as the manifest writes it.
func plainJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// facts are what two manifests say: the one that rewriting gives, and dense's.
type facts struct {
	base, dense, rewritten *model.Model
	want, got              *model.Manifest
	sha                    string
}

// lie names the first fact in dense's manifest that is not so, empty for none.
// What an older revision did not write is not asked for.
func (c *facts) lie() string {
	w, g := c.want, c.got
	old := g.Rewriter != Revision
	for _, x := range []struct {
		name      string
		want, got any
		left      bool // may be missing in an older file
	}{
		{"form", w.Form, g.Form, false},
		{"contract", w.Contract, g.Contract, false},
		{"output_stride", w.OutputStride, g.OutputStride, false},
		{"receptive_field", w.ReceptiveField, g.ReceptiveField, false},
		{"grid", w.Grid, g.Grid, false},
		{"band", w.Band, g.Band, false},
		{"output.tensor", w.Output.Tensor, g.Output.Tensor, false},
		{"outputs", w.Outputs, g.Outputs, true},
		{"cuts", w.Cuts, g.Cuts, true},
		{"tuned_from", w.TunedFrom, g.TunedFrom, false},
	} {
		if x.left && old && reflect.ValueOf(x.got).Len() == 0 {
			continue
		}
		if !reflect.DeepEqual(x.want, x.got) {
			return fmt.Sprintf("the manifest's %s is %s; rewriting the baseline gives %s", x.name, plainJSON(x.got), plainJSON(x.want))
		}
	}
	if why := c.hashes(old); why != "" {
		return why
	}
	if why := c.wayBack(); why != "" {
		return why
	}
	return c.userFacts()
}

// hashes compares the baseline that the manifest names. The graph counts: a file
// saved anew is the same baseline.
func (c *facts) hashes(old bool) string {
	w, g := c.want, c.got
	from := ""
	if f, err := c.base.Manifest(); err == nil && f != nil {
		from = f.TunedFrom
	}
	if g.BaselineGraph == "" && old {
		return ""
	}
	if g.BaselineGraph != w.BaselineGraph && (from == "" || g.BaselineGraph != from) {
		return fmt.Sprintf("the manifest names another baseline (graph %.12s...; this one is %.12s...)", g.BaselineGraph, w.BaselineGraph)
	}
	if g.BaselineSHA256 != c.sha && g.BaselineCheck != baselineCheck(g.BaselineSHA256, g.BaselineGraph) {
		return fmt.Sprintf("the manifest's baseline_sha256 %.12s... is of no file that it was rewritten from (this one is %.12s...)", g.BaselineSHA256, c.sha)
	}
	return ""
}

// wayBack compares what the recipe in the manifest leads to, which the daemon's
// self-audit runs, with what the rewriting's own leads to. It says nothing about
// the dense graph: that was compared operator by operator.
func (c *facts) wayBack() string {
	if len(c.got.Inverse) == 0 {
		return ""
	}
	want, err := Inverse(c.rewritten)
	if err != nil {
		return ""
	}
	got, err := Inverse(c.dense)
	if err != nil {
		return fmt.Sprintf("the way back in the manifest leads nowhere: %v", err)
	}
	a, err1 := canonicalOf(want)
	b, err2 := canonicalOf(got)
	if err1 != nil || err2 != nil || a.sha() != b.sha() {
		return "the way back in the manifest leads to another net than the baseline"
	}
	return ""
}

// userFacts compares labels and preparation where the baseline has them.
func (c *facts) userFacts() string {
	f, err := c.base.Manifest()
	if err != nil || f == nil {
		return ""
	}
	const cure = ": put what is right into the baseline with edged manifest BASE --set, and rewrite"
	switch {
	case len(f.Labels) > 0 && !slices.Equal(f.Labels, c.got.Labels):
		return fmt.Sprintf("the manifest's labels are %s, the baseline's %s%s", strings.Join(c.got.Labels, ", "), strings.Join(f.Labels, ", "), cure)
	case f.Input.ChannelOrder != "" && !f.Input.Same(c.got.Input):
		return fmt.Sprintf("the manifest's input is %s, the baseline's %s%s", plainJSON(c.got.Input), plainJSON(f.Input), cure)
	case f.Output.Meaning != "" && (f.Output.Kind() != c.got.Output.Kind() || f.Output.Threshold != c.got.Output.Threshold):
		return fmt.Sprintf("the manifest's output is %s, the baseline's %s%s", plainJSON(c.got.Output), plainJSON(f.Output), cure)
	}
	return ""
}

// stated lists what the baseline says nothing about.
func (c *facts) stated() []string {
	f, err := c.base.Manifest()
	if err != nil || f == nil {
		f = &model.Manifest{}
	}
	var list []string
	if len(f.Labels) == 0 && len(c.got.Labels) > 0 {
		list = append(list, "labels")
	}
	if f.Input.ChannelOrder == "" && c.got.Input.ChannelOrder != "" {
		list = append(list, "input")
	}
	if f.Output.Meaning == "" && c.got.Output.Meaning != "" {
		list = append(list, "output")
	}
	return list
}
