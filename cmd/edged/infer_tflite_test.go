//go:build tflite && cgo

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"edged"
	"edged/internal/daemontest"
	"edged/internal/noise"
	"edged/internal/npy"
	"edged/train/nets"
)

// infer adds nothing to what the engine computes: its files hold the engine's
// bytes. That the engine equals the C API is tested in tflite.
func TestInferWritesTheEnginesBytes(t *testing.T) {
	dir := t.TempDir()
	for _, engine := range []string{engineTFLite, engineTFLiteBuiltin, engineGo} {
		for _, net := range []string{nets.Valid, nets.ValidInt8} {
			model := daemontest.DenseFile(t, dir, net, 48, 56)
			data, err := os.ReadFile(model)
			if err != nil {
				t.Fatal(err)
			}
			e, err := openEngine(engine, data, edged.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			in := e.Inputs()[0]
			noise.Fill(e.Input(0), in.Type)
			x, y := filepath.Join(dir, "x.npy"), filepath.Join(dir, "y.npy")
			writeArray(t, x, &npy.Array{Type: npy.Type(in.Type.String()), Shape: in.Shape, Data: e.Input(0)})
			args := []string{"infer", model, "--in", x, "--out", y, "--engine", engine, "--threads", "1"}
			var stderr bytes.Buffer
			if code := run(context.Background(), args, io.Discard, &stderr); code != exitOK {
				t.Fatalf("%q: exit %d: %s", args, code, stderr.String())
			}
			if err := e.Run(); err != nil {
				t.Fatal(err)
			}
			got := readArray(t, y)
			out := e.Outputs()[0]
			if fmt.Sprint(got.Shape) != fmt.Sprint(out.Shape) || !bytes.Equal(got.Data, e.Output(0)) {
				t.Errorf("%s on %s: the file differs from the engine's output", net, engine)
			}
			e.Close()
		}
	}
}
