package main

import (
	"bufio"
	"os"

	"edged/train/data"
)

// What the nets learn from and what they are judged by. A training crop is wide
// enough for many overlapping patches; a test crop has one patch, its centre.
var (
	trainPlan = data.Plan{Seed: data.TrainSeed, Belts: 150, Frames: 3, Clear: 1, Near: 1, Side: 129}
	testPlan  = data.Plan{Seed: data.TestSeed, Belts: 120, Frames: 3, Clear: 4, Near: 1, Side: 65}
)

// writeCrops dumps a plan for Python: every crop is Side*Side RGB pixels, then
// Side*Side class ids, one byte each. It returns their number.
func writeCrops(path string, p data.Plan) (n int, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	err = p.Each(func(c *data.Crop) error {
		n++
		if _, err := w.Write(c.Pix); err != nil {
			return err
		}
		_, err := w.Write(c.Truth)
		return err
	})
	if err != nil {
		return n, err
	}
	if err := w.Flush(); err != nil {
		return n, err
	}
	return n, f.Close()
}
