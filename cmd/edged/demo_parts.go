package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"edged"
	"edged/capture/belt"
	"edged/internal/avi"
	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
)

const (
	demoClipSeconds = 10
	demoClipFPS     = 15
	demoClipQuality = 95 // scratches are one or two pixels wide

	// demoScene is a belt whose first part has a defect and whose next ones have
	// none: in the ten seconds that are filmed the verdict changes twice.
	demoScene = "?seed=10&defects=0.05"
)

const (
	// demoLineScene is the belt as a line camera sees it: 480 rows a second.
	demoLineScene = "?seed=10&defects=0.3&line=1&size=640x32&fps=15"
	demoStrip     = 32
	demoPart      = "rows:480"
)

// filmBelt writes a clip of the belt.
func filmBelt(ctx context.Context, path string, seconds int) error {
	c, err := belt.Parse(belt.Prefix + demoScene)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	scene, err := belt.NewScene(c)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	out, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("demo: clip: %w", err)
	}
	defer out.Close()
	film, err := avi.NewWriter(out, c.W, c.H, demoClipFPS, demoClipQuality)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	var f edged.Frame
	for k := range uint64(seconds * demoClipFPS) {
		if err := ctx.Err(); err != nil {
			return nil // told to stop while filming: nothing is wrong
		}
		scene.Render(2*k, &f, nil) // the belt's own pace is twice the clip's
		if err := film.Add(pictureOf(&f)); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	if err := film.Close(); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return out.Close()
}

// demoInput is the part of the belt's 640x480 that the dense net looks at, as
// height and width, at every pixel.
var demoInput = [2]int{480, 640}

// demoModel rewrites the bundled patch classifier into its dense form: the
// very thing that edged is for.
func demoModel(o *demoOptions, dir string) (string, error) {
	if o.model != "" {
		return o.model, nil
	}
	data, err := nets.Read(nets.ValidInt8)
	if err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	base, err := model.Read(data)
	if err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	sum := sha256.Sum256(data)
	dense, err := rewrite.Rewrite(base, hex.EncodeToString(sum[:]), rewrite.Options{Input: demoInput})
	if err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	out, err := dense.Model.Write()
	if err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	path := filepath.Join(dir, "belt_dense.tflite")
	return path, os.WriteFile(path, out, 0o600)
}
