package commission

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"

	"edged/internal/atomicfile"
	"edged/internal/infile"
	"edged/model"
	"edged/rewrite"
)

// modelPattern is what a model that is brought may be called: a file beside the
// config, never a path.
var modelPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(\.[A-Za-z0-9_-]{1,32}){0,3}\.tflite$`)

const mostModels = 200 // that are listed

// models are the names of those beside the config.
func (d *Desk) models() []string {
	names := []string{}
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return names
	}
	for _, e := range entries {
		if e.Type().IsRegular() && modelPattern.MatchString(e.Name()) && len(names) < mostModels {
			names = append(names, e.Name())
		}
	}
	return names
}

// modelPath is where a model of a name lies.
func (d *Desk) modelPath(name string) (string, error) {
	if !modelPattern.MatchString(name) {
		return "", faultf(http.StatusBadRequest, "model %.100q: call it letters, digits, - and _, ending in .tflite", name)
	}
	return filepath.Join(d.dir, name), nil
}

// putModel takes a model over, once it has been read.
func (d *Desk) putModel(r *http.Request) (any, error) {
	path, err := d.modelPath(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	if !d.uploading.TryLock() {
		return nil, faultf(http.StatusConflict, "another model is on its way: wait for it")
	}
	defer d.uploading.Unlock()
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, d.cfg.Upload))
	if err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			return nil, err
		}
		return nil, faultf(http.StatusBadRequest, "the model did not arrive whole: %v", err)
	}
	about, err := describe(data)
	if err != nil {
		return nil, faultf(http.StatusUnprocessableEntity, "it is no model that edged reads: %v", err)
	}
	old, err := infile.Read(path, infile.Model)
	switch {
	case err == nil && bytes.Equal(old, data):
		return about, nil
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return nil, faultf(http.StatusConflict, "%s is there already, and is another: nothing is written over; choose another name", filepath.Base(path))
	}
	if err := atomicfile.Write(path, data); err != nil {
		return nil, err
	}
	return about, nil
}

func (d *Desk) getModel(r *http.Request) (any, error) {
	path, err := d.modelPath(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	data, err := infile.Read(path, infile.Model)
	if err != nil {
		return nil, faultf(http.StatusNotFound, "%v", err)
	}
	about, err := describe(data)
	if err != nil {
		return nil, faultf(http.StatusUnprocessableEntity, "%v", err)
	}
	return about, nil
}

// about is what the page needs to know of a model.
type about struct {
	SHA256   string          `json:"sha256"`
	Kind     string          `json:"kind"` // classifier, map or dense: made by edged rewrite
	Patch    []int           `json:"patch,omitempty"`
	Input    []int           `json:"input"` // shape
	Classes  int             `json:"classes"`
	Manifest *model.Manifest `json:"manifest"` // null: none
	Asks     []string        `json:"asks"`     // facts that it does not give
	Standing string          `json:"standing"` // of its certificate
}

func describe(data []byte) (*about, error) {
	m, err := model.Read(data)
	if err != nil {
		return nil, err
	}
	if len(m.Subgraphs) == 0 || len(m.Subgraphs[0].Inputs) == 0 || len(m.Subgraphs[0].Outputs) == 0 {
		return nil, errors.New("it has no input or no output")
	}
	g := m.Subgraphs[0]
	sum := sha256.Sum256(data)
	a := &about{SHA256: hex.EncodeToString(sum[:]), Kind: "map", Asks: []string{}}
	for _, n := range g.Tensors[g.Inputs[0]].Shape {
		a.Input = append(a.Input, int(n))
	}
	if shape := g.Tensors[g.Outputs[0]].Shape; len(shape) > 0 {
		a.Classes = int(shape[len(shape)-1])
	}
	if p, ok := rewrite.PatchSize(m, rewrite.Options{}); ok {
		a.Kind, a.Patch = "classifier", p[:]
	}
	a.facts(m)
	return a, nil
}

// facts notes what the model says of itself, and what it leaves open.
func (a *about) facts(m *model.Model) {
	f, err := m.Manifest()
	if err != nil || f == nil {
		f = &model.Manifest{}
	} else {
		a.Manifest = f
		a.Standing = string(m.Standing().Level)
	}
	if f.Form != "" {
		a.Kind = "dense"
	}
	for _, fact := range []struct {
		name  string
		there bool
	}{
		{"labels", len(f.Labels) > 0}, {"channel_order", f.Input.ChannelOrder != ""},
		{"range", len(f.Input.Mean) > 0 && len(f.Input.Scale) > 0}, {"meaning", f.Output.Meaning != ""}, {"grid", f.Grid != model.Grid{} || a.Kind == "classifier"}, // rewriting finds it
	} {
		if !fact.there {
			a.Asks = append(a.Asks, fact.name)
		}
	}
}

// modelOf is the file that a draft's model is: one beside the config, or one that
// the config itself names.
func (d *Desk) modelOf(name string) (string, error) {
	if path, err := d.modelPath(name); err == nil {
		return path, nil
	}
	if _, c, err := d.load(); err == nil && c != nil {
		for i := range c.Cameras {
			if near := draftOf(&c.Cameras[i], d.dir).Model; near == name {
				return c.Cameras[i].Model, nil
			}
		}
	}
	return "", faultf(http.StatusBadRequest, "model %.100q: name a file beside the config, or one that the config names", name)
}
