package rewrite

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"edged/fallback"
	"edged/model"
)

// both gives a net and its dense form as files.
func both(t *testing.T, m *model.Model, o Options) (base, dense []byte) {
	t.Helper()
	base, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	r, err := Rewrite(m, "00", o)
	if err != nil {
		t.Fatal(err)
	}
	dense, err = r.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	return base, dense
}

func verified(t *testing.T, base, dense []byte, o VerifyOptions) *Report {
	t.Helper()
	r, err := Verify(base, dense, fallback.Open, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestVerifyRefusesVacuousProofs: a net that always says the same is equal to
// anything of its kind.
func TestVerifyRefusesVacuousProofs(t *testing.T) {
	m := written(t, poolNet(1, model.TypeFloat32, 40, 36))
	for _, s := range m.Subgraphs[0].Tensors {
		if s.Name == "w4" {
			m.Buffers[s.Buffer] = &model.Buffer{Data: make([]byte, len(m.Data(s)))}
		}
	}
	base, dense := both(t, m, Options{})
	if r := verified(t, base, dense, VerifyOptions{}); r.Equivalent || !strings.Contains(r.Why, "vacuous") {
		t.Errorf("report %+v; want a vacuous proof refused", *r)
	}
}

// TestVerifyCountsEveryPosition: all of them by default, and exactly N spread
// over every phase with Positions.
func TestVerifyCountsEveryPosition(t *testing.T) {
	base, dense := both(t, poolNet(1, model.TypeInt8, 40, 36), Options{})
	if r := verified(t, base, dense, VerifyOptions{}); r.Positions != 19*15 || r.Phases != 64 || r.Sampled {
		t.Errorf("all: %+v", *r)
	}
	r := verified(t, base, dense, VerifyOptions{Positions: 100})
	if r.Positions != 100 || r.Phases != 64 || !r.Sampled || !r.Equivalent {
		t.Errorf("100 positions: %+v", *r)
	}
	if r := verified(t, base, dense, VerifyOptions{Positions: 10}); r.Positions != 10 || r.Phases != 10 {
		t.Errorf("10 positions: %+v", *r)
	}
}

// TestVerifyFindsOneWrongWeight in the dense file, sampled or not.
func TestVerifyFindsOneWrongWeight(t *testing.T) {
	m := poolNet(1, model.TypeInt8, 40, 36)
	base, dense := both(t, m, Options{})
	d, err := model.Read(dense)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range d.Subgraphs[0].Tensors {
		if s.Name == "w3" {
			b := slices.Clone(d.Data(s))
			b[0] ^= 0x40
			d.Buffers[s.Buffer] = &model.Buffer{Data: b}
		}
	}
	wrong, err := d.Write()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int64{0, 64} {
		if r := verified(t, base, wrong, VerifyOptions{Positions: n, BlackBox: true}); r.Equivalent || r.MaxAbsDiff == 0 {
			t.Errorf("positions %d: a wrong weight passed: %+v", n, *r)
		}
	}
}

// TestReportsOfWildOutputsAreJSON: infinities and NaN in a broken file end in a
// report that says no, not in an error.
func TestReportsOfWildOutputsAreJSON(t *testing.T) {
	base, dense := both(t, poolNet(1, model.TypeFloat32, 40, 36), Options{})
	d, err := model.Read(dense)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range d.Subgraphs[0].Tensors {
		if s.Name == "w4/bias" {
			d.Buffers[s.Buffer] = &model.Buffer{Data: bytes.Repeat([]byte{0, 0, 0xc0, 0x7f}, len(d.Data(s))/4)}
		}
	}
	wild, err := d.Write()
	if err != nil {
		t.Fatal(err)
	}
	r := verified(t, base, wild, VerifyOptions{BlackBox: true})
	if _, err := json.Marshal(r); err != nil || r.Equivalent {
		t.Errorf("%+v: %v", *r, err)
	}
}

// TestVerifyNeedsToKnowThePromise: a dense model without a manifest must come
// with flags.
func TestVerifyNeedsToKnowThePromise(t *testing.T) {
	base, dense := both(t, poolNet(1, model.TypeInt8, 40, 36), Options{})
	d, err := model.Read(dense)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SetManifest(nil); err != nil {
		t.Fatal(err)
	}
	bare, err := d.Write()
	if err != nil {
		t.Fatal(err)
	}
	var usage *UsageError
	if _, err := Verify(base, bare, fallback.Open, VerifyOptions{}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "--output-stride") {
		t.Errorf("error %v, want the missing flag", err)
	}
	if _, err := Verify(base, bare, fallback.Open, VerifyOptions{OutputStride: [2]int{1, 1}}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "--contract") {
		t.Errorf("error %v, want the missing flag", err)
	}
	if r := verified(t, base, bare, VerifyOptions{OutputStride: [2]int{1, 1}, Contract: Frame, BlackBox: true}); !r.Equivalent || r.Level != Tested {
		t.Errorf("with flags: %s", r.Why)
	}
	if r := verified(t, base, bare, VerifyOptions{OutputStride: [2]int{1, 1}, Contract: Frame}); r.Equivalent || r.Level != Tested || !strings.Contains(r.Why, "rewrite it again") {
		t.Errorf("without a manifest: %s, %s", r.Level, r.Why)
	}
	if r := verified(t, base, bare, VerifyOptions{OutputStride: [2]int{2, 2}, Contract: Frame}); r.Equivalent {
		t.Error("a dense model of stride 1 passed as one of stride 2")
	}
}

// TestMeasuredBandLiesInThePredictedOne, which is formula B3's.
func TestMeasuredBandLiesInThePredictedOne(t *testing.T) {
	for name, m := range map[string]*model.Model{"resnet": resNetLike(), "passes": passNet()} {
		o := Options{Input: [2]int{76, 81}}
		r, err := Rewrite(m, "00", o)
		if err != nil {
			t.Fatal(err)
		}
		base, dense := both(t, m, o)
		p, b := r.Outputs[0].Band, verified(t, base, dense, VerifyOptions{}).Band
		if b.Top > p.Top || b.Left > p.Left || b.Bottom > p.Bottom || b.Right > p.Right {
			t.Errorf("%s: measured band %+v outside the predicted %+v", name, b, p)
		}
		if b == (model.Band{}) {
			t.Errorf("%s: no band was found on a padded net", name)
		}
	}
}

// TestCertificateChangesNothingElse and names the graph it was made for.
func TestCertificateChangesNothingElse(t *testing.T) {
	base, dense := both(t, poolNet(1, model.TypeInt8, 40, 36), Options{})
	d, err := model.Read(dense)
	if err != nil {
		t.Fatal(err)
	}
	before, err := d.GraphSHA256()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Certificate(d, "ab", verified(t, base, dense, VerifyOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	f.Certificate = c
	if err := d.SetManifest(f); err != nil {
		t.Fatal(err)
	}
	after, err := written(t, d).GraphSHA256()
	if err != nil || before != after || c.GraphSHA256 != before || !c.Equivalent || c.BaselineSHA256 != "ab" {
		t.Errorf("graph %s, then %s; certificate %+v; %v", before, after, *c, err)
	}
}

// TestReportHasTheContractsKeys of edged verify --json.
func TestReportHasTheContractsKeys(t *testing.T) {
	b, err := json.Marshal(Report{PatchAgreement: &model.PatchAgreement{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"equivalent", "contract", "form", "engine", "positions", "phases", "bit_identical", "max_abs_diff", "bound",
		"level", "sampled", "as_run_max_abs_diff", "band", "top", "left", "bottom", "right", "patch_agreement", "equal_classes"} {
		if !bytes.Contains(b, []byte(`"`+k+`"`)) {
			t.Errorf("no %q in %s", k, b)
		}
	}
}

// TestPlanPricesEveryStride: finer strides cost more, and one line each.
func TestPlanPricesEveryStride(t *testing.T) {
	lines, err := Plan(poolNet(1, model.TypeInt8, 40, 36), "00", Options{}, fallback.Open)
	if err != nil {
		t.Fatal(err)
	}
	var q []int
	for i, l := range lines {
		q = append(q, l.OutputStride[0])
		if l.MACs <= 0 || l.ActivationBytes <= 0 || l.FileBytes <= 0 || l.EstimatedMS <= 0 || l.Form == "" {
			t.Errorf("line %+v", l)
		}
		if i > 0 && l.MACs >= lines[i-1].MACs {
			t.Errorf("stride %v costs no less than %v", l.OutputStride, lines[i-1].OutputStride)
		}
	}
	if !slices.Equal(q, []int{1, 2, 4, 8}) {
		t.Errorf("strides %v", q)
	}
}
