//go:build tflite && runtimes

package runtimes

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/fallback"
	"edged/internal/enginetest"
	"edged/model"
	"edged/rewrite"
	"edged/tflite"
	"edged/train/nets"
)

// How far outputs may lie apart, as a share of an output's largest magnitude: two
// XNNPACKs sum in orders of their own; the Go engine as its suite allows nets. A few
// outputs amplify rounding (the pose nets' masks, on noise): where TensorFlow Lite's
// own two kernel sets part by more than amplified, their distance is the measure.
const (
	xnnpackBound = 1e-5
	goBound      = 1e-4
	amplified    = 1e-4
)

// job is a file with its inputs, and what runs of it said.
type job struct {
	name   string
	file   []byte
	inputs [][]byte
}

// bundled are the float32 nets that ship, and their dense nets in every form.
func bundled(t *testing.T) (jobs []job) {
	for _, name := range []string{nets.Valid, nets.Same} {
		file, err := nets.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, withNoise(t, name, file))
		for _, o := range []rewrite.Options{
			{Form: rewrite.Dilated, Contract: rewrite.Frame}, {Form: rewrite.Fragments, Contract: rewrite.Frame},
			{Form: rewrite.Shifts, Contract: rewrite.Frame}, {Form: rewrite.Windows, OutputStride: [2]int{16, 16}},
		} {
			o.Input = [2]int{72, 88}
			jobs = append(jobs, withNoise(t, fmt.Sprintf("%s, %s", name, o.Form), dense(t, file, o)))
		}
	}
	return jobs
}

// fromNPM are nets that people use, and dense nets of their encoders.
func fromNPM(t *testing.T) (jobs []job) {
	for _, c := range []struct {
		name string
		op   int // whose output ends the net
		q    int
	}{
		{"face_detection_short_range", 100, 2}, {"face_detection_full_range", 145, 4}, {"pose_landmark_lite", 130, 4}, {"pose_landmark_full", 130, 4},
	} {
		path := filepath.Join(cmp.Or(os.Getenv("DEPS"), "../../.deps"), "models", c.name+".tflite")
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v: make deps-test fetches it", err)
		}
		jobs = append(jobs, withNoise(t, c.name, file),
			withNoise(t, c.name+", dense", dense(t, file, rewrite.Options{OutputStride: [2]int{c.q, c.q}, Cuts: []string{cutAt(t, file, c.op)}})))
	}
	return jobs
}

// cutAt is the name of the output of the first convolution from operator op on.
func cutAt(t *testing.T, file []byte, op int) string {
	m, err := model.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	g := m.Subgraphs[0]
	for m.Code(g.Operators[op]).Builtin != model.OpConv2D {
		op++
	}
	return g.Tensors[g.Operators[op].Outputs[0]].Name
}

// drawn are random float32 nets, and those of their dense nets that there are.
func drawn(t *testing.T, count int) (jobs []job) {
	rewritten, n := 0, 0
	for seed := uint64(0); n < count; seed++ {
		c := enginetest.FloatNet(seed)
		if c.Size != nil {
			continue // of open size: LiteRT.js runs files at the size that they have
		}
		n++
		file, err := c.Model.Write()
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, job{c.Name, file, c.Inputs})
		if r, err := rewrite.Rewrite(c.Model, "00", rewrite.Options{}); err == nil {
			out, err := r.Model.Write()
			if err != nil {
				t.Fatal(err)
			}
			rewritten++
			jobs = append(jobs, withNoise(t, c.Name+", "+string(r.Form), out))
		}
	}
	t.Logf("%d random nets, %d of them rewritten", n, rewritten)
	if rewritten < count/10 {
		t.Errorf("%d of %d random nets have dense nets", rewritten, count)
	}
	return jobs
}

func dense(t *testing.T, base []byte, o rewrite.Options) []byte {
	t.Helper()
	m, err := model.Read(base)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rewrite.Rewrite(m, "00", o)
	if err != nil {
		t.Fatalf("%+v: %v", o, err)
	}
	file, err := r.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// withNoise is a file with inputs of -1 to 1.
func withNoise(t *testing.T, name string, file []byte) job {
	t.Helper()
	e, err := fallback.Open(file, edged.Options{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer e.Close()
	j := job{name: name, file: file}
	r := rand.New(rand.NewPCG(3, uint64(len(file))))
	for i, s := range e.Inputs() {
		if s.Type != edged.Float32 {
			t.Fatalf("%s: input %s is %v", name, s.Name, s.Type)
		}
		v := edged.View[float32](e.Input(i))
		for k := range v {
			v[k] = 2*r.Float32() - 1
		}
		j.inputs = append(j.inputs, bytes.Clone(e.Input(i)))
	}
	return j
}

// answers runs the jobs on LiteRT.js: for each the bytes of its outputs.
func answers(t *testing.T, jobs []job) [][][]byte {
	t.Helper()
	modules := filepath.Join(cmp.Or(os.Getenv("DEPS"), "../../.deps"), "litert", "node_modules")
	dir := t.TempDir()
	type input struct {
		File  string `json:"file"`
		Shape []int  `json:"shape"`
	}
	type task struct {
		Model  string  `json:"model"`
		Inputs []input `json:"inputs"`
		Out    string  `json:"out"`
	}
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var tasks []task
	for i, j := range jobs {
		m, err := model.Read(j.file)
		if err != nil {
			t.Fatal(err)
		}
		k := task{Model: write(fmt.Sprintf("%d.tflite", i), j.file), Out: filepath.Join(dir, fmt.Sprintf("%d.out", i))}
		for n, b := range j.inputs {
			in := input{File: write(fmt.Sprintf("%d.in%d", i, n), b)}
			for _, d := range m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[n]].Shape {
				in.Shape = append(in.Shape, int(d))
			}
			k.Inputs = append(k.Inputs, in)
		}
		tasks = append(tasks, k)
	}
	list, err := json.Marshal(tasks)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--experimental-wasm-relaxed-simd", "litert.mjs", modules, write("jobs.json", list))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v: make test-runtimes fetches LiteRT.js\n%s", err, errs.Bytes()[max(0, errs.Len()-2000):])
	}
	all := make([][][]byte, len(jobs))
	n := 0
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "{") {
			continue // what the library says of itself
		}
		var a struct {
			Error   string
			Outputs []struct{ Type string }
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil || n >= len(jobs) {
			t.Fatalf("answer %d of %d: %v: %s", n, len(jobs), err, line)
		}
		if a.Error != "" {
			t.Errorf("%s: LiteRT.js: %s", jobs[n].name, a.Error)
		}
		for i, o := range a.Outputs {
			if o.Type != "Float32Array" {
				t.Errorf("%s: output %d is a %s", jobs[n].name, i, o.Type)
			}
			b, err := os.ReadFile(fmt.Sprintf("%s%d", tasks[n].Out, i))
			if err != nil {
				t.Fatal(err)
			}
			all[n] = append(all[n], b)
		}
		n++
	}
	if n != len(jobs) {
		t.Fatalf("%d answers to %d files\n%s", n, len(jobs), errs.Bytes()[max(0, errs.Len()-2000):])
	}
	return all
}

// TestLiteRT: what edged reads and writes means the same to today's runtime.
func TestLiteRT(t *testing.T) {
	jobs := append(append(bundled(t), fromNPM(t)...), drawn(t, 50)...)
	theirs := answers(t, jobs)
	var c comparison
	for i, j := range jobs {
		c.compare(t, j, theirs[i])
	}
	t.Logf("%d files, %d outputs; %d of %d values bit-equal to TensorFlow Lite 2.9 + XNNPACK; farthest: tflite %.3g, go %.3g of an output's range; %d outputs amplify rounding",
		len(jobs), c.outputs, c.same, c.elements, c.worst[0], c.worst[1], c.amplify)
	if c.amplify > c.outputs/20 {
		t.Errorf("%d of %d outputs amplify rounding: the bounds mean little", c.amplify, c.outputs)
	}
}

// comparison counts what was compared.
type comparison struct {
	outputs, elements, same, amplify int
	worst                            [2]float64 // of outputs that do not amplify, by engine
}

// compare holds a file's outputs on both engines against LiteRT.js'.
func (c *comparison) compare(t *testing.T, j job, theirs [][]byte) {
	t.Helper()
	ours := [][][]byte{outputsOf(t, j, tflite.Open), outputsOf(t, j, fallback.Open)}
	builtin := outputsOf(t, j, tflite.OpenBuiltin)
	if len(theirs) != len(builtin) {
		t.Errorf("%s: %d outputs, LiteRT.js has %d", j.name, len(builtin), len(theirs))
		return
	}
	for k := range theirs {
		bounds := [2]float64{xnnpackBound, goBound}
		own, _, _ := distance(builtin[k], ours[0][k])
		if own > amplified {
			bounds = [2]float64{own, 2 * own}
			c.amplify++
		}
		c.outputs++
		for e, name := range []string{"tflite", "go"} {
			apart, equal, n := distance(ours[e][k], theirs[k])
			if e == 0 {
				c.elements, c.same = c.elements+n, c.same+equal
			}
			if own <= amplified {
				c.worst[e] = max(c.worst[e], apart)
			}
			if !(apart <= bounds[e]) {
				t.Errorf("%s on %s: output %d lies %.3g of its range from LiteRT.js', allowed %.3g", j.name, name, k, apart, bounds[e])
			}
		}
	}
}

// outputsOf runs a file on an engine.
func outputsOf(t *testing.T, j job, open edged.Opener) (out [][]byte) {
	t.Helper()
	e, err := open(j.file, edged.Options{})
	if err != nil {
		t.Fatalf("%s: %v", j.name, err)
	}
	defer e.Close()
	for k, b := range j.inputs {
		copy(e.Input(k), b)
	}
	if err := e.Run(); err != nil {
		t.Fatalf("%s on %s: %v", j.name, e.Name(), err)
	}
	for k := range e.Outputs() {
		out = append(out, bytes.Clone(e.Output(k)))
	}
	return out
}

// distance is how far two outputs lie apart, as a share of the largest magnitude,
// and how many of their elements are the same bits. Other lengths are infinitely
// far.
func distance(a, b []byte) (apart float64, equal, n int) {
	if len(a) != len(b) {
		return math.Inf(1), 0, 0
	}
	x, y := edged.View[float32](a), edged.View[float32](bytes.Clone(b))
	largest := 0.0
	for i := range x {
		d := math.Abs(float64(x[i]) - float64(y[i]))
		if math.IsNaN(d) {
			return math.Inf(1), equal, len(x)
		}
		apart, largest = max(apart, d), max(largest, math.Abs(float64(y[i])))
		if math.Float32bits(x[i]) == math.Float32bits(y[i]) {
			equal++
		}
	}
	if apart > 0 {
		apart /= max(largest, 1e-30)
	}
	return apart, equal, len(x)
}

// TestDistanceSees what it is to find.
func TestDistanceSees(t *testing.T) {
	bits := func(v ...float32) (b []byte) {
		for _, x := range v {
			u := math.Float32bits(x)
			b = append(b, byte(u), byte(u>>8), byte(u>>16), byte(u>>24))
		}
		return b
	}
	for _, c := range []struct {
		a, b []byte
		want float64
	}{
		{bits(1, 2), bits(1, 2), 0}, {bits(1, 2), bits(1, 4), 0.5}, {bits(0, 0), bits(0, 0), 0},
		{bits(1), bits(1, 2), math.Inf(1)}, {bits(float32(math.NaN())), bits(1), math.Inf(1)},
	} {
		if got, _, _ := distance(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: %g, want %g", c.a, c.b, got, c.want)
		}
	}
}
