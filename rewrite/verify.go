package rewrite

import (
	"errors"
	"fmt"

	"edged"
	"edged/model"
)

// VerifyOptions say what to prove and how much of it to check.
type VerifyOptions struct {
	OutputStride [2]int   // zero: DENSE's manifest says
	Contract     Contract // empty: DENSE's manifest says
	Positions    int64    // how many positions to compare, spread over every phase; 0: all
	Seed         uint64   // of inputs and sampled positions; 0: a fixed one
	Workers      int      // baseline engines that run side by side; 0: two
	// Progress is told how many baseline runs are done; nil: nobody asks.
	Progress func(done, total int)
}

// Report is what Verify found; its JSON is part of edged's contracts.
type Report struct {
	Equivalent     bool                  `json:"equivalent"`
	Why            string                `json:"why,omitempty"` // why not
	Contract       Contract              `json:"contract"`
	Form           string                `json:"form"`
	Engine         string                `json:"engine"`
	Positions      int64                 `json:"positions"` // compared on the first input, each counted once
	Phases         int                   `json:"phases"`
	BitIdentical   bool                  `json:"bit_identical"`
	MaxAbsDiff     float64               `json:"max_abs_diff"`    // in real units where the output is quantised
	Bound          float64               `json:"bound"`           // what rounding may explain; 0 for integer outputs
	Band           model.Band            `json:"band"`            // measured, input pixels
	PatchAgreement *model.PatchAgreement `json:"patch_agreement"` // null where there are no patches to agree with
	OutputStride   [2]int                `json:"-"`
	Outputs        int                   `json:"-"`
	Inputs         int                   `json:"-"`
	Seed           uint64                `json:"seed,omitempty"` // where positions were sampled: which ones
	Sampled        bool                  `json:"sampled,omitempty"`
	Note           string                `json:"note,omitempty"` // what the comparison could not see
}

// Verify runs base, untouched, on crops of a frame, and compares every output
// with what dense gives for the whole frame. It reads base's graph to know
// where outputs lie; of dense it reads the manifest's contract and output
// stride at most. A report that says no is not an error.
func Verify(base, dense []byte, open edged.Opener, o VerifyOptions) (_ *Report, err error) {
	defer noPanic(&err)
	v, err := newVerification(base, dense, open, o)
	if err != nil {
		return nil, err
	}
	defer v.close()
	if err := v.run(); err != nil {
		var no *disproof
		if !errors.As(err, &no) {
			return nil, err
		}
		v.report.Equivalent, v.report.Why = false, no.why
	}
	return v.report, nil
}

// disproof ends a verification with the answer no.
type disproof struct{ why string }

func (d *disproof) Error() string { return "rewrite: not equivalent: " + d.why }

func disprovef(format string, args ...any) error { return &disproof{fmt.Sprintf(format, args...)} }

// verification is one run of Verify.
type verification struct {
	o      VerifyOptions
	open   edged.Opener
	report *Report
	net    *net
	q      pair
	frame  pair
	dense  edged.Engine
	oracle *oracle
	outs   []*compared
	inputs []probe
}

func newVerification(base, dense []byte, open edged.Opener, o VerifyOptions) (_ *verification, err error) {
	if o.Seed == 0 {
		o.Seed = 1605_07251 // the paper's number
	}
	v := &verification{o: o, open: open, report: &Report{BitIdentical: true, Sampled: o.Positions > 0}}
	if v.report.Sampled {
		v.report.Seed = o.Seed
	}
	m, err := model.Read(base)
	if err != nil {
		return nil, fmt.Errorf("rewrite: baseline: %w", err)
	}
	if err := v.promises(dense); err != nil {
		return nil, err
	}
	if v.dense, err = open(dense, proofOptions); err != nil {
		return nil, fmt.Errorf("rewrite: dense model: %w", err)
	}
	defer func() {
		if err != nil {
			v.close()
		}
	}()
	if base, m, err = v.cutLike(base, m); err != nil {
		return nil, err
	}
	if v.net, err = lift(m); err != nil {
		return nil, err
	}
	v.net.prune()
	if err = v.placeFrame(m); err != nil {
		return nil, err
	}
	v.report.Engine = v.dense.Name()
	if err = v.checkOutputs(); err != nil {
		return nil, err
	}
	v.oracle, err = v.newOracle(base)
	return v, err
}

func (v *verification) close() {
	if v.dense != nil {
		_ = v.dense.Close()
	}
	if v.oracle != nil {
		v.oracle.close()
	}
}

// promises takes output stride and contract from the options, else from
// dense's manifest.
func (v *verification) promises(dense []byte) error {
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
	if same || len(want) != len(v.dense.Outputs()) {
		if len(g.Outputs) != len(v.dense.Outputs()) {
			return nil, nil, disprovefErr("the dense model has %d outputs, the baseline %d, and their names do not match", len(v.dense.Outputs()), len(g.Outputs))
		}
		return base, m, nil
	}
	c := m.Clone()
	c.Subgraphs[0].Outputs = want
	c.SignatureDefs = nil
	c.Subgraphs[0].DropDead()
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
	if len(in) != 1 || len(in[0].Shape) != len(src.Shape) {
		return disprovefErr("the dense model's input does not have the baseline's layout %v", src.Shape)
	}
	for i, d := range v.net.inDims {
		for _, a := range d {
			if a != atomC {
				v.frame[a] = in[0].Shape[i]
			} else if in[0].Shape[i] != int(src.Shape[i]) {
				return disprovefErr("the dense model takes %d channels, the baseline %d", in[0].Shape[i], src.Shape[i])
			}
		}
	}
	for _, o := range v.net.outputs {
		if o.val == nil {
			return o.why
		}
	}
	if err := v.net.place(v.frame); err != nil {
		return err
	}
	d, err := v.net.densify(v.q)
	if err != nil {
		return err
	}
	for i, o := range v.net.outputs {
		v.outs = append(v.outs, v.newCompared(i, o, d))
	}
	return nil
}

// checkOutputs compares the promised shapes with what dense has.
func (v *verification) checkOutputs() error {
	for i, s := range v.dense.Outputs() {
		c := v.outs[i]
		if len(s.Shape) != 4 || s.Shape[0] != 1 || s.Shape[1] != c.size[0] || s.Shape[2] != c.size[1] || s.Shape[3] != c.val.ch {
			return v.no("output %q has shape %v; [1 %d %d %d] is what the contract says for this frame", s.Name, s.Shape, c.size[0], c.size[1], c.val.ch)
		}
		if s.Type != edged.DType(0) && typeName(c.val.typ) != s.Type.String() {
			return v.no("output %q is %s, the baseline's is %s", s.Name, s.Type, c.val.typ)
		}
	}
	return nil
}

func typeName(t model.TensorType) string { return t.String() }

// no remembers a disproof found before anything ran.
func (v *verification) no(format string, args ...any) error {
	if v.report.Why == "" {
		v.report.Why = fmt.Sprintf(format, args...)
	}
	return nil
}

func (v *verification) run() error {
	if v.report.Why != "" {
		return &disproof{v.report.Why}
	}
	if err := v.oracle.check(); err != nil {
		return err
	}
	v.inputs = v.probes()
	v.report.Inputs, v.report.Outputs = len(v.inputs), len(v.outs)
	if err := v.bounds(); err != nil {
		return err
	}
	plans := make([][]cropPlan, len(v.inputs))
	total := 0
	for i := range v.inputs {
		plans[i] = v.plan(i)
		total += len(plans[i])
	}
	done := 0
	for i, p := range v.inputs {
		if err := v.compareInput(i, p, plans[i], &done, total); err != nil {
			return err
		}
	}
	if err := v.verdict(); err != nil {
		return err
	}
	v.report.Equivalent = true
	v.report.Note = v.note()
	return v.agreement()
}

// Certificate is what a report says about dense, tied to dense's graph and to
// the baseline's file by their SHA-256.
func Certificate(dense *model.Model, baseSHA string, r *Report) (*model.Certificate, error) {
	graph, err := dense.GraphSHA256()
	if err != nil {
		return nil, err
	}
	return &model.Certificate{
		GraphSHA256: graph, BaselineSHA256: baseSHA, Equivalent: r.Equivalent,
		Contract: string(r.Contract), Form: r.Form, Engine: r.Engine, Positions: r.Positions, Phases: r.Phases,
		BitIdentical: r.BitIdentical, MaxAbsDiff: r.MaxAbsDiff, Bound: r.Bound, Band: r.Band, PatchAgreement: r.PatchAgreement,
	}, nil
}
