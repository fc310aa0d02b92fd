package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"edged/capture/belt"
	"edged/model"
	"edged/tflite"
)

// maxBytes is what a bundled net may weigh.
const maxBytes = 400_000

// exportAll writes every net as float32 and as int8, with its manifest, and
// judges the files.
func exportAll(o options, log io.Writer) (*results, error) {
	r := new(results)
	var nets []*candidate
	for _, name := range netNames {
		g, err := readGraph(o.work, name)
		if err != nil {
			return nil, err
		}
		r.torch = g.Torch
		for _, quantised := range []bool{false, true} {
			n, err := exportOne(o, g, quantised)
			if err != nil {
				return nil, err
			}
			defer n.engine.Close()
			nets = append(nets, n)
		}
		if err := copyFile(filepath.Join(o.out, "testdata", name+"_parity.bin"), filepath.Join(o.work, name+"_parity.bin")); err != nil {
			return nil, err
		}
	}
	if err := judge(testPlan, nets); err != nil {
		return nil, err
	}
	for _, n := range nets {
		fmt.Fprintf(log, "%s: %d bytes, clear %.4f, near a border %.4f\n", n.name, n.bytes, n.clear.balanced(), n.near.balanced())
		r.verdicts = append(r.verdicts, n.verdict)
	}
	return r, r.check()
}

func exportOne(o options, g *graph, quantised bool) (*candidate, error) {
	m, err := export(g, quantised)
	if err != nil {
		return nil, err
	}
	if err := m.SetManifest(manifest(g)); err != nil {
		return nil, err
	}
	tfl, err := m.Write()
	if err != nil {
		return nil, err
	}
	name := fileName(g.Name, quantised)
	if len(tfl) > maxBytes {
		return nil, fmt.Errorf("train: %s: %d bytes, at most %d may be bundled", name, len(tfl), maxBytes)
	}
	if err := os.WriteFile(filepath.Join(o.out, name), tfl, 0o644); err != nil {
		return nil, err
	}
	return openCandidate(tflite.Open, name, tfl)
}

func fileName(net string, quantised bool) string {
	if quantised {
		return "belt_" + net + "_int8.tflite"
	}
	return "belt_" + net + ".tflite"
}

// manifest says what the net expects and what its output means. Stride and
// origin of its grid follow from the graph; rewrite fills them in.
func manifest(g *graph) *model.Manifest {
	m := &model.Manifest{Schema: model.ManifestSchema, Labels: belt.Labels()}
	m.Input.ChannelOrder = "RGB"
	m.Input.Mean = []float64{g.Mean, g.Mean, g.Mean}
	m.Input.Scale = []float64{g.Scale, g.Scale, g.Scale}
	m.Output.Tensor = g.Layers[len(g.Layers)-1].Name
	m.Output.Meaning = "logits"
	return m
}

func copyFile(dst, src string) error {
	b, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return err
	}
	return os.WriteFile(dst, b, 0o644)
}
