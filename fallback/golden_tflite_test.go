//go:build tflite && cgo && amd64

package fallback

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGoldenIsBuiltin holds the recorded digests against TFLite itself.
func TestGoldenIsBuiltin(t *testing.T) {
	got := map[string]string{}
	for name, data := range int8Graphs(t) {
		got[name] = digest(t, builtin, data)
	}
	if os.Getenv("EDGED_GOLDEN") == "write" {
		data, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(goldenFile, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(golden(t), got); d != "" {
		t.Errorf("recorded (-) and TFLite's (+): %s", d)
	}
}
