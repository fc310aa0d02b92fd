package stage

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"edged"
	"edged/internal/config"
	"edged/internal/parts"
	"edged/internal/pipeline"
	"edged/internal/rows"
	"edged/internal/tiles"
	"edged/model"
)

// lined makes the stage of a line camera of a model's ordinary one, which it takes
// over: an engine on its own knows no rows before a frame.
func lined(s *pipeline.Stage, v *view, known *Facts, cam *config.Camera, open Opener, o edged.Options) (*pipeline.Stage, error) {
	m, err := model.Read(v.data)
	if err != nil {
		return nil, err
	}
	if hidden := v.watched(s.Engine); len(hidden) > 0 {
		return nil, fmt.Errorf("camera.line: the model makes whole numbers of %q, behind which nothing tells that a value was no number, and rows are looked at behind it alone: leave its QUANTIZE, CAST or ARG_MAX away, or use a full int8 model", s.Engine.Outputs()[hidden[0]].Name)
	}
	r, err := openRows(s, m, cam, open, o)
	if err != nil {
		return nil, err
	}
	l, err := layLine(s, r, known, cam)
	if err != nil {
		r.Close()
		return nil, err
	}
	return l, nil
}

// openRows computes the model row by row, or, where that cannot be, by tiles that
// compute again what they have in common.
func openRows(s *pipeline.Stage, m *model.Model, cam *config.Camera, open Opener, o edged.Options) (edged.Rows, error) {
	strip := cam.Line.Strip
	r, err := rows.Open(m, func(b []byte, o edged.Options) (edged.Engine, error) { return open(cam.Engine, b, o) },
		rows.Options{Strip: strip, Delay: cam.Line.Rows(), Output: s.Output, Engine: o})
	if err == nil {
		s.Engine.Close()
		return r, nil
	}
	why := (*rows.Refusal)(nil)
	if !errors.As(err, &why) {
		return nil, err
	}
	n, tileErr := tiles.NetOf(m, s.Engine.Outputs()[s.Output].Shape)
	if tileErr == nil {
		var t *tiles.Rows
		if t, tileErr = tiles.OpenRows(s.Engine, n, s.Output, strip); tileErr == nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("camera.line: the model cannot be computed row by row: %w; nor by tiles: %w", err, tileErr)
}

// layLine surrounds rows with what strips need.
func layLine(s *pipeline.Stage, r edged.Rows, known *Facts, cam *config.Camera) (*pipeline.Stage, error) {
	stride := known.grid.Stride[0]
	if stride != float64(int(stride)) || stride < 1 {
		return nil, fmt.Errorf("camera.line: a row stride of %v pixels: whole pixels are needed", stride)
	}
	how, class := cam.Line.How(), 0
	if err := how.Check(int(stride)); err != nil {
		return nil, fmt.Errorf("camera.line: %w", err)
	}
	if how.Absent != "" {
		if class = slices.Index(known.labels, how.Absent); class < 0 {
			return nil, fmt.Errorf("camera.line: part %q: the model has the classes %q: name one of them", cam.Line.Part, known.labels)
		}
	}
	prepare, err := pipeline.NewPreparer(prepareConfig(known, cam).Strips(), r.In())
	if err != nil {
		return nil, err
	}
	mask, err := pipeline.NewMasker(pipeline.MaskConfig{
		Meaning: known.meaning, Threshold: cmp.Or(known.threshold, DefaultThreshold), Classes: len(known.labels), Grid: known.grid, Scores: needsScores(cam),
	}, r.Out())
	if err != nil {
		return nil, err
	}
	return &pipeline.Stage{
		Engine: &rowsEngine{rows: r}, Prepare: prepare, Mask: mask, Grid: known.grid, Labels: known.labels,
		Line: &pipeline.Line{Rows: r, Cut: parts.NewCutter(how, uint8(class), int(stride)), Trigger: how.Trigger},
	}, nil
}

// rowsEngine is rows as an engine, for who looks at a model before it is used: a run
// pushes its input until something is decided. It is at its beginning afterwards.
type rowsEngine struct {
	rows  edged.Rows
	input []byte
	out   []byte
}

// mostPushes bounds how often the same strip is pushed until a row is decided.
const mostPushes = 1 << 14

func (e *rowsEngine) Name() string            { return e.rows.Name() }
func (e *rowsEngine) Inputs() []edged.Spec    { return []edged.Spec{e.rows.In()} }
func (e *rowsEngine) Outputs() []edged.Spec   { return []edged.Spec{e.rows.Out()} }
func (e *rowsEngine) Resize(int, []int) error { return errors.New("stage: rows have one size") }
func (e *rowsEngine) Close() error            { return e.rows.Close() }

func (e *rowsEngine) Input(int) []byte {
	if e.input == nil {
		e.input = make([]byte, e.rows.In().Bytes())
	}
	return e.input
}

func (e *rowsEngine) Output(int) []byte {
	if e.out == nil {
		e.out = make([]byte, e.rows.Out().Bytes())
	}
	return e.out
}

func (e *rowsEngine) Run() error {
	e.rows.Reset()
	defer e.rows.Reset()
	for range mostPushes {
		copy(e.rows.Input(), e.Input(0))
		n, err := e.rows.Push(e.rows.In().Shape[1])
		if err != nil {
			return err
		}
		if n > 0 {
			copy(e.Output(0), e.rows.Output())
			return nil
		}
	}
	return fmt.Errorf("camera.line: no row of the mask is decided after %d strips: use a smaller model", mostPushes)
}
