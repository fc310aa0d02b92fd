package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"edged"
	"edged/internal/pipeline"
	"edged/internal/stage"
	"edged/model"
	"edged/rewrite"
)

// mostPictures is how many pictures of a folder a verification looks at, spread
// over the sorted names.
const mostPictures = 32

// picturesFor prepares a folder's pictures as dense's input: cropped, or resized
// where they are smaller.
func picturesFor(dir, path string, m *model.Model, dense []byte, open edged.Opener) ([]rewrite.Picture, error) {
	names, err := pictureNames(dir)
	if err != nil {
		return nil, err
	}
	e, err := open(dense, edged.Options{Threads: 1, Exact: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer e.Close()
	file := &stage.File{Name: path, Model: m}
	crop, resize := &vision{file: file, engine: e, own: len(e.Outputs()), fit: "crop"}, &vision{file: file, engine: e, own: len(e.Outputs()), fit: "resize"}
	var out []rewrite.Picture
	for _, name := range names {
		err := crop.feedPicture(name)
		if errors.Is(err, pipeline.ErrTooSmall) {
			err = resize.feedPicture(name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, rewrite.Picture{Name: filepath.Base(name), Data: slices.Clone(e.Input(0))})
	}
	return out, nil
}

// pictureNames are a folder's pictures, or mostPictures of them, evenly chosen.
func pictureNames(dir string) ([]string, error) {
	names, err := allPictures(dir)
	if err != nil {
		return nil, err
	}
	var some []string
	n := min(len(names), mostPictures)
	for i := range n {
		some = append(some, names[i*len(names)/n])
	}
	return some, nil
}

// printAgreement shows how far a dense net under the frame contract agrees with
// the classifier on patches.
func printAgreement(w io.Writer, a *model.PatchAgreement) {
	fmt.Fprintf(w, "on patches: outputs differ by up to %.4g on %d of them; %s\n", a.MaxAbsDiff, a.Patches, a.Says)
	if a.Confusion == nil {
		return
	}
	fmt.Fprintf(w, "  %-16s %8s %8s   what the dense net says there\n", "baseline says", "patches", "equal")
	for k, c := range a.Classes {
		if c.Patches > 0 {
			fmt.Fprintf(w, "  %-16s %8d %8d   %v\n", c.Class, c.Patches, c.Equal, a.Confusion[k])
		}
	}
}
