package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"edged"
	"edged/capture/belt"
	"edged/fallback"
	"edged/model"
	"edged/train/data"
	"edged/train/nets"
)

func bundled(t *testing.T, name string) []byte {
	t.Helper()
	tfl, err := nets.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return tfl
}

// parity checks a bundled float32 net, and its int8 twin, against the logits that
// PyTorch gave for the same patches when the net was exported.
func parity(t *testing.T, net string, open edged.Opener) {
	raw, err := os.ReadFile("nets/testdata/" + net + "_parity.bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, quantised := range []bool{false, true} {
		e, err := open(bundled(t, fileName(net, quantised)), edged.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		pixels := e.Inputs()[0].Elems()
		n := len(raw) / (pixels + 4*belt.Classes)
		if n*(pixels+4*belt.Classes) != len(raw) || n < 5 {
			t.Fatalf("%s: %d bytes are no %d patches", net, len(raw), n)
		}
		logits := floats(raw[n*pixels:])
		for i := range n {
			got := logitsOf(t, e, raw[i*pixels:(i+1)*pixels])
			compareLogits(t, e, got, logits[i*belt.Classes:(i+1)*belt.Classes], quantised)
		}
	}
}

// compareLogits allows float32 its rounding. int8 may be off by a twentieth of the
// logits' range: it is no more than a guard, accuracy is judged elsewhere.
func compareLogits(t *testing.T, e edged.Engine, got []float64, want []float32, quantised bool) {
	t.Helper()
	bound := 1e-3
	if quantised {
		bound = 255 * float64(e.Outputs()[0].Quant.Scale) / 20
	}
	for c := range want {
		if math.Abs(got[c]-float64(want[c])) > bound {
			t.Errorf("%s, int8 %v: logit %d is %g, PyTorch gave %g", e.Name(), quantised, c, got[c], want[c])
		}
	}
}

func TestParityOfTheFallback(t *testing.T) {
	for _, net := range netNames {
		parity(t, net, fallback.Open)
	}
}

// accuracy judges the bundled nets on a few held-out belts: the card's claim, on
// less data.
func accuracy(t *testing.T, open edged.Opener, belts int) {
	t.Helper()
	var all []*candidate
	for _, name := range nets.Names() {
		c, err := openCandidate(open, name, bundled(t, name))
		if err != nil {
			t.Fatal(err)
		}
		defer c.engine.Close()
		all = append(all, c)
	}
	plan := testPlan
	plan.Belts = belts
	if err := judge(plan, all); err != nil {
		t.Fatal(err)
	}
	r := new(results)
	for _, c := range all {
		seen := 0
		for _, row := range c.clear {
			for _, n := range row {
				seen += n
			}
		}
		if seen < belts*plan.Frames*belt.Classes*plan.Clear/2 {
			t.Errorf("%s: judged on %d clear patches only", c.name, seen)
		}
		t.Logf("%s on %s: clear %.4f, near %.4f of %d", c.name, c.verdict.engine, c.clear.balanced(), c.near.balanced(), seen)
		r.verdicts = append(r.verdicts, c.verdict)
	}
	if err := r.check(); err != nil {
		t.Error(err)
	}
}

func TestAccuracyOnTheFallback(t *testing.T) { accuracy(t, fallback.Open, 8) }

// What the files promise apart from accuracy.
func TestBundledFiles(t *testing.T) {
	for _, name := range nets.Names() {
		tfl := bundled(t, name)
		if len(tfl) >= maxBytes {
			t.Errorf("%s: %d bytes", name, len(tfl))
		}
		m, err := model.Read(tfl)
		if err != nil {
			t.Fatal(err)
		}
		facts, err := m.Manifest()
		if err != nil || facts == nil || len(facts.Labels) != belt.Classes || facts.Input.ChannelOrder != "RGB" {
			t.Errorf("%s: manifest %+v, %v", name, facts, err)
		}
		if strings.Contains(name, "int8") {
			checkInteger(t, name, m)
		}
	}
	if _, err := nets.Read("other.tflite"); err == nil || !strings.Contains(err.Error(), nets.Valid) {
		t.Errorf("a net that is not there: %v", err)
	}
}

// checkInteger wants a full int8 net: no float tensor, and for each convolution a
// scale of its own for every output channel.
func checkInteger(t *testing.T, name string, m *model.Model) {
	g := m.Subgraphs[0]
	for _, x := range g.Tensors {
		if x.Type == model.TypeFloat32 {
			t.Errorf("%s: %s is float32", name, x.Name)
		}
	}
	for _, op := range g.Operators {
		if m.Code(op).Builtin != model.OpConv2D {
			continue
		}
		if w := g.Tensors[op.Inputs[1]]; len(w.Quantization.Scale) != int(w.Shape[0]) {
			t.Errorf("%s: %s has %d scales for %d channels", name, w.Name, len(w.Quantization.Scale), w.Shape[0])
		}
	}
}

func TestCheckFindsBrokenPromises(t *testing.T) {
	good, bad := verdict{name: "good"}, verdict{name: "bad"}
	for c := range belt.Classes {
		good.clear[c][c] = 100
		bad.clear[c][c], bad.clear[c][(c+1)%belt.Classes] = 94, 6
	}
	if err := (&results{verdicts: []verdict{good, good}}).check(); err != nil {
		t.Error(err)
	}
	if err := (&results{verdicts: []verdict{good, bad}}).check(); err == nil || !strings.Contains(err.Error(), "float32 has 1.0000") {
		t.Errorf("int8 that lost 6 %%: %v", err)
	}
	if err := (&results{verdicts: []verdict{bad, bad}}).check(); err == nil || !strings.Contains(err.Error(), "0.9400") {
		t.Errorf("94 %%: %v", err)
	}
	if err := (&results{verdicts: []verdict{{}, {}}}).check(); err == nil {
		t.Error("nets that were never judged passed")
	}
}

// The card in the repository is one that this program wrote.
func TestCardIsCurrent(t *testing.T) {
	text, err := os.ReadFile("nets/CARD.md")
	if err != nil {
		t.Fatal(err)
	}
	v := verdict{name: nets.Valid, bytes: len(bundled(t, nets.Valid)), engine: "e"}
	fresh := string(card(&results{torch: "t", verdicts: []verdict{v}}))
	for _, part := range []string{seeds(trainPlan), seeds(testPlan), strings.SplitAfter(fresh, "**Data.**")[0]} {
		if !strings.Contains(string(text), part) {
			t.Errorf("CARD.md lacks %q: run go run -tags tflite ./train", part)
		}
	}
	for _, name := range nets.Names() {
		if !strings.Contains(string(text), "## "+name) {
			t.Errorf("CARD.md says nothing of %s", name)
		}
	}
}

func TestSmallDump(t *testing.T) {
	p := data.Plan{Seed: 3, Belts: 1, Frames: 1, Clear: 1, Side: 9}
	path := t.TempDir() + "/crops.bin"
	n, err := writeCrops(path, p)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || n == 0 || info.Size() != int64(n*9*9*4) {
		t.Errorf("%d crops in %d bytes, %v", n, info.Size(), err)
	}
	if _, err := writeCrops(t.TempDir()+"/no/such", p); err == nil {
		t.Error("a folder that is not there was written to")
	}
}
