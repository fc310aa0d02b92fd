package rewrite

import (
	"fmt"
	"math"

	"edged"
)

// asRun runs dense once more as the daemon does, with the arithmetic that
// rounds more and is faster (Winograd), and tells how far it lies from the
// exact one. That difference is no fault of the graph: it is told, not judged,
// unless it is no number.
func (v *verification) asRun() error {
	e, err := v.open(v.file, edged.Options{Threads: proofOptions.Threads})
	if err != nil {
		return fmt.Errorf("rewrite: dense model: %w", err)
	}
	defer e.Close()
	copy(e.Input(0), v.inputs[0].data)
	copy(v.dense.Input(0), v.inputs[0].data)
	for _, x := range []edged.Engine{e, v.dense} {
		if err := x.Run(); err != nil {
			return fmt.Errorf("rewrite: dense model: %w", err)
		}
	}
	most := 0.0
	for i, s := range e.Outputs() {
		a, b := realValues(e.Output(i), s), realValues(v.dense.Output(i), s)
		for k := range a {
			if d := math.Abs(a[k] - b[k]); !(d <= most) {
				most = d
			}
		}
		if math.IsNaN(most) || math.IsInf(most, 0) {
			return disprovef("as the daemon runs it, output %q holds what is no number", s.Name)
		}
	}
	v.report.AsRunDiff = &most
	return nil
}

// holdsPatch refuses a frame on which no patch lies.
func holdsPatch(frame, patch pair) error {
	if frame[0] >= patch[0] && frame[1] >= patch[1] {
		return nil
	}
	return &Refusal{Reason: fmt.Sprintf("a frame of %s holds no patch of %s", sizeText(frame), sizeText(patch)), Instead: fmt.Sprintf("use --input %s or larger", sizeText(patch))}
}
