package main

import (
	"log/slog"
	"slices"
	"strings"

	"edged/model"
	"edged/rewrite"
)

// benchSize is at what size a net whose own is open is measured where none is
// named: that of most classifiers.
const benchSize = "224x224"

// giveSize gives the net the size named, where its own is open.
func (c *subject) giveSize(input string) error {
	open := c.model.OpenSize()
	if open == "" {
		if input != "" {
			return exitf(exitUsage, "%s: --input %s: the net's size is fixed; edged rewrite makes one of another size", c.path, input)
		}
		return nil
	}
	if input == "" {
		input = benchSize
		slog.Warn("the net's size is open: measured at a default", "model", c.path, "signature", open, "input", input, "another", "--input HxW")
	}
	size, err := parsePair("--input", input, false)
	if err != nil {
		return err
	}
	sized, err := rewrite.Sized(c.model, size)
	if err != nil {
		return err
	}
	if c.data, err = sized.Write(); err != nil {
		return err
	}
	c.model, err = model.ReadShared(c.data)
	return err
}

// kernelsDiffer is true of TFLite 2.9 without any fault of anybody.
const kernelsDiffer = "XNNPACK and TFLite's built-in kernels round integers differently by themselves, up to 0.2 % of a layer's values by one and more of a deep net's: their answers may differ without a fault"

// roundingNote says of an integer net on XNNPACK and on other kernels that
// they differ.
func roundingNote(m *model.Model, racers []*racer) string {
	integers := slices.ContainsFunc(m.Subgraphs[0].Tensors, func(t *model.Tensor) bool {
		return (t.Type == model.TypeInt8 || t.Type == model.TypeUint8) && m.Data(t) == nil
	})
	on := func(kernels string) bool {
		return slices.ContainsFunc(racers, func(r *racer) bool { return strings.HasSuffix(r.engine.Name(), kernels) })
	}
	if integers && on("xnnpack") && len(racers) > 1 {
		return kernelsDiffer
	}
	return ""
}
