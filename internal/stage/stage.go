// Package stage lays out what surrounds a loaded model: the facts that its
// manifest or the config tells, the preparation before it, the mask behind it
// and the rules on that mask.
package stage

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"edged"
	"edged/internal/config"
	"edged/internal/infile"
	"edged/internal/pipeline"
	"edged/internal/tiles"
	"edged/model"
)

// Opener loads a model on the engine named; the program that knows the engines
// hands one in.
type Opener func(engine string, model []byte, o edged.Options) (edged.Engine, error)

// File is a model as it was read: whole, into memory of our own, because
// a file that shrinks while it is mapped kills the process.
type File struct {
	Name   string
	Data   []byte
	SHA256 string
	Model  *model.Model

	Standing model.Standing // of its certificate, set by Admit
}

// Admit says what f's certificate amounts to, and why f may not run where more
// is required, or where its size is open: engines would judge its place-holder. It
// is asked before anything runs f.
func (f *File) Admit(t config.Trust) error {
	if open := f.Model.OpenSize(); open != "" {
		return fmt.Errorf("model %s: %w", f.Name, NoSize(open))
	}
	f.Standing = f.Model.Standing(t.Keys...)
	if err := f.Standing.Meets(t.Required); err != nil {
		return &Refused{fmt.Errorf("model %s: %w", f.Name, err)}
	}
	return nil
}

// Refused is a model that is sound and does not run: it may not, or no engine has
// its operators.
type Refused struct{ Why error }

func (r *Refused) Error() string { return r.Why.Error() }

// Unwrap gives the reason.
func (r *Refused) Unwrap() error { return r.Why }

// Read reads and checks the file at path.
func Read(path string) (*File, error) {
	data, err := infile.Read(path, infile.Model)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, err := model.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	Remark(path, m)
	sum := sha256.Sum256(data)
	return &File{Name: filepath.Base(path), Data: data, SHA256: hex.EncodeToString(sum[:]), Model: m}, nil
}

// Open loads f on the camera's engine and lays out everything around it.
func Open(f *File, cam *config.Camera, open Opener, o edged.Options) (*pipeline.Stage, error) {
	if open := f.Model.OpenSize(); open != "" {
		return nil, fmt.Errorf("camera %s, model %s: %w", cam.Name, f.Name, NoSize(open))
	}
	if err := RewriteFirst(cmp.Or(cam.Model, f.Name), f.Model, pictureOf(cam)); err != nil {
		return nil, fmt.Errorf("camera %s, model %s: %w", cam.Name, f.Name, err)
	}
	manifest, err := f.Model.Manifest()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", f.Name, err)
	}
	known, err := GatherFacts(manifest, cam)
	if err != nil {
		return nil, fmt.Errorf("camera %s, model %s: %w", cam.Name, f.Name, err)
	}
	v, err := viewOf(f, known.tensor)
	if err != nil {
		return nil, err
	}
	o.Threads = cam.Threads
	e, err := open(cam.Engine, v.data, o)
	if err != nil {
		return nil, fmt.Errorf("camera %s, model %s: %w", cam.Name, f.Name, err)
	}
	s, err := v.surround(e, &known, cam, f.Model)
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("camera %s, model %s: %w", cam.Name, f.Name, err)
	}
	if manifest != nil && manifest.Sample != nil {
		if err := checkSample(s, manifest.Sample); err != nil {
			e.Close()
			return nil, fmt.Errorf("camera %s, model %s: sample: %w", cam.Name, f.Name, err)
		}
	}
	if cam.Line != nil {
		l, err := lined(s, &v, &known, cam, open, o)
		if err != nil {
			e.Close()
			return nil, fmt.Errorf("camera %s, model %s: %w", cam.Name, f.Name, err)
		}
		s = l
	}
	s.SHA256 = f.SHA256
	s.Model, s.Unfit, s.Certificate = f.Name, v.unfit, string(f.Standing.Level)
	return s, nil
}

// NoSize says that a picture finds no size in a model whose input has the
// signature open.
func NoSize(open string) error {
	return fmt.Errorf("its input has the signature %s and no size for a picture: give it with edged rewrite MODEL -o DENSE --input HxW", open)
}

// surround is Surround for a model with outputs behind its own.
func (v *view) surround(e edged.Engine, known *Facts, cam *config.Camera, m *model.Model) (*pipeline.Stage, error) {
	output := v.output
	if output < 0 {
		var err error
		if output, err = chooseOutput(e.Outputs()[:v.own], known.tensor); err != nil {
			return nil, err
		}
	}
	s, err := surround(e, known, cam, output, m)
	if err == nil {
		s.Watch = v.watched(e)
	}
	return s, err
}

// Surround builds what stands before and behind a loaded engine, whose first own
// outputs are those of m. output is the mask's, -1: the facts decide.
func Surround(e edged.Engine, own, output int, known *Facts, cam *config.Camera, m *model.Model) (*pipeline.Stage, error) {
	v := view{own: own, output: output}
	return v.surround(e, known, cam, m)
}

// DefaultThreshold is the probability from which on a position of an output with one
// channel is of class 1, where neither manifest nor config says.
const DefaultThreshold = 0.5

func surround(e edged.Engine, known *Facts, cam *config.Camera, output int, m *model.Model) (*pipeline.Stage, error) {
	inputs, outputs := e.Inputs(), e.Outputs()
	if len(inputs) != 1 {
		return nil, fmt.Errorf("the model has %d inputs: a camera feeds exactly one", len(inputs))
	}
	pc := prepareConfig(known, cam)
	if pc.Fit == pipeline.Tile {
		var err error
		if pc.Net, err = tiles.NetOf(m, outputs[output].Shape); err != nil {
			return nil, fmt.Errorf("fit = \"tile\": %w", err)
		}
	}
	prepare, err := pipeline.NewPreparer(pc, inputs[0])
	if err != nil {
		return nil, err
	}
	mask, err := pipeline.NewMasker(pipeline.MaskConfig{
		Meaning: known.meaning, Threshold: cmp.Or(known.threshold, DefaultThreshold), Classes: len(known.labels),
		Grid: known.grid, Rotate: cam.Rotate, Scores: needsScores(cam),
	}, outputs[output])
	if err != nil {
		return nil, err
	}
	return &pipeline.Stage{
		Engine: e, Prepare: prepare, Mask: mask, Output: output,
		Grid: known.grid, Labels: known.labels,
	}, nil
}

func prepareConfig(known *Facts, cam *config.Camera) pipeline.PrepareConfig {
	c := pipeline.PrepareConfig{Rotate: cam.Rotate, Order: known.order, Mean: known.mean, Scale: known.scale}
	if len(cam.ROI) == 4 {
		c.ROI = pipeline.Rect{X: cam.ROI[0], Y: cam.ROI[1], W: cam.ROI[2], H: cam.ROI[3]}
	}
	c.Fit, _ = pipeline.FitOf(cam.Fit)
	return c
}

// needsScores tells whether a rule looks at how sure the model is.
func needsScores(cam *config.Camera) bool {
	for _, r := range cam.Rules {
		if r.MinScore > 0 {
			return true
		}
	}
	return false
}
