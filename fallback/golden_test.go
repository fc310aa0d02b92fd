package fallback

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/internal/kernel/cpu"
)

// goldenFile holds the SHA-256 of what TFLite's built-in kernels on amd64 give
// for every int8 graph of opGraphs. TestGoldenIsBuiltin, where TFLite is
// linked, holds the file against TFLite; EDGED_GOLDEN=write writes it.
var goldenFile = filepath.Join("testdata", "builtin_int8.json")

// digest runs a file on drawn inputs and hashes every output.
func digest(t *testing.T, opener edged.Opener, data []byte) string {
	t.Helper()
	e, err := opener(data, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	r := rand.New(rand.NewPCG(11, 12))
	for i := range e.Inputs() {
		for k := range e.Input(i) {
			e.Input(i)[k] = byte(r.Uint32())
		}
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for i := range e.Outputs() {
		h.Write(e.Output(i))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func golden(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	return want
}

// TestGolden: on every machine and in every kernel variant, int8 results are
// the bytes that TFLite's built-in kernels compute on amd64.
func TestGolden(t *testing.T) {
	want, files := golden(t), int8Graphs(t)
	for _, v := range cpu.Available() {
		t.Setenv(cpu.EnvVariable, string(v))
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if got := digest(t, Open, files[name]); got != want[name] {
				t.Errorf("%s, %s kernels: outputs differ from TFLite's", name, v)
			}
		}
	}
	if len(want) != len(files) || len(want) < 10 {
		t.Errorf("%d digests for %d graphs", len(want), len(files))
	}
}

func int8Graphs(t *testing.T) map[string][]byte {
	t.Helper()
	files := opGraphs(t)
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return !strings.HasSuffix(name, " int8") })
	return files
}
