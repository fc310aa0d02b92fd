package audit_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"edged"
	"edged/capture/belt"
	"edged/internal/audit"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/internal/spare"
	"edged/internal/stage"
	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
)

// alarmFrames is how many frames of each net and pair of engines are audited;
// EDGED_AUDIT_FRAMES asks for more.
func alarmFrames(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("EDGED_AUDIT_FRAMES")); err == nil {
		return n
	}
	if testing.Short() {
		return 2
	}
	return 4
}

// A board that is right raises no alarm: the bundled nets, without padding and
// padded, float32 and int8, and window by window, on every pair of engines.
func TestARightBoardRaisesNoAlarm(t *testing.T) {
	engines := slices.Sorted(maps.Keys(allEngines))
	for _, net := range []string{nets.Valid, nets.ValidInt8, nets.Same, nets.SameInt8, byWindows} {
		file := denseFile(t, net)
		for _, answers := range engines {
			for _, checks := range engines {
				t.Run(net+" "+answers+" "+checks, func(t *testing.T) {
					alarms := 0
					c := auditFrames(t, file, file.Data, answers, checks, alarmFrames(t), func(f audit.Finding) { alarms++; t.Errorf("alarm: %+v", f) })
					t.Logf("%d frames, %d positions, largest difference %.3g, %v", c.Frames, c.Positions, c.Largest, c.Engines)
					if alarms != 0 || c.Differing != 0 || c.Positions == 0 || c.Off != "" {
						t.Errorf("%+v", c)
					}
				})
			}
		}
	}
}

// byWindows stands for a padded net in the form windows.
const byWindows = "windows"

// denseFile rewrites a bundled net for a small frame.
func denseFile(t *testing.T, net string) *stage.File { return denseSized(t, net, [2]int{80, 88}) }

// denseSized rewrites it for a frame of height and width.
func denseSized(t *testing.T, net string, size [2]int) *stage.File {
	t.Helper()
	o := rewrite.Options{Input: size}
	switch net {
	case nets.Same, nets.SameInt8:
		o.Contract = rewrite.Frame
	case byWindows:
		net, o.Form, o.OutputStride = nets.SameInt8, rewrite.Windows, [2]int{16, 24}
	}
	data, err := nets.Read(net)
	if err != nil {
		t.Fatal(err)
	}
	base, err := model.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rewrite.Rewrite(base, "00", o)
	if err != nil {
		t.Fatal(err)
	}
	dense, err := r.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Read(dense)
	if err != nil {
		t.Fatal(err)
	}
	return &stage.File{Name: net, Data: dense, Model: m}
}

// flipFrames is how many frames are looked at before a flip counts as not told.
// At 2 % of a processor, and a few milliseconds a look, a minute has as many.
const flipFrames = 40

// A bit that flips in a weight, where it moves a class on the frame, is told.
func TestFlipsThatMoveAClassAreTold(t *testing.T) {
	for _, net := range []string{nets.Valid, nets.ValidInt8, nets.SameInt8} {
		file := denseFile(t, net)
		r := rand.New(rand.NewPCG(5, 6))
		right := classesOf(t, file.Data)
		for flips := 0; flips < 2; {
			wrong := flippedBit(t, file.Data, r)
			moved := moved(right, classesOf(t, wrong))
			if moved == 0 {
				continue
			}
			flips++
			told := 0
			c := auditFrames(t, file, wrong, "go", "go", flipFrames, func(audit.Finding) { told++ })
			t.Logf("%s: a flip that moves %d classes of %d: told after %d frames, %d positions", net, moved, len(right), c.Frames, c.Positions)
			if told == 0 {
				t.Errorf("%s: a flip that moves %d classes of %d is not told: %+v", net, moved, len(right), c)
			}
		}
	}
}

// flippedBit is a dense file with one bit of a weight turned.
func flippedBit(t *testing.T, dense []byte, r *rand.Rand) []byte {
	t.Helper()
	m, err := model.Read(bytes.Clone(dense))
	if err != nil {
		t.Fatal(err)
	}
	g := m.Subgraphs[0]
	for {
		op := g.Operators[r.IntN(len(g.Operators))]
		if code := m.Code(op).Builtin; code != model.OpConv2D && code != model.OpDepthwiseConv2D {
			continue
		}
		data := m.Data(g.Tensors[op.Inputs[1]])
		data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		out, err := m.Write()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// classesOf are the classes that a dense file gives on the first frame.
func classesOf(t *testing.T, dense []byte) []uint8 {
	t.Helper()
	m, err := model.Read(dense)
	if err != nil {
		t.Fatal(err)
	}
	s := openStage(t, &stage.File{Name: "net", Data: dense, Model: m}, "go")
	defer s.Engine.Close()
	var f edged.Frame
	b := &belted{scene: scene(t), until: func() bool { return false }}
	if err := b.Next(context.Background(), &f); err != nil {
		t.Fatal(err)
	}
	mask, err := s.Look(&f)
	if err != nil {
		return nil // not a number: that is found elsewhere
	}
	return slices.Clone(mask.Pix)
}

func moved(a, b []uint8) (n int) {
	for i := range b {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

func openStage(t *testing.T, file *stage.File, engine string) *pipeline.Stage {
	t.Helper()
	cam := &config.Camera{Name: "c", Engine: engine, Threads: 1}
	open := func(name string, m []byte, o edged.Options) (edged.Engine, error) { return allEngines[name](m, o) }
	s, err := stage.Open(file, cam, open, edged.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// auditFrames has one engine answer frames of the belt with a model that runs,
// and another audit them by the file that it should be. It ends with the first
// alarm.
func auditFrames(t *testing.T, file *stage.File, runs []byte, answers, checks string, frames int, alarm func(audit.Finding)) audit.Counts {
	t.Helper()
	s := openStage(t, file, answers)
	x, err := stage.Examine(s)
	if err != nil || x.NotNumbers != nil {
		t.Fatal(err, x.NotNumbers)
	}
	if !bytes.Equal(runs, file.Data) { // from here on
		s.Engine.Close()
		m, err := model.Read(runs)
		if err != nil {
			t.Fatal(err)
		}
		s = openStage(t, &stage.File{Name: file.Name, Data: runs, Model: m}, answers)
	}
	var rang atomic.Bool
	var account audit.Account
	cfg := audit.Config{
		Dense: file.Data, Name: s.Engine.Name(), Prepare: s.Prepare.Config(), Account: &account,
		Running: audit.Running{Input: s.Engine.Inputs()[0], Outputs: s.Engine.Outputs(), Output: s.Output, Limit: s.Mask.Limit()},
		Engines: []audit.Engine{{Name: checks, Open: allEngines[checks]}},
		Try:     func(context.Context, string, []byte) error { return nil },
		Share:   spare.New(1), Log: slog.New(slog.DiscardHandler),
		Differs: func(f audit.Finding) { alarm(f); rang.Store(true) },
		Doubted: func(_ context.Context, f audit.Finding) { alarm(f); rang.Store(true) },
	}
	for _, sample := range x.Samples {
		cfg.Samples = append(cfg.Samples, audit.Answer(sample))
	}
	a := audit.New(cfg)
	s.Witness = a.Witness()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Run(ctx) }()
	source := &belted{scene: scene(t), until: func() bool { c := account.Counts(); return rang.Load() || c.Frames >= uint64(frames) || c.Off != "" }}
	c := pipeline.NewCamera("c", source, s)
	c.Log, c.Sink = slog.New(slog.DiscardHandler), nobody{}
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-ended
	return account.Counts()
}

func scene(t *testing.T) *belt.Scene {
	t.Helper()
	c := belt.Default()
	c.W, c.H = 120, 100
	s, err := belt.NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// belted is the belt as a source that ends when the test has seen enough.
type belted struct {
	scene *belt.Scene
	k     uint64
	pix   []byte
	until func() bool
}

// Next implements pipeline.Source. It jumps along the belt, so that every frame
// shows other parts.
func (b *belted) Next(ctx context.Context, f *edged.Frame) error {
	if b.until() {
		return io.EOF
	}
	if b.pix == nil {
		b.pix = make([]byte, 120*100*3)
	}
	time.Sleep(time.Millisecond) // the audit is to have its turn
	*f = edged.Frame{Pix: b.pix, Stride: 120 * 3, W: 120, H: 100, Format: edged.BGR}
	b.scene.Render(b.k, f, nil)
	f.Time = time.Now()
	b.k += 11
	return ctx.Err()
}

type nobody struct{}

func (nobody) Publish(*pipeline.Result) {}
