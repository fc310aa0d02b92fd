package pipeline

import (
	"context"
	"errors"
	"slices"
	"testing"

	"edged"
)

// seen notes what a witness was shown.
type seen struct {
	inputs, outputs [][]byte
	verdicts        []string
}

func (s *seen) Prepared(input []byte) { s.inputs = append(s.inputs, slices.Clone(input)) }

func (s *seen) Answered(r *Result, output []byte) {
	s.outputs = append(s.outputs, slices.Clone(output))
	s.verdicts = append(s.verdicts, r.Verdict)
}

// Witnesses see the input before the engine runs, and the output of frames that
// led to a result; of others the input alone.
func TestWitnessesSeeWhatIsAnswered(t *testing.T) {
	runs := 0
	stage := brightStage(t, func(e *fakeEngine) error {
		copy(e.output, e.input)
		clear(e.input) // an engine may use it for something else
		if runs++; runs == 2 {
			return errors.New("engine is unwell")
		}
		return nil
	})
	stage.Judge = judgeFunc(func(r *Result) { r.Verdict = "OK" })
	var model, camera seen
	stage.Witness = &model
	c := NewCamera("cam", &fakeSource{frames: []*edged.Frame{grey(4, 4, 200), grey(4, 4, 10), grey(4, 4, 99)}}, stage)
	c.Log, c.Witness, c.Sink = quiet, &camera, sinkFunc(func(*Result) {})
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*seen{"model's": &model, "camera's": &camera} {
		if len(s.inputs) != 3 || len(s.outputs) != 2 || !slices.Equal(s.inputs[0], s.outputs[0]) || !slices.Equal(s.inputs[2], s.outputs[1]) {
			t.Errorf("the %s witness saw %d inputs, %d outputs", name, len(s.inputs), len(s.outputs))
		}
		if !slices.Equal(s.verdicts, []string{"OK", "OK"}) {
			t.Errorf("verdicts %q", s.verdicts)
		}
	}
}

// A model in doubt gives no verdict but that, and the rules do not see its masks.
func TestDoubtedModelsAreUnsure(t *testing.T) {
	stage := brightStage(t, nil)
	judged := 0
	stage.Judge = judgeFunc(func(r *Result) { judged++; r.Verdict = "OK" })
	var verdicts []string
	c := NewCamera("cam", &fakeSource{frames: []*edged.Frame{grey(4, 4, 200), grey(4, 4, 10)}}, stage)
	c.Log = quiet
	c.Sink = sinkFunc(func(r *Result) {
		verdicts = append(verdicts, r.Verdict)
		if r.Verdict == Unsure && (len(r.Reasons) != 1 || r.Reasons[0].Text != "why") {
			t.Errorf("reasons %+v", r.Reasons)
		}
		stage.Doubt(edged.Reason{Text: "why"})
	})
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(verdicts, []string{"OK", Unsure}) || judged != 1 || !stage.Doubted() {
		t.Errorf("verdicts %q, judged %d", verdicts, judged)
	}
}

// Place is the inverse of how masks are turned back.
func TestPlaceFindsPositionsInTurnedMasks(t *testing.T) {
	s := spec(edged.Float32, 1, 2, 3, 1)
	for _, rotate := range []int{0, 90, 180, 270} {
		m, err := NewMasker(MaskConfig{Meaning: Probabilities, Threshold: 0.5, Classes: 2, Grid: plainGrid, Rotate: rotate}, s)
		if err != nil {
			t.Fatal(err)
		}
		for y := range 2 {
			for x := range 3 {
				out := aligned(s.Bytes())
				edged.View[float32](out)[3*y+x] = 1
				mask := m.Make(out)
				row, col := m.Place(y, x)
				if mask.Pix[row*mask.Stride+col] != 1 {
					t.Errorf("rotate %d: (%d, %d) is not at row %d, column %d of %v", rotate, y, x, row, col, mask.Pix)
				}
			}
		}
	}
}
