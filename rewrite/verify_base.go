package rewrite

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"edged"
	"edged/model"
)

// promises takes output stride and contract from the options, else from
// dense's manifest.
func (v *verification) promises(base, dense []byte) error {
	d, err := model.Read(dense)
	if err != nil {
		return fmt.Errorf("rewrite: dense model: %w", err)
	}
	f, err := d.Manifest()
	if err != nil {
		return err
	}
	if f == nil {
		f = &model.Manifest{}
	}
	if err := v.identify(base, d, f); err != nil {
		return err
	}
	v.prepare, v.labels, v.threshold = f.Input, f.Labels, f.Output.Threshold
	v.report.Form = f.Form
	v.q = pair(v.o.OutputStride)
	if v.q == (pair{}) {
		v.q = pair(f.OutputStride)
	}
	if v.q[0] < 1 || v.q[1] < 1 {
		return usagef("the dense model's manifest names no output stride; give --output-stride")
	}
	v.report.Contract = v.o.Contract
	if v.report.Contract == DefaultContract {
		v.report.Contract = Contract(f.Contract)
	}
	switch v.report.Contract {
	case Patch, Frame:
	case DefaultContract:
		return usagef("the dense model's manifest names no contract; give --contract patch or --contract frame")
	default:
		return usagef("contract %q: choose patch or frame", v.report.Contract)
	}
	v.report.OutputStride = v.q
	return nil
}

// identify notes the hashes of what is compared.
func (v *verification) identify(base []byte, d *model.Model, f *model.Manifest) (err error) {
	sum := sha256.Sum256(base)
	v.report.BaselineSHA256 = hex.EncodeToString(sum[:])
	m, err := model.Read(base)
	if err != nil {
		return err
	}
	c, err := canonicalOf(m)
	if err != nil {
		return err
	}
	v.report.BaselineGraph = c.sha()
	if v.report.FactsSHA256, err = f.FactsSHA256(); err != nil {
		return err
	}
	v.report.GraphSHA256, err = d.GraphSHA256()
	return err
}

// cutLike ends base at the tensors that dense's outputs are named after, where
// those are not its outputs already; else base stays as it is.
func (v *verification) cutLike(base []byte, m *model.Model) ([]byte, *model.Model, error) {
	if len(m.Subgraphs) == 0 {
		return nil, nil, &Refusal{Reason: "the baseline has no graph"}
	}
	g := m.Subgraphs[0]
	var want []int32
	for k, s := range v.dense.Outputs() {
		if k < len(g.Outputs) && g.Tensors[g.Outputs[k]].Name == s.Name { // another tensor may have the same name
			want = append(want, g.Outputs[k])
			continue
		}
		if i := tensorCalled(g, s.Name); i >= 0 && m.Data(g.Tensors[i]) == nil {
			want = append(want, int32(i))
		}
	}
	same := len(want) == len(g.Outputs)
	for i := range want {
		same = same && want[i] == g.Outputs[i]
	}
	if same && len(g.Inputs) < 2 || len(want) != len(v.dense.Outputs()) {
		if len(g.Outputs) != len(v.dense.Outputs()) {
			return nil, nil, disprovefErr("the dense model has %d outputs, the baseline %d, and their names do not match", len(v.dense.Outputs()), len(g.Outputs))
		}
		return base, m, nil
	}
	c := m.Clone()
	c.Subgraphs[0].Outputs = want
	c.SignatureDefs = nil
	dropDead(c.Subgraphs[0])
	b, err := c.Write()
	return b, c, err
}

func disprovefErr(format string, args ...any) error {
	return &Refusal{Reason: fmt.Sprintf(format, args...)}
}

// placeFrame puts the baseline on the frame that dense takes.
func (v *verification) placeFrame(m *model.Model) error {
	in := v.dense.Inputs()
	src := m.Subgraphs[0].Tensors[v.net.input.tensor]
	if len(in) != 1 {
		return disprovefErr("the dense model has %d inputs, not one picture", len(in))
	}
	if v.frameDims = v.net.frameDims(in[0].Shape); v.frameDims == nil {
		return disprovefErr("the dense model takes %v, which is no frame of %d channels, as the baseline's %v", in[0].Shape, v.net.input.ch, src.Shape)
	}
	for i, d := range v.frameDims {
		for _, a := range d {
			if a != atomC {
				v.frame[a] = in[0].Shape[i]
			}
		}
	}
	d, err := v.placed()
	if err != nil {
		return err
	}
	for i, o := range v.net.outputs {
		v.outs = append(v.outs, v.newCompared(i, o, d))
	}
	return nil
}

// frameDims is how an input of this shape holds a frame: as [1, h, w, c], the
// way of every file that is written today, or in the baseline's layout. nil
// where its channels are not the baseline's.
func (n *net) frameDims(shape []int) [][]atom {
	for _, dims := range [][][]atom{nhwc(), n.inDims} {
		fits := len(shape) == len(dims)
		for i, d := range dims {
			fits = fits && (len(d) > 0 || shape[i] == 1) && (!slices.Contains(d, atomC) || shape[i] == n.input.ch)
		}
		if fits {
			return dims
		}
	}
	return nil
}

// placed is the baseline on the frame, as the contract speaks of it.
func (v *verification) placed() (*dense, error) {
	if v.windowed = v.byWindows(); v.windowed {
		if v.report.Contract != Patch {
			return nil, usagef("a dense model of the form windows keeps the patch contract and no other: leave out --contract %s", v.report.Contract)
		}
		return v.net.asWindows(v.frame, v.q)
	}
	for _, o := range v.net.outputs {
		if o.val == nil {
			return nil, v.net.suggestCut(o)
		}
	}
	if err := v.net.place(v.frame); err != nil {
		return nil, err
	}
	d, err := v.net.densify(v.q)
	if err == nil && v.net.isPatch() {
		err = holdsPatch(v.frame, v.net.input.n)
	}
	return d, err
}

// byWindows reports whether dense answers window by window: as its manifest
// says, or, without one, because nothing else keeps the patch contract.
func (v *verification) byWindows() bool {
	if v.report.Form != "" {
		return v.report.Form == string(Windows)
	}
	return v.report.Contract == Patch && (v.net.keepsPatches() != nil || slices.ContainsFunc(v.net.outputs, func(o *output) bool { return o.val == nil }))
}

// checkOutputs compares the promised shapes with what dense has.
func (v *verification) checkOutputs() error {
	for i, s := range v.dense.Outputs() {
		c := v.outs[i]
		if len(s.Shape) != 4 || s.Shape[0] != 1 || s.Shape[1] != c.size[0] || s.Shape[2] != c.size[1] || s.Shape[3] != c.val.ch {
			return disprovef("output %q has shape %v; [1 %d %d %d] is what the contract says for this frame", s.Name, s.Shape, c.size[0], c.size[1], c.val.ch)
		}
		if s.Type != edged.DType(0) && c.val.typ.String() != s.Type.String() {
			return disprovef("output %q is %s, the baseline's is %s", s.Name, s.Type, c.val.typ)
		}
	}
	return nil
}
