package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"edged"
	"edged/internal/daemon"
	"edged/internal/noise"
	"edged/tflite"
)

// delegateFlags are --delegate and its options.
type delegateFlags struct {
	library string
	options []string
}

func (d *delegateFlags) add(f *pflag.FlagSet) {
	f.StringVar(&d.library, "delegate", "", "hand operators to the external delegate in a library, `SO`; TensorFlow Lite computes the others")
	f.StringArrayVar(&d.options, "delegate-option", nil, "an option of the delegate, `KEY=VALUE`; repeats")
}

// engine is the name of the engine that the flags ask for, where --engine says asked.
func (d *delegateFlags) engine(asked string) (string, error) {
	if d.library == "" {
		if len(d.options) > 0 {
			return "", exitf(exitUsage, "--delegate-option: name the library with --delegate")
		}
		return asked, nil
	}
	if asked != engineAuto {
		return "", exitf(exitUsage, "--delegate and --engine %s: a delegate is an engine of its own; leave --engine out", asked)
	}
	path, err := filepath.Abs(d.library)
	if err != nil {
		return "", fmt.Errorf("--delegate %s: %w", d.library, err)
	}
	if _, err := os.Stat(path); err != nil {
		return "", exitf(exitUsage, "--delegate %s: %w", d.library, err)
	}
	options := map[string]string{}
	for _, o := range d.options {
		k, v, ok := strings.Cut(o, "=")
		if !ok || k == "" {
			return "", exitf(exitUsage, "--delegate-option %q: write KEY=VALUE", o)
		}
		options[k] = v
	}
	return tflite.External(path, options), nil
}

// How far a delegate's answers may lie from those of the built-in kernels on the
// trial's noise: accelerators compute in float16, and round bytes in their own way.
const (
	delegateShare = 1.0 / 32 // of an output's range
	delegateSteps = 8        // of bytes
)

// delegateAgrees runs a model on noise, on the delegate and on the built-in
// kernels. It is the trial's part: it happens in a child.
func delegateAgrees(data []byte, t daemon.Trial) error {
	var outputs [2][][]byte
	var specs []edged.Spec
	for i, name := range []string{t.Engine, engineTFLiteBuiltin} {
		e, err := openBare(name, data, edged.Options{Threads: t.Threads, MemoryLimit: t.Memory})
		if err != nil {
			return err
		}
		defer e.Close()
		for k, s := range e.Inputs() {
			noise.Fill(e.Input(k), s.Type)
		}
		if err := e.Run(); err != nil {
			return fmt.Errorf("engine %s: %w", name, err)
		}
		specs = e.Outputs()
		for k := range specs {
			outputs[i] = append(outputs[i], e.Output(k))
		}
	}
	for k, s := range specs {
		if apart := apartBy(s.Type, outputs[0][k], outputs[1][k]); apart != "" {
			return fmt.Errorf("engine %s: its answers are not the model's: output %s differs from that of TensorFlow Lite's own kernels by %s: it is not used", t.Engine, s.Name, apart)
		}
	}
	return nil
}

// apartBy says how far two outputs lie apart, empty where they agree.
func apartBy(typ edged.DType, got, want []byte) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d bytes", len(got)-len(want))
	}
	value, allowed, unit := func(b []byte, i int) float64 { return float64(b[i]) }, float64(delegateSteps), "steps"
	n := len(want)
	switch typ {
	case edged.Float32:
		value = func(b []byte, i int) float64 { return float64(edged.View[float32](b)[i]) }
		n /= 4
		lo, hi := 0.0, 0.0
		for i := range n {
			lo, hi = min(lo, value(want, i)), max(hi, value(want, i))
		}
		allowed, unit = delegateShare*(hi-lo), fmt.Sprintf("of a range of %.4g", hi-lo)
	case edged.Int8:
		value = func(b []byte, i int) float64 { return float64(int8(b[i])) }
	case edged.Uint8:
	default:
		allowed = 0
	}
	worst := 0.0
	for i := range n {
		d := math.Abs(value(got, i) - value(want, i))
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		worst = max(worst, d)
	}
	if worst <= allowed {
		return ""
	}
	return fmt.Sprintf("%.4g %s", worst, unit)
}
