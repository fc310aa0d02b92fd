package main

import (
	"edged/internal/atomicfile"
	"edged/internal/page"
)

// writeOverlay writes the picture with its mask on it, placed by the mask's grid.
func (v *vision) writeOverlay(path string) (writtenFile, error) {
	if err := v.lookup(); err != nil {
		return writtenFile{}, err
	}
	m := v.mask()
	if v.whole == nil {
		m.Grid = v.stage.Prepare.Place(v.stage.Grid, m.H, m.W)
	}
	b, err := encoderOf(path)(page.Overlay(v.frame, m))
	if err != nil {
		return writtenFile{}, err
	}
	return writtenFile{path, v.engine.Outputs()[v.stage.Output].Name, "overlay", []int{v.frame.H, v.frame.W}}, atomicfile.Write(path, b)
}
