package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"edged/internal/config"
	"edged/train/nets"
)

// The sample as it lies beside an installed edged runs the bundled net, rewritten as
// docs/8-upgrade.md says: what its tables say of a model is what that one's manifest says.
func TestSampleTakesTheBundledNet(t *testing.T) {
	dir := t.TempDir()
	base, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	net, dense, sample := filepath.Join(dir, nets.Valid), filepath.Join(dir, "dense.tflite"), filepath.Join(dir, "edged.toml")
	for path, data := range map[string][]byte{net: base, sample: config.Sample} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, diag bytes.Buffer
	if code := run(t.Context(), []string{"rewrite", net, "--input", "96x128", "--output-stride", "4", "-o", dense}, &out, &diag); code != 0 {
		t.Fatalf("rewrite: exit %d: %s", code, diag.String())
	}
	c, err := config.Load(sample, configEngines)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := checkModel(t.Context(), &c.Cameras[0], c); err != nil {
		t.Error(err)
	}
}
