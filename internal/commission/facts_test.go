package commission

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
)

// nameless is a model whose manifest nobody finds any more.
func nameless(t *testing.T, data []byte) []byte {
	t.Helper()
	out := bytes.ReplaceAll(data, []byte("\x05\x00\x00\x00edged\x00"), []byte("\x05\x00\x00\x00other\x00"))
	if bytes.Equal(out, data) {
		t.Fatal("the model names no manifest")
	}
	return out
}

// A model that tells nothing is asked about; with the right facts it says what it
// says with its manifest, with wrong ones something else.
func TestFactsAreAskedFor(t *testing.T) {
	r := newRig(t, "")
	dir := filepath.Dir(r.path)
	daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	base, err := model.Read(nameless(t, net(t, nets.Valid)))
	if err != nil {
		t.Fatal(err)
	}
	dense, err := rewrite.Rewrite(base, strings.Repeat("0", 64), rewrite.Options{Input: [2]int{48, 56}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := dense.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	var a about
	code, body := r.ask(r.token, "PUT", "model/bare.tflite", data)
	if err := json.Unmarshal(body, &a); code != 200 || err != nil || a.Kind != "dense" || fmt.Sprint(a.Asks) != "[labels channel_order range meaning]" {
		t.Fatalf("%d %s", code, body)
	}
	r.live()
	r.get("POST", "record", nil, nil)
	try := func(d Draft) []tried {
		t.Helper()
		var said struct{ Results []tried }
		r.get("POST", "try", map[string]any{"draft": d, "frames": "recorded"}, &said)
		return said.Results
	}
	known := try(Draft{Model: "dense.tflite"})[0]
	bare := Draft{Model: "bare.tflite", Labels: []string{"a", "b", "c", "d", "e"}, Output: &Output{Meaning: "logits"}, Prepare: &Prepare{"RGB", []float64{128}, []float64{0.0078125}}}
	if got := try(bare)[0]; fmt.Sprint(got.Pixels) != fmt.Sprint(known.Pixels) {
		t.Errorf("%v, with the manifest %v", got.Pixels, known.Pixels)
	}
	bare.Prepare = &Prepare{"RGB", []float64{0}, []float64{1}}
	if got := try(bare)[0]; fmt.Sprint(got.Pixels) == fmt.Sprint(known.Pixels) {
		t.Errorf("a wrong range gives %v too", got.Pixels)
	}
	bare.Prepare = nil
	if code, body := r.ask(r.token, "POST", "try", []byte(`{"draft": {"model": "bare.tflite"}, "frames": "recorded"}`)); code != 422 || !strings.Contains(string(body), "labels") {
		t.Errorf("%d %s", code, body)
	}
}
