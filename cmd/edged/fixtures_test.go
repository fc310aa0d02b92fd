package main

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"edged/internal/daemontest"
	"edged/internal/npy"
	"edged/model"
	"edged/train/nets"
)

// bareNet is a dense net without its manifest.
func bareNet(t *testing.T, h, w int) []byte {
	t.Helper()
	data, err := daemontest.DenseNet(nets.Valid, h, w)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	m.Metadata = nil
	if data, err = m.Write(); err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// scriptDense writes a rewritten bundled net: dense FILE NET HEIGHT WIDTH.
func scriptDense(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: dense file net height width")
	}
	h, err := strconv.Atoi(args[2])
	ts.Check(err)
	w, err := strconv.Atoi(args[3])
	ts.Check(err)
	data, err := daemontest.DenseNet(args[1], h, w)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

// scriptBase writes a bundled net as it is: base FILE NET.
func scriptBase(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: base file net")
	}
	data, err := nets.Read(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

// scriptFill writes a dense net with one value in all weights (1) or in the
// whole bias (2) of its last layer: fill IN OUT 1|2 VALUE.
func scriptFill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: fill in out input value")
	}
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	input, err := strconv.Atoi(args[2])
	ts.Check(err)
	value, err := strconv.ParseFloat(args[3], 32)
	ts.Check(err)
	data, err = daemontest.Altered(data, input, func(w []float32) {
		for i := range w {
			w[i] = float32(value)
		}
	})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o644))
}

// scriptArray writes a .npy of noise: array FILE TYPE N,N,...
func scriptArray(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: array file type n,n,...")
	}
	a := npy.Array{Type: npy.Type(args[1])}
	n := a.Type.Size()
	for field := range strings.SplitSeq(args[2], ",") {
		d, err := strconv.Atoi(field)
		ts.Check(err)
		a.Shape = append(a.Shape, d)
		n *= d
	}
	a.Data = make([]byte, n) // zeros are as good as any number here
	var b bytes.Buffer
	ts.Check(npy.Write(&b, &a))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}
