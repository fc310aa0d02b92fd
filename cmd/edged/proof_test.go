package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/model"
	"edged/train/nets"
)

// manifestOf reads a model's manifest.
func manifestOf(t *testing.T, path string) *model.Manifest {
	t.Helper()
	m, _, err := readGraph(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := m.Manifest()
	if err != nil || f == nil {
		t.Fatalf("%s: manifest %v, %v", path, f, err)
	}
	return f
}

// --certify writes what was found, and for which baseline; the weights stay,
// so the way back still gives the baseline's bytes.
func TestCertify(t *testing.T) {
	base := bundledNet(t, nets.ValidInt8)
	dense := daemontest.DenseFile(t, t.TempDir(), nets.ValidInt8, 48, 56)
	code, out, errs := runEdged("verify", base, dense, "--certify", "--engine", engineGo)
	if code != exitOK || !strings.HasPrefix(out, "EQUIVALENT under the patch contract: 180 positions") || !strings.Contains(out, "bit identical") {
		t.Fatalf("exit %d, %q, %s", code, out, errs)
	}
	want, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(want)
	c := manifestOf(t, dense).Certificate
	if c == nil || !c.Equivalent || !c.BitIdentical || c.BaselineSHA256 != hex.EncodeToString(sum[:]) || c.Positions != 180 || c.Version != version {
		t.Errorf("certificate %+v", c)
	}
	back := filepath.Join(t.TempDir(), "back.tflite")
	if code, _, errs := runEdged("rewrite", "--inverse", dense, "-o", back); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if got, _ := os.ReadFile(back); !bytes.Equal(got, want) {
		t.Error("the way back from a certified net gives another file")
	}
	if _, out, _ := runEdged("inspect", dense); !strings.Contains(out, "certificate") {
		t.Errorf("inspect shows no certificate:\n%s", out)
	}
}

// One weight that is not the baseline's: the verdict is on stdout, the reason
// on stderr, exit 3, and no certificate.
func TestADifferentWeightIsFound(t *testing.T) {
	base := bundledNet(t, nets.ValidInt8)
	dense := daemontest.DenseFile(t, t.TempDir(), nets.ValidInt8, 48, 56)
	m, _, err := readGraph(dense)
	if err != nil {
		t.Fatal(err)
	}
	g := m.Subgraphs[0]
	for _, op := range g.Operators {
		if m.Code(op).Builtin == model.OpConv2D {
			m.Data(g.Tensors[op.Inputs[1]])[0] ^= 0x40
			break
		}
	}
	if err := writeModel(dense, m); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(dense)
	if err != nil {
		t.Fatal(err)
	}
	code, out, errs := runEdged("verify", base, dense, "--certify", "--engine", engineGo)
	if code != exitRefused || !strings.HasPrefix(out, "NOT EQUIVALENT under the patch contract") || !strings.HasPrefix(errs, "edged: not equivalent: ") {
		t.Errorf("exit %d, %q, %s", code, out, errs)
	}
	if after, _ := os.ReadFile(dense); !bytes.Equal(before, after) {
		t.Error("a net that is not equivalent was written to")
	}
}

// What rewrite is told and what it finds is in the manifest.
func TestRewriteFillsTheManifest(t *testing.T) {
	dir := t.TempDir()
	facts, dense := filepath.Join(dir, "facts.json"), filepath.Join(dir, "dense.tflite")
	writeFile(t, facts, []byte(`{"schema": 1, "labels": ["ground", "steel", "line", "hole", "oil"]}`))
	code, out, errs := runEdged("rewrite", bundledNet(t, nets.Valid), "-o", dense, "--input", "64x80", "--output-stride", "2x4", "--manifest", facts)
	if code != exitOK || !strings.Contains(out, "then every (2, 4)") {
		t.Fatalf("exit %d, %q, %s", code, out, errs)
	}
	f := manifestOf(t, dense)
	if f.OutputStride != [2]int{2, 4} || f.Grid.Stride != [2]float64{2, 4} || f.Contract != "patch" || f.BaselineSHA256 == "" {
		t.Errorf("manifest %+v", f)
	}
	if strings.Join(f.Labels, " ") != "ground steel line hole oil" || f.Input.ChannelOrder == "" {
		t.Errorf("labels %q, input %+v: want those of the file, and the baseline's own input", f.Labels, f.Input)
	}
}

// --cut ends the net at a tensor, under that tensor's name.
func TestRewriteCut(t *testing.T) {
	base := bundledNet(t, nets.Valid)
	m, _, err := readGraph(base)
	if err != nil {
		t.Fatal(err)
	}
	g := m.Subgraphs[0]
	at := g.Tensors[g.Operators[0].Outputs[0]]
	dense := filepath.Join(t.TempDir(), "dense.tflite")
	code, out, errs := runEdged("rewrite", base, "-o", dense, "--cut", at.Name, "--contract", "frame", "--engine", engineGo)
	if code != exitOK || !strings.Contains(out, "output \""+at.Name+"\"") {
		t.Fatalf("exit %d, %q, %s", code, out, errs)
	}
	cut, _, err := readGraph(dense)
	if err != nil {
		t.Fatal(err)
	}
	if d := cut.Subgraphs[0]; len(d.Operators) >= len(g.Operators) || d.Tensors[d.Outputs[0]].Name != at.Name {
		t.Errorf("%d operators of %d, output %q", len(d.Operators), len(g.Operators), d.Tensors[d.Outputs[0]].Name)
	}
}

// The plan is a line for every output stride, and writes nothing even where -o
// names a file.
func TestRewritePlanWritesNothing(t *testing.T) {
	out := filepath.Join(t.TempDir(), "dense.tflite")
	code, text, errs := runEdged("rewrite", bundledNet(t, nets.ValidInt8), "-o", out, "--plan", "--input", "48x56", "--engine", engineGo)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, line := range []string{`(?m)^1x1 +\w+ +[\d.]+ +[\d.]+ MB +[\d.]+ kB +(about )?[\d.]+ ms +10x18$`, `(?m)^2x2 .* 5x9$`, `(?m)^4x4 .* 3x5$`, `(?m)^8x8 .* 2x3$`} {
		if !regexp.MustCompile(line).MatchString(text) {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("the plan wrote a file")
	}
}

func TestBenchForPeople(t *testing.T) {
	dense := daemontest.DenseFile(t, t.TempDir(), nets.ValidInt8, 48, 56)
	code, out, errs := runEdged("bench", dense, "--engine", engineGo, "--runs", "2", "--steps")
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{
		`(?m)^.*dense\.tflite on go \S+$`, `median [\d.]+ ms, 95 % within [\d.]+ ms, 2 runs`, `arena [\d.]+ MB`,
		`(?m)^ *# +OPERATOR +COMPUTED BY +MS +SHARE`, `(?m)CONV_2D .* [\d.]+ %`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

// What the doctor finds is ok, warn or FAIL; what is not ok has its fix below;
// the exit code is that of the worst.
func TestDoctorForPeople(t *testing.T) {
	config := filepath.Join(t.TempDir(), "edged.toml")
	writeFile(t, config, []byte("[node]\nnmae = \"n\"\n"))
	finding := regexp.MustCompile(`^(ok  |warn|FAIL)  [^:]+: .+((?:\n      .+)*)$`)
	for _, args := range [][]string{{"doctor"}, {"doctor", "-c", config}} {
		code, out, errs := runEdged(args...)
		if errs != "" || (code == exitFailed) != strings.Contains(out, "\nFAIL  ") || !strings.Contains(out, "ok    model canary go: ") {
			t.Errorf("%q: exit %d, stderr %q\n%s", args, code, errs, out)
		}
		if bad := strings.Contains(out, "FAIL  config: ") && strings.Contains(out, config+`:2:1: unknown key "nmae"`); bad != (len(args) > 1) {
			t.Errorf("%q: the fault of the config is told: %v\n%s", args, bad, out)
		}
		// A line that is not indented starts the next finding.
		for _, text := range strings.Split(regexp.MustCompile(`\n(\S)`).ReplaceAllString(strings.TrimSpace(out), "\x00$1"), "\x00") {
			m := finding.FindStringSubmatch(text)
			if m == nil || (m[1] == "ok  ") == strings.Contains(m[2], "\n      -> ") {
				t.Errorf("%q: no finding, or a fix where none is due: %q", args, text)
			}
		}
	}
}

// keyPair makes a key pair by the command and gives its path.
func keyPair(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "line1.key")
	code, out, errs := runEdged("key", "-o", path)
	if code != exitOK || !strings.Contains(out, "line1.key.pub: key ") {
		t.Fatalf("exit %d, %q, %s", code, out, errs)
	}
	return path
}

// --sign signs what --certify writes; the certificate then stands for whoever
// trusts the key, until somebody changes a fact.
func TestSignedCertificate(t *testing.T) {
	key, base := keyPair(t), bundledNet(t, nets.ValidInt8)
	dense := daemontest.DenseFile(t, t.TempDir(), nets.ValidInt8, 48, 56)
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("private key %v, %v", info.Mode(), err)
	}
	if code, _, errs := runEdged("key", "-o", key); code != exitFailed || !strings.Contains(errs, "never overwritten") {
		t.Errorf("a second key over the first: exit %d, %s", code, errs)
	}
	if code, _, errs := runEdged("verify", base, dense, "--sign", key, "--engine", engineGo, "--positions", "40"); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	pem, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	pub, err := model.ParsePublicKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := readGraph(dense)
	if err != nil {
		t.Fatal(err)
	}
	if s := m.Standing(pub); s.Level != model.Proved || s.SignedBy != model.Fingerprint(pub) || !s.Certificate.Sampled || s.Certificate.Positions != 40 {
		t.Errorf("%s (%s), signed by %q: %+v", s.Level, s.Why, s.SignedBy, s.Certificate)
	}
	f := manifestOf(t, dense)
	f.Labels[0], f.Labels[1] = f.Labels[1], f.Labels[0]
	if err := m.SetManifest(f); err != nil {
		t.Fatal(err)
	}
	if s := m.Standing(pub); s.Level != model.Invalid || !strings.Contains(s.Why, "facts") {
		t.Errorf("labels swapped: %s (%s)", s.Level, s.Why)
	}
	if code, _, errs := runEdged("verify", base, dense, "--sign", key+".pub"); code != exitFailed || !strings.Contains(errs, "edged key") {
		t.Errorf("a public key to sign with: exit %d, %s", code, errs)
	}
}

// A file that an older edged wrote is tested only: exit 3 and what to do, or 0
// and level tested where --black-box asks for no more.
func TestOlderFilesAreTestedOnly(t *testing.T) {
	base := bundledNet(t, nets.ValidInt8)
	dense := daemontest.DenseFile(t, t.TempDir(), nets.ValidInt8, 48, 56)
	m, _, err := readGraph(dense)
	if err != nil {
		t.Fatal(err)
	}
	f := manifestOf(t, dense)
	f.Rewriter = 0
	if err := m.SetManifest(f); err != nil {
		t.Fatal(err)
	}
	if err := writeModel(dense, m); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runEdged("verify", base, dense, "--engine", engineGo, "--certify", "--positions", "40")
	if code != exitRefused || !strings.HasPrefix(out, "TESTED ONLY") || !strings.Contains(errs, "rewrite it again") {
		t.Errorf("exit %d, %q, %s", code, out, errs)
	}
	if manifestOf(t, dense).Certificate != nil {
		t.Error("a test that nobody asked for was certified")
	}
	code, out, errs = runEdged("verify", base, dense, "--engine", engineGo, "--certify", "--positions", "40", "--black-box", "--json")
	if code != exitOK || !strings.Contains(out, `"level": "tested"`) || !strings.Contains(out, `"equivalent": true`) {
		t.Errorf("exit %d, %q, %s", code, out, errs)
	}
	if c := manifestOf(t, dense).Certificate; c == nil || c.Level != model.Tested {
		t.Errorf("certificate %+v", c)
	}
}

// With pictures the frame contract's agreement is counted per class; without,
// no share is told.
func TestAgreementNeedsPictures(t *testing.T) {
	base, dir := bundledNet(t, nets.SameInt8), t.TempDir()
	dense := filepath.Join(dir, "dense.tflite")
	code, _, errs := runEdged("rewrite", base, "-o", dense, "--input", "96x96", "--contract", "frame", "--output-stride", "4", "--engine", engineGo)
	if code != exitOK || !strings.Contains(errs, "not measured") || strings.Contains(errs, "%") {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for name, source := range map[string]string{"a.png": "test:belt?seed=1&size=160x120", "b.png": "test:belt?seed=2&size=80x64"} { // one is smaller than the net's input
		writeFile(t, filepath.Join(dir, name), beltPicture(t, source))
	}
	code, out, errs := runEdged("verify", base, dense, "--engine", engineGo, "--positions", "50", "--images", dir)
	if code != exitOK || !strings.Contains(out, "baseline says") || !strings.Contains(out, "by theory no position has to agree") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
	for _, c := range []struct{ dir, says string }{{t.TempDir(), "no PNG or JPEG"}, {filepath.Join(dir, "absent"), "no such file"}} {
		if code, _, errs := runEdged("verify", base, dense, "--images", c.dir, "--engine", engineGo); code != exitFailed || !strings.Contains(errs, c.says) {
			t.Errorf("%s: exit %d, %s", c.dir, code, errs)
		}
	}
}
