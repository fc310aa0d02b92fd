package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"time"

	"edged"
)

// fakeEngine passes its float32 input through run to its output.
type fakeEngine struct {
	in, out   edged.Spec
	input     []byte
	output    []byte
	run       func(e *fakeEngine) error
	closed    int
	ranClosed bool
}

func newFakeEngine(in, out edged.Spec, run func(*fakeEngine) error) *fakeEngine {
	return &fakeEngine{
		in: in, out: out, run: run,
		input: aligned(in.Bytes()), output: aligned(out.Bytes()),
	}
}

// aligned allocates n bytes, a multiple of 4, that may be viewed as floats.
func aligned(n int) []byte { return make([]byte, n) }

func (e *fakeEngine) Name() string            { return "fake" }
func (e *fakeEngine) Inputs() []edged.Spec    { return []edged.Spec{e.in} }
func (e *fakeEngine) Outputs() []edged.Spec   { return []edged.Spec{e.out} }
func (e *fakeEngine) Input(int) []byte        { return e.input }
func (e *fakeEngine) Output(int) []byte       { return e.output }
func (e *fakeEngine) Resize(int, []int) error { return errors.New("fake: no resize") }
func (e *fakeEngine) Close() error            { e.closed++; return nil }

func (e *fakeEngine) Run() error {
	e.ranClosed = e.ranClosed || e.closed > 0
	if e.run == nil {
		return nil
	}
	return e.run(e)
}

// fakeSource lends the frames it is given, then ends.
type fakeSource struct {
	frames []*edged.Frame
	at     int
	before func(i int) // runs before frame i is handed out
}

func (s *fakeSource) Next(ctx context.Context, f *edged.Frame) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.at == len(s.frames) {
		return io.EOF
	}
	if s.before != nil {
		s.before(s.at)
	}
	*f = *s.frames[s.at]
	s.at++
	return nil
}

type sinkFunc func(*Result)

func (f sinkFunc) Publish(r *Result) { f(r) }

type judgeFunc func(*Result)

func (f judgeFunc) Judge(r *Result) { f(r) }

// drawn makes a frame whose pixel (x, y), channel k is value(x, y, k).
func drawn(w, h int, format edged.PixelFormat, value func(x, y, k int) byte) *edged.Frame {
	ch := format.Channels()
	stride := w*ch + 5 // rows need not touch
	f := &edged.Frame{Pix: make([]byte, stride*h), Stride: stride, W: w, H: h, Format: format, Time: time.Now()}
	for y := range h {
		for x := range w {
			for k := range ch {
				f.Pix[y*stride+x*ch+k] = value(x, y, k)
			}
		}
	}
	return f
}

func at(f *edged.Frame, x, y, k int) byte { return f.Pix[y*f.Stride+x*f.Format.Channels()+k] }

func floats(b []byte) []float32 { return edged.View[float32](b) }

func putFloat(b []byte, i int, v float32) {
	binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
}

func spec(t edged.DType, shape ...int) edged.Spec {
	return edged.Spec{Name: "t", Shape: shape, Type: t, Quant: edged.Quant{Scale: 1.0 / 255, ZeroPoint: 0}}
}
