package main

import (
	"encoding/binary"
	"math"
	"os"
	"strings"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
)

// tiny is a net small enough to calculate by hand: a 1x1 convolution that sums
// the channels, a 2x2 pool, a mean, a dense layer.
const tiny = `{"name":"tiny","patch":3,"mean":128,"scale":0.0078125,"torch":"none","layers":[
 {"op":"conv","name":"sum","inputs":["input"],"stride":1,"padding":"SAME","relu":true,
  "w":{"offset":0,"shape":[1,1,1,3]},"b":{"offset":3,"shape":[1]},"range":[0,3.1]},
 {"op":"add","name":"twice","inputs":["sum","sum"],"relu":false,"range":[0,6.2]},
 {"op":"maxpool","name":"pool","inputs":["twice"],"k":2,"stride":1},
 {"op":"mean","name":"mean","inputs":["pool"]},
 {"op":"flatten","name":"flat","inputs":["mean"]},
 {"op":"dense","name":"logits","inputs":["flat"],"relu":false,
  "w":{"offset":4,"shape":[2,1]},"b":{"offset":6,"shape":[2]},"range":[-6,7]}]}`

func tinyGraph(t *testing.T, text string, weights ...float32) (*graph, error) {
	t.Helper()
	dir := t.TempDir()
	raw, err := binary.Append(nil, binary.LittleEndian, weights)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/tiny.json", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/tiny.bin", raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return readGraph(dir, "tiny")
}

func runPatch(t *testing.T, m *model.Model, pixels []byte) []float64 {
	t.Helper()
	tfl, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	e, err := fallback.Open(tfl, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return logitsOf(t, e, pixels)
}

// logitsOf runs a patch of RGB pixels and gives the real values of the output.
func logitsOf(t *testing.T, e edged.Engine, pixels []byte) []float64 {
	t.Helper()
	if e.Inputs()[0].Type == edged.Int8 {
		fillInt8(e.Input(0), pixels)
	} else {
		fillFloat(edged.View[float32](e.Input(0)), pixels)
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	spec := e.Outputs()[0]
	var out []float64
	if spec.Type == edged.Int8 {
		for _, v := range edged.View[int8](e.Output(0)) {
			out = append(out, float64(spec.Quant.Scale)*float64(int32(v)-spec.Quant.ZeroPoint))
		}
		return out
	}
	for _, v := range edged.View[float32](e.Output(0)) {
		out = append(out, float64(v))
	}
	return out
}

func TestExportByHand(t *testing.T) {
	g, err := tinyGraph(t, tiny, 1, 1, 1, 0.1, 1, -1, 0.5, 0)
	if err != nil {
		t.Fatal(err)
	}
	pixels := make([]byte, 27) // all 0: x = -1, the sum is below 0
	for c := range 3 {
		pixels[3*4+c] = 192 // the middle pixel: 0.5 each
	}
	// sum: relu(1.5+0.1) = 1.6 in the middle, 0 elsewhere; twice 3.2; every 2x2
	// window meets the middle, so the mean is 3.2; logits 3.2+0.5 and -3.2.
	want := []float64{3.7, -3.2}
	for _, quantised := range []bool{false, true} {
		m, err := export(g, quantised)
		if err != nil {
			t.Fatal(err)
		}
		bound := 1e-5
		if quantised {
			bound = 13.0 / 255 * 1.5 // the output's step, and the steps before it
		}
		for i, got := range runPatch(t, m, pixels) {
			if math.Abs(got-want[i]) > bound {
				t.Errorf("int8 %v: logit %d = %v, by hand %v", quantised, i, got, want[i])
			}
		}
	}
}

// What the int8 files promise: integer from end to end, a scale for every output
// channel of a convolution, input that is pixel - 128.
func TestInt8IsInteger(t *testing.T) {
	g, err := tinyGraph(t, tiny, 1, 1, 1, 0.1, 1, -1, 0.5, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, err := export(g, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range m.Subgraphs[0].Tensors {
		if x.Type == model.TypeFloat32 {
			t.Errorf("%s is float32", x.Name)
		}
	}
	in := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]]
	if q := in.Quantization; q.Scale[0] != 1.0/128 || q.ZeroPoint[0] != 0 {
		t.Errorf("input: %+v", q)
	}
}

func TestReadGraphSaysWhatIsWrong(t *testing.T) {
	if _, err := tinyGraph(t, tiny, 1, 1); err == nil || !strings.Contains(err.Error(), "outside") {
		t.Errorf("too few weights: %v", err)
	}
	if _, err := tinyGraph(t, `{"layers":`); err == nil {
		t.Error("half a document was read")
	}
	for old, says := range map[string]string{
		`"op":"mean"`:                           "no rule",
		`"name":"mean","inputs":["pool"]`:       "no such tensor",
		`"name":"twice","inputs":["sum","sum"]`: "no such tensor",
	} {
		text := strings.Replace(tiny, old, strings.NewReplacer(`"op":"mean"`, `"op":"median"`, `"pool"`, `"lake"`, `"sum","sum"`, `"sum","none"`).Replace(old), 1)
		g, err := tinyGraph(t, text, 1, 1, 1, 0.1, 1, -1, 0.5, 0)
		if err == nil {
			_, err = export(g, false)
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error that says %q", old, err, says)
		}
	}
}
