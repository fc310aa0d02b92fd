package main

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"edged/capture/belt"
	"edged/train/data"
)

// results is everything that a card tells.
type results struct {
	torch    string
	verdicts []verdict
}

// The promises that the bundled nets keep: balanced accuracy on clear patches,
// and how much of it int8 may lose.
const (
	minAccuracy = 0.95
	maxLoss     = 0.01
)

// check fails where a net does not keep its promise. Verdicts come in pairs,
// float32 before int8.
func (r *results) check() error {
	var faults []error
	for i := 0; i+1 < len(r.verdicts); i += 2 {
		float, small := &r.verdicts[i], &r.verdicts[i+1]
		a, b := float.clear.balanced(), small.clear.balanced()
		if !(a >= minAccuracy) {
			faults = append(faults, fmt.Errorf("train: %s: balanced accuracy %.4f, want %.2f", float.name, a, minAccuracy))
		}
		if !(b >= a-maxLoss) {
			faults = append(faults, fmt.Errorf("train: %s: balanced accuracy %.4f, float32 has %.4f", small.name, b, a))
		}
	}
	return errors.Join(faults...)
}

// card is CARD.md.
func card(r *results) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `# The bundled nets

Patch classifiers for `+"`test:belt`"+`: a patch's label is the class of its centre pixel.
Classes: %s.

| net | built like | patch | total stride | padding |
|---|---|---|---|---|
| belt_valid | 3 convolutions, 3 strided max pools (3x3, 2x2, 2x2), 2 dense layers | 39x39 | 8 | VALID |
| belt_same | small ResNet: strided convolutions, 3 residual blocks, global average pool | 33x33 | 16 | SAME |

Input: RGB, (pixel - 128) / 128; int8 takes pixel - 128. Output: 5 logits. The int8
nets are fully integer: convolutions with one scale per output channel, dense layers
with one (TFLite 2.9 knows no other), int32 biases, int8 in and out, quantised after training.

**Data.** Rendered by capture/belt at 640x480, frames 0 to 999,999 of each seed at random.
Training: seeds %s, crops of %d pixels; int8 ranges come from them too.
Judged on: seeds %s, never trained on, never looked at to choose anything but
the architecture; per class and frame %d clear patches (the centre %d pixels or more from
the border of its class) and %d others.

**Again:** `+"`go run -tags tflite ./train`"+` (about ten minutes of one core; needs python3-torch).

**Made with** PyTorch %s, %s on %s/%s; judged with %s.

`, strings.Join(belt.Labels(), ", "), seeds(trainPlan), trainPlan.Side, seeds(testPlan),
		testPlan.Clear, data.Far, testPlan.Near, r.torch, runtime.Version(), runtime.GOOS, runtime.GOARCH, r.verdicts[0].engine)
	r.summary(&b)
	for i := range r.verdicts {
		r.verdicts[i].write(&b)
	}
	return []byte(b.String())
}

func seeds(p data.Plan) string {
	return fmt.Sprintf("%d to %d", p.Seed, p.Seed+uint64(p.Belts)-1)
}

// summary is accuracy per class, of clear patches.
func (r *results) summary(b *strings.Builder) {
	fmt.Fprintf(b, "| net | bytes | balanced | %s | near a border |\n|---|---|---|%s---|\n",
		strings.Join(belt.Labels(), " | "), strings.Repeat("---|", belt.Classes))
	for i := range r.verdicts {
		v := &r.verdicts[i]
		fmt.Fprintf(b, "| %s | %d | **%.2f %%** |", v.name, v.bytes, 100*v.clear.balanced())
		for c := range belt.Classes {
			fmt.Fprintf(b, " %.2f %% |", 100*v.clear.accuracy(c))
		}
		fmt.Fprintf(b, " %.2f %% |\n", 100*v.near.balanced())
	}
}

// write adds the confusion matrices of one net.
func (v *verdict) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n", v.name)
	for _, part := range []struct {
		title string
		m     *confusion
	}{{"Clear patches", &v.clear}, {"Patches near a border", &v.near}} {
		fmt.Fprintf(b, "\n%s: rows are true classes, columns what the net said.\n\n| | %s |\n|---|%s\n",
			part.title, strings.Join(belt.Labels(), " | "), strings.Repeat("---|", belt.Classes))
		for c, label := range belt.Labels() {
			fmt.Fprintf(b, "| %s |", label)
			for _, n := range part.m[c] {
				fmt.Fprintf(b, " %d |", n)
			}
			fmt.Fprintln(b)
		}
	}
}
