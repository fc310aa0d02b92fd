package main

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	_ "image/jpeg" // pictures may be JPEG
	_ "image/png"  // or PNG
	"io/fs"
	"log/slog"
	"time"

	"edged"
	"edged/internal/atomicfile"
	"edged/internal/config"
	"edged/internal/infile"
	"edged/internal/maskpng"
	"edged/internal/pipeline"
	"edged/internal/stage"
	"edged/model"
)

// vision is infer's view of a model with a manifest: pictures in, masks out.
type vision struct {
	file   *stage.File
	path   string
	masked bool // a mask is asked for
	engine edged.Engine
	own    int // outputs of the engine that are the model's
	fit    string
	frame  *edged.Frame    // the picture; nil: an array was given
	stage  *pipeline.Stage // made when it is first needed
	facts  *model.Manifest // nil: the model has none
	output int             // the mask's, -1: the manifest decides
	whole  *edged.Mask     // of a picture that was cut into tiles
}

// lookup lays out prepare and mask from the model's manifest.
func (v *vision) lookup() error {
	if v.stage != nil {
		return nil
	}
	manifest, err := v.file.Model.Manifest()
	if err != nil {
		return err
	}
	v.facts = manifest
	cam := config.Camera{Fit: v.fit}
	if manifest != nil && manifest.Grid == (model.Grid{}) && v.classifier() {
		cam.Output = &config.Output{Stride: []float64{1, 1}} // one position has no grid
	}
	known, err := stage.GatherFacts(manifest, &cam)
	if err != nil {
		return fmt.Errorf("model %s: a picture or a mask needs a manifest; set one with 'edged manifest': %w", v.file.Name, err)
	}
	v.stage, err = stage.Surround(asMaps{v.engine}, v.own, v.output, &known, &cam, v.file.Model)
	return err
}

// classifier reports whether all that the model says is a list of classes.
func (v *vision) classifier() bool {
	outputs := v.engine.Outputs()[:v.own]
	return len(outputs) == 1 && isVector(outputs[0])
}

// feedPicture prepares a picture into the only input.
func (v *vision) feedPicture(path string) error {
	img, kind, err := infile.Image(path)
	if errors.As(err, new(*fs.PathError)) {
		return fmt.Errorf("input: %w", err)
	}
	if err != nil {
		return fmt.Errorf("neither a .npy tensor nor a PNG or JPEG picture: %w", err)
	}
	v.frame = frameOf(img)
	if err := v.answersOnce(); err != nil {
		return err
	}
	if err := v.lookup(); err != nil {
		return err
	}
	if v.tiled() {
		return nil
	}
	if err := v.stage.Prepare.Prepare(v.engine.Input(0), v.frame); err != nil {
		return fmt.Errorf("%s picture: %w", kind, err)
	}
	return nil
}

// tiled tells whether the picture is run tile by tile.
func (v *vision) tiled() bool { return v.fit == pipeline.Tile.String() && v.frame != nil }

// run runs the engine on what it was fed.
func (v *vision) run() (err error) {
	if !v.tiled() {
		return v.engine.Run()
	}
	v.whole, err = v.stage.Look(v.frame)
	return err
}

// mask is that of the last run.
func (v *vision) mask() *edged.Mask {
	if v.whole != nil {
		return v.whole
	}
	return v.stage.Mask.Make(v.engine.Output(v.stage.Output))
}

// answersOnce refuses a mask of a classifier, and planes, and warns of a picture
// of which a classifier sees a part.
func (v *vision) answersOnce() error {
	err := stage.RewriteFirst(v.path, v.file.Model, [2]int{v.frame.H, v.frame.W})
	s := v.engine.Inputs()[0].Shape
	if err == nil || !v.classifier() || v.masked || len(s) != 4 || s[3] != 1 && s[3] != 3 {
		return err
	}
	if v.fit == "crop" && (v.frame.H > s[1] || v.frame.W > s[2]) {
		slog.Warn("the answer is that of the picture's centre", "patch", fmt.Sprintf("%dx%d", s[1], s[2]), "picture", fmt.Sprintf("%dx%d", v.frame.H, v.frame.W), "for all of it", err.Error())
	}
	return nil
}

// frameOf copies a decoded picture.
func frameOf(img image.Image) *edged.Frame {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if g, ok := img.(*image.Gray); ok {
		return &edged.Frame{Pix: g.Pix, Stride: g.Stride, W: w, H: h, Format: edged.Gray}
	}
	rgba := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(rgba, rgba.Bounds(), img, b.Min, draw.Src)
	f := &edged.Frame{Pix: make([]byte, 3*w*h), Stride: 3 * w, W: w, H: h, Format: edged.RGB}
	for i := range w * h {
		copy(f.Pix[3*i:3*i+3], rgba.Pix[4*i:])
	}
	return f
}

// writeMask writes the mask of class ids as a PNG.
func (v *vision) writeMask(path string) ([]writtenFile, error) {
	if err := v.lookup(); err != nil {
		return nil, err
	}
	m := v.mask()
	var e maskpng.Encoder
	b, err := e.Encode(nil, m, 1, time.Now())
	if err != nil {
		return nil, err
	}
	if err := atomicfile.Write(path, b); err != nil {
		return nil, err
	}
	return []writtenFile{{path, v.engine.Outputs()[v.stage.Output].Name, "mask", []int{m.H, m.W}}}, nil
}
