package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"edged"
	"edged/internal/pipeline"
	"edged/model"
)

// modelFile is a model as it was read: whole, into memory of our own, because
// a file that shrinks while it is mapped kills the process.
type modelFile struct {
	name   string
	data   []byte
	sha256 string
	model  *model.Model
}

// readModel reads and checks the file at path.
func readModel(path string) (*modelFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, err := model.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	remark(path, m)
	sum := sha256.Sum256(data)
	return &modelFile{name: filepath.Base(path), data: data, sha256: hex.EncodeToString(sum[:]), model: m}, nil
}

// openStage loads f on the camera's engine and lays out everything around it.
func openStage(f *modelFile, cam *CameraConfig, o edged.Options) (*pipeline.Stage, error) {
	manifest, err := f.model.Manifest()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", f.name, err)
	}
	known, err := gatherFacts(manifest, cam)
	if err != nil {
		return nil, fmt.Errorf("camera %s, model %s: %w", cam.Name, f.name, err)
	}
	o.Threads = cam.Threads
	e, err := openEngine(cam.Engine, f.data, o)
	if err != nil {
		return nil, fmt.Errorf("camera %s, model %s: %w", cam.Name, f.name, err)
	}
	s, err := surround(e, &known, cam)
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("camera %s, model %s: %w", cam.Name, f.name, err)
	}
	s.Model = f.name
	return s, nil
}

// surround builds what stands before and behind a loaded engine.
func surround(e edged.Engine, known *facts, cam *CameraConfig) (*pipeline.Stage, error) {
	inputs, outputs := e.Inputs(), e.Outputs()
	if len(inputs) != 1 {
		return nil, fmt.Errorf("the model has %d inputs: a camera feeds exactly one", len(inputs))
	}
	output, err := chooseOutput(outputs, known.tensor)
	if err != nil {
		return nil, err
	}
	prepare, err := pipeline.NewPreparer(prepareConfig(known, cam), inputs[0])
	if err != nil {
		return nil, err
	}
	mask, err := pipeline.NewMasker(pipeline.MaskConfig{
		Meaning: known.meaning, Threshold: known.threshold, Classes: len(known.labels),
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

func prepareConfig(known *facts, cam *CameraConfig) pipeline.PrepareConfig {
	c := pipeline.PrepareConfig{Rotate: cam.Rotate, Order: known.order, Mean: known.mean, Scale: known.scale}
	if len(cam.ROI) == 4 {
		c.ROI = pipeline.Rect{X: cam.ROI[0], Y: cam.ROI[1], W: cam.ROI[2], H: cam.ROI[3]}
	}
	if cam.Fit == "resize" {
		c.Fit = pipeline.Resize
	}
	return c
}

// needsScores tells whether a rule looks at how sure the model is.
func needsScores(cam *CameraConfig) bool {
	for _, r := range cam.Rules {
		if r.MinScore > 0 {
			return true
		}
	}
	return false
}
