//go:build tflite

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"edged/model"
	"edged/tflite"
)

// segfaulting is a net on which TFLite 2.9 reads where nothing is: it computes
// an index from how bright the picture is, which GATHER does not compare with
// the length of its table. Noise, which trials are made of, is as bright as the
// index expects.
func segfaulting(t *testing.T) []byte {
	t.Helper()
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 48, 56, 3)
	number := func(v float32) model.Ref { return model.Const(b, "", []int{1}, []float32{v}) }
	w := model.Const(b, "w", []int{2, 1, 1, 3}, []float32{1, 0, 0, 0, 1, 0})
	logits := b.Conv2D(x, w, model.None, model.Conv2DOptions{StrideH: 1, StrideW: 1})
	bright := b.Mean(x, false, 1, 2, 3)
	far := b.Sub(b.Mul(bright, bright, model.ActNone), number(0.005), model.ActRelu)
	far = b.Minimum(b.Mul(far, number(1e14), model.ActNone), number(5e8))
	index := b.Op(model.OpCast, &model.CastOptions{InDataType: model.TypeFloat32, OutDataType: model.TypeInt32}, far)
	from := b.Op(model.OpGather, &model.GatherOptions{}, model.Const(b, "table", []int{4}, make([]float32, 4)), index)
	m, err := b.Build(b.Add(logits, from, model.ActNone))
	if err == nil {
		err = m.SetManifest(&model.Manifest{
			Schema: model.ManifestSchema, Labels: []string{"dark", "light"},
			Input:  model.Input{ChannelOrder: "RGB", Mean: []float64{127.5}, Scale: []float64{1 / 127.5}},
			Output: model.Output{Meaning: "logits"},
			Grid:   model.Grid{Stride: [2]float64{1, 1}},
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A real file that passes its trial and then segfaults TFLite, on a camera's
// frames: after three starts the last good model is back, its hash compared; with
// flipped bits in it, it is refused.
func TestAModelThatSegfaultsTFLiteGivesWay(t *testing.T) {
	config, good := lastGoodPlant(t)
	dir, bad := filepath.Dir(config), segfaulting(t)
	writeFile(t, filepath.Join(dir, "dense.tflite"), bad)
	if why := tflite.Unproven(bad); !strings.Contains(why, "GATHER") {
		t.Errorf("what the library may not survive: %q", why)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, config, bytes.Replace(text, []byte(`engine = "go"`), []byte(`engine = "tflite"`), 1))
	for n := range 3 {
		cmd, log := startAs(t, "edged", "run", "-c", config)
		err := cmd.Wait()
		if err == nil || !strings.Contains(log.String(), "SIGSEGV") || !strings.Contains(log.String(), "go-tflite") || strings.Contains(log.String(), "last good") {
			t.Fatalf("start %d ended with %v:\n%s", n+1, err, log)
		}
	}
	cmd, log := startAs(t, "edged", "run", "-c", config)
	log.await(t, "the last run ended because of a model", 1)
	log.await(t, "back to the last good model", 1)
	log.await(t, "sha256="+good.SHA256[:12], 2)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	kept := filepath.Join(dir, "state", "a.good.tflite")
	flipped, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	flipped[len(flipped)/2] ^= 8
	writeFile(t, kept, flipped)
	cmd, log = startAs(t, "edged", "run", "-c", config)
	if err := cmd.Wait(); err == nil || strings.Contains(log.String(), "model in use") || !strings.Contains(log.String(), "last good model") {
		t.Errorf("with flipped bits in the last good model: %v:\n%s", err, log)
	}
}
