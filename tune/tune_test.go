package tune

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged/fallback"
	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
)

// denseNet is a bundled net made dense on frames of 60x64.
func denseNet(t *testing.T, name string, o rewrite.Options) *model.Model {
	t.Helper()
	file, err := nets.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if o.Input == [2]int{} {
		o.Input = [2]int{60, 64}
	}
	r, err := rewrite.Rewrite(m, "", o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Model
}

// twoFrames are halves of class 0 and 1.
func someFrames(n, h, w int) (list []Frame) {
	for i := range n {
		f := Frame{Name: string(rune('a' + i)), Pix: make([]byte, 3*h*w), Mask: make([]byte, h*w)}
		for p := range f.Mask {
			if p%w > w/2 {
				f.Mask[p] = 1
				f.Pix[3*p] = byte(200 + i)
			}
		}
		list = append(list, f)
	}
	return list
}

// fakePython is an interpreter that does as the shell lines say.
func fakePython(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWithoutTorchThePackageIsNamed(t *testing.T) {
	m := denseNet(t, nets.Valid, rewrite.Options{})
	o := Default()
	o.Open = fallback.Open
	for name, python := range map[string]string{"no torch": fakePython(t, "exit 90"), "no python": "/nowhere/python3"} {
		o.Python = python
		_, err := Run(context.Background(), m, someFrames(2, 60, 64), o)
		if err == nil || !strings.Contains(err.Error(), "apt-get install python3-torch") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the script says, and how it ends, becomes one line.
func TestScriptThatFails(t *testing.T) {
	m := denseNet(t, nets.Valid, rewrite.Options{})
	for says, lines := range map[string]string{
		"diverged":                  `exit 91`,
		"No space left on device":   `echo "Traceback" >&2; echo "OSError: No space left on device" >&2; exit 1`,
		"frames.bin: No space left": `echo "frames.bin: No space left" >&2; exit 92`,
		"not enough memory":         `exit 93`,
		"it said nothing":           `kill -9 $$`,
		"not carried over rightly":  `head -c 1000 /dev/zero > "$4/probe_before.bin"; echo '{"kind":"probe","torch":"1"}'; sleep 20`,
	} {
		o := Default()
		o.Open, o.Python = fallback.Open, fakePython(t, lines)
		if _, err := Run(context.Background(), m, someFrames(2, 60, 64), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want an error that says %q", err, says)
		}
	}
}

// Called off, it ends at once.
func TestCalledOff(t *testing.T) {
	m := denseNet(t, nets.Valid, rewrite.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	o := Default()
	o.Open, o.Python = fallback.Open, fakePython(t, `echo '{"kind":"epoch","epoch":1,"miou":0.5}'; exec sleep 60`)
	o.Tell = func(e Epoch) {
		if e.MIoU == 0.5 {
			cancel()
		}
	}
	if _, err := Run(ctx, m, someFrames(2, 60, 64), o); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}

// A full disk is told in a line, whatever it is that finds no place, and the same
// command goes on when there is some.
func TestFullDisk(t *testing.T) {
	m := denseNet(t, nets.Valid, rewrite.Options{})
	for _, name := range []string{"run.new", "frames.bin", "probe.bin", "job.json"} {
		o := Default()
		o.Open, o.Work, o.Python = fallback.Open, t.TempDir(), fakePython(t, "exit 91")
		full := filepath.Join(o.Work, name)
		if err := os.Symlink("/dev/full", full); err != nil {
			t.Fatal(err)
		}
		_, err := Run(context.Background(), m, someFrames(2, 60, 64), o)
		if err == nil || !strings.Contains(err.Error(), "no space left on device") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.Remove(full); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(context.Background(), m, someFrames(2, 60, 64), o); err == nil || !strings.Contains(err.Error(), "diverged") {
			t.Errorf("%s, with place: %v", name, err)
		}
	}
}

// A folder of another run is not gone on from.
func TestWorkBelongsToOneRun(t *testing.T) {
	m := denseNet(t, nets.Valid, rewrite.Options{})
	o := Default()
	o.Open, o.Work, o.Python = fallback.Open, t.TempDir(), fakePython(t, "exit 91")
	for seed, says := range []string{"diverged", "another run"} {
		o.Seed = seed
		if _, err := Run(context.Background(), m, someFrames(2, 60, 64), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("seed %d: %v, want %q", seed, err, says)
		}
	}
	o.Seed, o.Epochs = 0, 99 // more epochs are the same run
	if _, err := Run(context.Background(), m, someFrames(2, 60, 64), o); err == nil || !strings.Contains(err.Error(), "diverged") {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	m := denseNet(t, nets.Valid, rewrite.Options{})
	frames := someFrames(3, 60, 64)
	one := someFrames(2, 60, 64)
	for i := range one {
		clear(one[i].Mask)
	}
	ignored, unjudged := someFrames(3, 60, 64), someFrames(3, 60, 64)
	for i := range ignored {
		for p := range ignored[i].Mask {
			ignored[i].Mask[p], unjudged[2].Mask[p] = Ignore, Ignore
		}
	}
	banded := Default()
	banded.Band = 64
	beyond := someFrames(2, 60, 64)
	beyond[1].Mask[64*7+9] = 5
	b := model.NewBuilder()
	bare := b.Model(b.Relu(b.Input("x", model.TypeFloat32, 1, 60, 64, 3)))
	frozen := Default()
	frozen.Freeze = 99
	for _, c := range []struct {
		name    string
		m       *model.Model
		frames  []Frame
		o       Options
		says    string
		refused bool
	}{
		{"int8", denseNet(t, nets.ValidInt8, rewrite.Options{}), frames, Default(), "tune the float32 net", true},
		{"no grid", bare, frames, Default(), "edged rewrite", true},
		{"nothing to learn", m, frames, frozen, "frozen", true},
		{"no frames", m, nil, Default(), "no frame", false},
		{"one class", m, one, Default(), "1 class of the net's 5", false},
		{"all ignored", m, ignored, Default(), "nothing but 255", false},
		{"all in the band", m, frames, banded, "the band of 64", false},
		{"nothing to judge by", m, unjudged, Default(), "left to judge by", false},
		{"id out of range", m, beyond, Default(), "class id 5 at (9, 7): the net knows 0 to 4", false},
	} {
		c.o.Open, c.o.Python = fallback.Open, "/nowhere"
		_, err := Run(context.Background(), c.m, c.frames, c.o)
		if err == nil || !strings.Contains(err.Error(), c.says) || errors.As(err, new(*Refusal)) != c.refused {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

// An operator that PyTorch is not told of is named.
func TestUnknownOperatorIsNamed(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 8, 8, 1)
	y := b.Unary(model.OpCeil, b.Conv2D(x, model.Const(b, "w", []int{2, 1, 1, 1}, []float32{1, 2}), model.None, model.Conv2DOptions{}))
	m := b.Model(y)
	_, err := carry(m, m.Subgraphs[0].Outputs[0], 0)
	if err == nil || !strings.Contains(err.Error(), "CEIL (operator 1)") {
		t.Error(err)
	}
}

// What is learnt comes back into the dense net and into its baseline, bit for bit,
// and the two are proved to belong together.
func TestTunedWeightsComeBack(t *testing.T) {
	for _, c := range []struct {
		name string
		o    rewrite.Options
	}{{nets.Valid, rewrite.Options{}}, {nets.Valid, rewrite.Options{Form: rewrite.Fragments, OutputStride: [2]int{2, 2}}}, {nets.Same, rewrite.Options{Contract: rewrite.Frame}}} {
		m := denseNet(t, c.name, c.o)
		n, err := open(m)
		if err != nil {
			t.Fatal(err)
		}
		l, err := n.forLearning(1)
		if err != nil {
			t.Fatal(err)
		}
		var tuned []float32
		for _, b := range l.graph.Buffers {
			if b.Learn {
				for i := range b.N {
					tuned = append(tuned, float32(len(tuned)%17)/100-float32(i%3)/50)
				}
			}
		}
		got, err := withWeights(m, l.graph, tuned)
		if err != nil {
			t.Fatal(err)
		}
		base, err := rewrite.Inverse(got)
		if err != nil {
			t.Fatal(err)
		}
		again, err := rewrite.Again(base, "", got)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range l.graph.Buffers {
			x, y, z := tensorCalled(got, b.tensor), tensorCalled(again.Model, b.tensor), tensorCalled(m, b.tensor)
			if !slices.Equal(got.Data(x), again.Model.Data(y)) {
				t.Errorf("%s: %s differs after the way back", c.name, b.tensor)
			}
			if b.Learn == slices.Equal(got.Data(x), m.Data(z)) {
				t.Errorf("%s: %s: learnt is %v, but it is equal or not", c.name, b.tensor, b.Learn)
			}
		}
		f, err := base.Manifest()
		if err != nil || f.TunedFrom == "" {
			t.Errorf("%s: the baseline does not say that it was tuned (%v)", c.name, err)
		}
	}
}

// The net that learns is smaller than its frame, with the same weights.
func TestCropsForLearning(t *testing.T) {
	n, err := open(denseNet(t, nets.Valid, rewrite.Options{Input: [2]int{240, 100}}))
	if err != nil {
		t.Fatal(err)
	}
	l, err := n.forLearning(0)
	if err != nil {
		t.Fatal(err)
	}
	if l.crop != [2]int{39 + besideField, 100} || l.grid.Size != [2]int{l.crop[0] - 38, 62} || l.grid.Useful != l.grid.Size {
		t.Errorf("crop %v, grid %+v", l.crop, l.grid)
	}
}

func TestBandIgnored(t *testing.T) {
	got := bandIgnored([]byte{0, 0, 0, 1, 1, 1}, 1, 6, 1)
	if !slices.Equal(got, []byte{0, 0, Ignore, Ignore, 1, 1}) {
		t.Errorf("%v", got)
	}
	got = bandIgnored([]byte{0, 0, 0, 1, 1, 1}, 1, 6, 2)
	if !slices.Equal(got, []byte{0, Ignore, Ignore, Ignore, Ignore, 1}) {
		t.Errorf("%v", got)
	}
}

// What is learnt of a class, and what is kept back of it, is told.
func TestWarnings(t *testing.T) {
	n, err := open(denseNet(t, nets.Valid, rewrite.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	frames := someFrames(4, 60, 64)
	copy(frames[0].Mask, []byte{2, 2, 2})
	for p := range 300 {
		frames[3].Mask[p] = 3
	}
	d, err := n.look(frames, Default())
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(d.warnings, "\n")
	for _, want := range []string{`class "scratch" has 3 pixels`, `class "pit" occurs in frames that are kept back alone`, `class "stain" does not occur`} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}
