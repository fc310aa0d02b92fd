package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"edged/internal/npy"
	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
)

// denseNet is a bundled net rewritten for an input of h by w, manifest and all.
func denseNet(name string, h, w int) ([]byte, error) {
	data, err := nets.Read(name)
	if err != nil {
		return nil, err
	}
	base, err := model.Read(data)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	dense, err := rewrite.Rewrite(base, hex.EncodeToString(sum[:]), rewrite.Options{Input: [2]int{h, w}})
	if err != nil {
		return nil, err
	}
	return dense.Model.Write()
}

// bareNet is denseNet without its manifest.
func bareNet(t *testing.T, h, w int) []byte {
	t.Helper()
	data, err := denseNet(nets.Valid, h, w)
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

// denseFile writes denseNet into a folder and returns its path.
func denseFile(t *testing.T, dir, net string, h, w int) string {
	t.Helper()
	data, err := denseNet(net, h, w)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "dense.tflite")
	writeFile(t, path, data)
	return path
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
	data, err := denseNet(args[1], h, w)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
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
