package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edged/model"
)

// runEdged runs the program in this process.
func runEdged(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// save writes a model into a directory of the test's own.
func save(t *testing.T, m *model.Model) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "net.tflite")
	if err := writeModel(path, m); err != nil {
		t.Fatal(err)
	}
	return path
}

// twoStrides is a net of a convolution and a pool, both of stride 2, with VALID
// padding: eST 4, receptive field 3 + 2*(2-1) = 5.
func twoStrides() *model.Model {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 33, 21, 3)
	w := model.Const(b, "w", []int{8, 3, 3, 3}, make([]float32, 216))
	y := b.Conv2D(x, w, model.None, model.Conv2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2, Activation: model.ActRelu})
	y = b.MaxPool(y, model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 2, FilterWidth: 2, StrideH: 2, StrideW: 2})
	return b.Model(b.Name(y, "map"))
}

func TestInspectJSON(t *testing.T) {
	code, out, errs := runEdged("inspect", "--json", save(t, twoStrides()))
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d, stderr %q", code, errs)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	keys := []string{}
	for k := range got {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	want := []string{"inputs", "macs", "manifest", "operators", "outputs", "receptive_field", "stride", "weights_bytes"}
	if d := cmp.Diff(want, keys); d != "" {
		t.Errorf("keys (-want +got):\n%s", d)
	}
	var r inspection
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if *r.ReceptiveField != [2]int{5, 5} || *r.Stride != [2]int{4, 4} {
		t.Errorf("receptive field %v, stride %v", *r.ReceptiveField, *r.Stride)
	}
	const macs = 16 * 10 * 8 * 27 // output positions, channels, taps
	if r.MACs != macs || r.Operators[0].MACs != macs || r.Operators[1].MACs != 0 || r.WeightsBytes != 4*(216+8) {
		t.Errorf("%d MACs, operators %d and %d, %d bytes", r.MACs, r.Operators[0].MACs, r.Operators[1].MACs, r.WeightsBytes)
	}
	if *r.Operators[0].EST != [2]int{2, 2} || r.Operators[1].Op != "MAX_POOL_2D" || r.Operators[1].Index != 1 {
		t.Errorf("operators %+v", r.Operators)
	}
	if !slices.Equal(r.Outputs[0].Shape, []int32{1, 8, 5, 8}) || r.Outputs[0].Name != "map" {
		t.Errorf("output %v", r.Outputs[0])
	}
	if got["manifest"] != nil {
		t.Errorf("manifest %v", got["manifest"])
	}
}

func TestInspectForPeople(t *testing.T) {
	path := save(t, twoStrides())
	code, out, errs := runEdged("inspect", path)
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d, stderr %q", code, errs)
	}
	for _, want := range []string{"CONV_2D", "[1,8,5,8]", "receptive field  5 pixels", "output stride    4 pixels", "y 2, x 2", "manifest         none"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// loop is a model whose graph is no net: a WHILE over two more subgraphs.
func loop() *model.Model {
	m := twoStrides()
	g := m.Subgraphs[0]
	m.OperatorCodes = append(m.OperatorCodes, &model.OperatorCode{Builtin: model.OpWhile, Version: 1})
	g.Tensors = append(g.Tensors, &model.Tensor{Name: "n", Type: model.TypeInt32})
	id := int32(len(g.Tensors) - 1)
	g.Operators = append(g.Operators, &model.Operator{
		OpcodeIndex: uint32(len(m.OperatorCodes) - 1), Inputs: []int32{g.Outputs[0], -1}, Outputs: []int32{id},
		Options: &model.WhileOptions{CondSubgraphIndex: 1, BodySubgraphIndex: 1},
	})
	g.Outputs = append(g.Outputs, id)
	m.Subgraphs = append(m.Subgraphs, &model.Subgraph{Name: "body"})
	return m
}

// cyclic has an operator that reads what a later one writes.
func cyclic() *model.Model {
	m := twoStrides()
	ops := m.Subgraphs[0].Operators
	ops[0].Inputs[0] = ops[1].Outputs[0]
	return m
}

func TestInspectAnyGraph(t *testing.T) {
	for name, m := range map[string]*model.Model{
		"control flow":  loop(),
		"a cycle":       cyclic(),
		"no subgraph":   {Version: model.SchemaVersion},
		"no operator":   {Version: model.SchemaVersion, Subgraphs: []*model.Subgraph{{}}},
		"hostile names": hostileNames(),
	} {
		t.Run(name, func(t *testing.T) {
			path := save(t, m)
			svg := filepath.Join(t.TempDir(), "net.svg")
			for _, args := range [][]string{{"inspect", path}, {"inspect", "--json", path}, {"inspect", "--svg", svg, path}} {
				code, out, errs := runEdged(args...)
				if code != exitOK {
					t.Errorf("%q: exit %d, %s", args, code, errs)
				}
				if strings.ContainsRune(out, '\x1b') {
					t.Errorf("%q: a name in the file reaches the terminal as it is", args)
				}
			}
			checkXML(t, svg)
		})
	}
}

func hostileNames() *model.Model {
	m := twoStrides()
	for _, x := range m.Subgraphs[0].Tensors {
		x.Name = "<script>&\"'\x00\xff\x1b[31m" + x.Name
	}
	return m
}

// checkXML reads a picture as strictly as a viewer does, and counts its boxes.
func checkXML(t *testing.T, path string) (boxes int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return boxes
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "g" {
			boxes++
		}
	}
}

func TestInspectDrawsTheGraph(t *testing.T) {
	svg := filepath.Join(t.TempDir(), "net.svg")
	if code, _, errs := runEdged("inspect", "--svg", svg, save(t, twoStrides())); code != exitOK {
		t.Fatal(errs)
	}
	if n := checkXML(t, svg); n != 4 { // input, two operators, output
		t.Errorf("%d boxes", n)
	}
	b, _ := os.ReadFile(svg)
	for _, want := range []string{"3x3 s2", "[1,16,10,8]", `class="box e1"`, `class="box e2"`, "eST (input pixels)"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("no %q in the picture", want)
		}
	}
}

func TestInspectPlan(t *testing.T) {
	path := save(t, twoStrides())
	code, out, errs := runEdged("inspect", "--plan", path)
	if code != exitOK || !strings.Contains(out, "plan of go") || !strings.Contains(out, "each frame") {
		t.Errorf("exit %d, %s\n%s", code, errs, out)
	}
	code, out, errs = runEdged("inspect", "--plan", "--json", path)
	var r inspection
	if err := json.Unmarshal([]byte(out), &r); code != exitOK || err != nil || r.Plan == nil || len(r.Plan.Steps) < 2 {
		t.Errorf("exit %d, %s, %v, plan %+v", code, errs, err, r.Plan)
	}
	if code, _, errs := runEdged("inspect", "--plan", save(t, loop())); code != exitRefused || !strings.Contains(errs, "WHILE") {
		t.Errorf("a model that the engine refuses: exit %d, %s", code, errs)
	}
}

func TestInspectRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.tflite")
	os.WriteFile(text, []byte("this is no model at all"), 0o644)
	cut := filepath.Join(dir, "cut.tflite")
	b, err := twoStrides().Write()
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(cut, b[:len(b)-100], 0o644)
	for _, c := range []struct {
		path, want string
	}{
		{filepath.Join(dir, "absent.tflite"), "no such file"}, {text, "no .tflite file"}, {cut, "malformed"},
	} {
		code, out, errs := runEdged("inspect", c.path)
		if code != exitFailed || out != "" || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", c.path, code, out, errs)
		}
	}
}

// In fragments a position's neighbour is further away, and behind the way back
// as near as before.
func TestInspectFollowsFragments(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 33, 33, 1)
	w := model.Const(b, "w", []int{1, 2, 2, 1}, make([]float32, 4))
	y := b.Conv2D(x, w, model.None, model.Conv2DOptions{Padding: model.PaddingValid})
	y = b.SpaceToBatch(y, [2]int{2, 4}, [2][2]int{})
	y = b.Relu(b.Pad(y, [2]int{}, [2]int{1, 1}, [2]int{}, [2]int{}))
	y = b.MaxPool(y, model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 3, FilterWidth: 1, StrideW: 2})
	y = b.BatchToSpace(y, [2]int{2, 4}, [2][2]int{})
	y = b.Op(model.OpPack, &model.PackOptions{ValuesCount: 2}, y, y)
	m := b.Model(b.Name(y, "out"))
	f := &model.Manifest{Schema: model.ManifestSchema, OutputStride: [2]int{1, 2}, ReceptiveField: [2]int{5, 3}, Grid: model.Grid{Stride: [2]float64{1, 2}}}
	if err := m.SetManifest(f); err != nil {
		t.Fatal(err)
	}
	r := inspect(m)
	var got []string
	for _, o := range r.Operators {
		got = append(got, o.Op+" "+pairText(o.EST))
	}
	want := []string{"CONV_2D 1", "SPACE_TO_BATCH_ND 2x4", "PAD 2x4", "RELU 2x4", "MAX_POOL_2D 2x8", "BATCH_TO_SPACE_ND 1x2", "PACK -"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("eST (-want +got):\n%s", d)
	}
	if *r.Stride != [2]int{1, 2} || *r.ReceptiveField != [2]int{5, 3} {
		t.Errorf("grid %v, %v: the manifest's is not taken", r.Stride, r.ReceptiveField)
	}
}

func TestLayoutKeepsDistances(t *testing.T) {
	d := &drawing{}
	top := d.add(&drawNode{label: []string{"top"}})
	var last *drawNode
	for range 5 {
		n := d.add(&drawNode{label: []string{"n"}})
		d.connect(top, n)
		last = n
	}
	for range 3 {
		n := d.add(&drawNode{label: []string{"chain"}})
		d.connect(last, n)
		last = n
	}
	d.connect(top, last)
	d.arrange()
	for _, row := range d.rows {
		for i := 1; i < len(row); i++ {
			if least := gap(row[i-1], row[i]); row[i].x-row[i-1].x < least-1e-6 {
				t.Errorf("row %d: %g between two nodes, at least %g", row[i].row, row[i].x-row[i-1].x, least)
			}
		}
	}
	for _, n := range d.nodes {
		for _, to := range n.down {
			if to.row != n.row+1 {
				t.Errorf("an edge from row %d to row %d", n.row, to.row)
			}
		}
	}
}
