package enginetest

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/model"
)

// finds holds, for every case that once differed, NNN.tflite, NNN.in (the
// inputs one after the other) and NNN.txt (what differed, and the dump).
//
//go:embed testdata/finds
var finds embed.FS

// Finds replays every kept find on open and on ref.
func Finds(t *testing.T, open, ref edged.Opener, tol Tolerance) {
	names, err := fs.Glob(finds, "testdata/finds/*.tflite")
	if err != nil || len(names) == 0 {
		t.Fatalf("no finds: %v", err)
	}
	for _, name := range names {
		c, err := readFind(strings.TrimSuffix(name, ".tflite"))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			d, err := c.compare(open, ref, tol, tol.steps("NET", ""))
			switch {
			case err != nil:
				t.Error(err)
			case d != "":
				t.Errorf("%s\n%s", d, c.dump())
			}
		})
	}
}

func readFind(path string) (*Case, error) {
	file, err := finds.ReadFile(path + ".tflite")
	if err != nil {
		return nil, err
	}
	in, err := finds.ReadFile(path + ".in")
	if err != nil {
		return nil, err
	}
	m, err := model.Read(file)
	if err != nil {
		return nil, err
	}
	c := &Case{Name: filepath.Base(path), Model: m, Bound: Bound{Floor: netFloor}}
	sg := m.Subgraphs[0]
	for _, id := range sg.Inputs {
		t := sg.Tensors[id]
		n := elems(t.Shape) * t.Type.Size()
		if n > len(in) {
			return nil, fmt.Errorf("%s.in is too short", path)
		}
		c.Inputs, in = append(c.Inputs, in[:n]), in[n:]
	}
	return c, nil
}

// keep writes a find below EDGED_KEEP under the next free number and says so.
func keep(c *Case, difference string) string {
	dir := os.Getenv("EDGED_KEEP")
	if dir == "" {
		return "set EDGED_KEEP to a folder to keep this find"
	}
	file, err := c.Model.Write()
	if err != nil {
		return err.Error()
	}
	for n := 1; ; n++ {
		path := filepath.Join(dir, fmt.Sprintf("%03d", n))
		if _, err := os.Stat(path + ".tflite"); err == nil {
			continue
		}
		text := fmt.Sprintf("%s: %s\n\n%s", c.Name, difference, c.dump())
		err := errors.Join(os.WriteFile(path+".tflite", file, 0o666), os.WriteFile(path+".in", bytes.Join(c.Inputs, nil), 0o666),
			os.WriteFile(path+".txt", []byte(text), 0o666))
		if err != nil {
			return err.Error()
		}
		return "kept as " + path
	}
}
