package audit_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"edged"
	"edged/capture/belt"
	"edged/fallback"
	"edged/internal/audit"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/internal/spare"
	"edged/internal/stage"
	"edged/model"
	"edged/train/nets"
)

// loadShare is audit.share as it comes.
const loadShare = 0.02

// extended asks for the whole measurement, on a machine that does nothing else.
func extended() bool { return os.Getenv("EDGED_EXTENDED") == "1" }

// busy is a camera that always has a frame, its model on the Go engine, and the
// audit of its answers.
type busy struct {
	camera  *pipeline.Camera
	account audit.Account
	share   *spare.Share
	told    chan audit.Finding
	flip    atomic.Bool
	results atomic.Uint64
	stop    context.CancelFunc
	ended   chan struct{}
}

// flippable runs another plan of the net once it is told to.
type flippable struct {
	edged.Engine
	wrong edged.Engine
	now   *atomic.Bool
}

func (e *flippable) Run() error {
	if !e.now.Load() {
		return e.Engine.Run()
	}
	copy(e.wrong.Input(0), e.Engine.Input(0))
	if err := e.wrong.Run(); err != nil {
		return err
	}
	copy(e.Engine.Output(0), e.wrong.Output(0))
	return nil
}

// Publish implements pipeline.Sink.
func (b *busy) Publish(*pipeline.Result) { b.results.Add(1) }

// startBusy begins. wrong, which may be nil, is what runs once flip is set.
func startBusy(t *testing.T, file *stage.File, wrong []byte, threads int) *busy {
	t.Helper()
	b := &busy{share: spare.New(loadShare), told: make(chan audit.Finding, 64), ended: make(chan struct{})}
	open := func(_ string, m []byte, o edged.Options) (edged.Engine, error) {
		e, err := fallback.Open(m, o)
		if err != nil || wrong == nil {
			return e, err
		}
		w, err := fallback.Open(wrong, o)
		return &flippable{e, w, &b.flip}, err
	}
	s, err := stage.Open(file, &config.Camera{Name: "c", Engine: "go", Threads: threads}, open, edged.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := stage.Examine(s)
	if err != nil || x.NotNumbers != nil {
		t.Fatal(err, x.NotNumbers)
	}
	cfg := audit.Config{
		Dense: file.Data, Name: s.Engine.Name(), Prepare: s.Prepare.Config(), Account: &b.account,
		Running: audit.Running{Input: s.Engine.Inputs()[0], Outputs: s.Engine.Outputs(), Output: s.Output, Limit: s.Mask.Limit()},
		Engines: []audit.Engine{{Name: "go", Open: fallback.Open}},
		Try:     func(context.Context, string, []byte) error { return nil },
		Share:   b.share, Log: slog.New(slog.DiscardHandler),
		Idle:    func() bool { phase, _, _ := b.camera.Progress(); return phase == pipeline.Waiting },
		Differs: func(f audit.Finding) { b.told <- f },
		Doubted: func(_ context.Context, f audit.Finding) { b.told <- f },
	}
	for name, open := range allEngines {
		if name != "go" {
			cfg.Engines = append(cfg.Engines, audit.Engine{Name: name, Open: open})
		}
	}
	for _, sample := range x.Samples {
		cfg.Samples = append(cfg.Samples, audit.Answer(sample))
	}
	a := audit.New(cfg)
	s.Witness = a.Witness()
	b.camera = pipeline.NewCamera("c", newReel(t, s.Engine.Inputs()[0]), s)
	b.camera.Log, b.camera.Sink = slog.New(slog.DiscardHandler), b
	ctx, cancel := context.WithCancel(context.Background())
	b.stop = cancel
	audited := make(chan struct{})
	go func() { defer close(audited); a.Run(ctx) }()
	go func() { defer close(b.ended); _ = b.camera.Run(ctx); <-audited }()
	t.Cleanup(b.end)
	return b
}

func (b *busy) end() { b.stop(); <-b.ended }

// audited waits until the audit has begun.
func (b *busy) audited(t *testing.T) {
	t.Helper()
	for limit := time.Now().Add(2 * time.Minute); b.account.Counts().Frames < 2; time.Sleep(time.Millisecond) {
		if c := b.account.Counts(); c.Off != "" || time.Now().After(limit) {
			t.Fatalf("no audit: %+v", c)
		}
	}
}

// reel is a few frames of the belt, again and again, with nothing to compute.
type reel struct {
	frames []edged.Frame
	k      int
}

const reelFrames = 8

func newReel(t *testing.T, in edged.Spec) *reel {
	t.Helper()
	c := belt.Default()
	c.W, c.H = in.Shape[2], in.Shape[1]
	s, err := belt.NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	r := &reel{}
	for k := range uint64(reelFrames) {
		f := edged.Frame{Pix: make([]byte, c.W*c.H*3), Stride: c.W * 3, W: c.W, H: c.H, Format: edged.BGR}
		s.Render(37*k, &f, nil)
		r.frames = append(r.frames, f)
	}
	return r
}

// Next implements pipeline.Source.
func (r *reel) Next(ctx context.Context, f *edged.Frame) error {
	*f = r.frames[r.k%len(r.frames)]
	f.Time = time.Now()
	r.k++
	return ctx.Err()
}

// At full load the audit takes its share and no more, and positions are audited.
// With EDGED_EXTENDED=1 results with it and without it are counted in turns, at
// 480x640 on two threads: they fall by no more than the share.
func TestAuditAtFullLoad(t *testing.T) {
	list, size, period, blocks := []string{nets.ValidInt8}, [2]int{80, 88}, 400*time.Millisecond, 1
	if extended() {
		list, size, period, blocks = []string{nets.Valid, nets.ValidInt8, nets.Same, nets.SameInt8}, [2]int{480, 640}, 3*time.Second, 10
	}
	for _, net := range list {
		t.Run(net, func(t *testing.T) {
			b := startBusy(t, denseSized(t, net, size), nil, 2)
			b.audited(t)
			before, worked, began := b.account.Counts(), b.share.Busy(), time.Now()
			var ratios []float64
			var results uint64
			for range blocks {
				off := b.without(period)
				on := b.with(period) + b.with(period)
				off += b.without(period)
				results += on + off
				ratios = append(ratios, float64(on)/float64(off))
			}
			elapsed := time.Since(began)
			after := b.account.Counts()
			took := b.share.Busy() - worked
			slices.Sort(ratios)
			lo, hi := ratios[len(ratios)/6], ratios[len(ratios)-1-len(ratios)/6]
			t.Logf("%d results in %v; with the audit %.4f of those without it (blocks from %.4f to %.4f); %d positions on %d frames in half of the time, %v of a processor (%.2f %% of it), %v",
				results, elapsed.Round(time.Second), ratios[len(ratios)/2], lo, hi, after.Positions-before.Positions, after.Frames-before.Frames,
				took.Round(time.Millisecond), 200*took.Seconds()/elapsed.Seconds(), after.Engines)
			if after.Positions == before.Positions || after.Differing > 0 {
				t.Errorf("%+v, before %+v", after, before)
			}
			// The last piece may have begun just before the end.
			if most := time.Duration(loadShare*float64(elapsed)) + 50*time.Millisecond; took > most {
				t.Errorf("worked %v of %v", took, elapsed)
			}
			if extended() && hi < 1-loadShare {
				t.Errorf("results fall to %.4f, by more than the share", ratios[len(ratios)/2])
			}
		})
	}
}

// with counts the results of a while.
func (b *busy) with(d time.Duration) uint64 {
	before := b.results.Load()
	time.Sleep(d)
	return b.results.Load() - before
}

// without is with while nobody works in spare time.
func (b *busy) without(d time.Duration) (n uint64) {
	_, _ = b.share.Do(context.Background(), nil, func() { n = b.with(d) }) // it takes no processor's time
	return n
}

// rounding is more than two engines' float32 scores of the bundled nets differ
// by when both are right (each finding's margin is told beside it, 0.0007 at
// most), and less than a step of an 8-bit score.
const rounding = 1e-3

// A weight that flips in the plan while the node works at full load, where that
// moves a class on the frames, is told within a minute at 480x640 and 2 %. A
// class that rounding moves as well is no wrong answer: two right engines
// disagree there.
func TestFlipsAreToldWithinAMinuteAtFullLoad(t *testing.T) {
	list, size, flips := []string{nets.ValidInt8}, [2]int{80, 88}, 1
	if extended() {
		list, size, flips = []string{nets.Valid, nets.ValidInt8, nets.Same, nets.SameInt8}, [2]int{480, 640}, 8
	}
	for _, net := range list {
		t.Run(net, func(t *testing.T) {
			file, r := denseSized(t, net, size), rand.New(rand.NewPCG(11, 12))
			right := reelAnswers(t, file.Data)
			for k := 0; k < flips; {
				wrong := flippedBit(t, file.Data, r)
				if n := movedByMore(right, reelAnswers(t, wrong)); n > 0 {
					k++
					told(t, startBusy(t, file, wrong, 2), fmt.Sprintf("a flip that moves %d of %d classes", n, len(right.classes)))
				}
			}
		})
	}
}

// told flips the bit once the audit runs, and waits for a minute.
func told(t *testing.T, b *busy, what string) {
	t.Helper()
	defer b.end()
	b.audited(t)
	b.flip.Store(true)
	began := time.Now()
	select {
	case f := <-b.told:
		t.Logf("%s: told after %v, by %.3g (%.3g is rounding, %v)", what, time.Since(began).Round(time.Millisecond), f.Difference, f.Margin, f.Engines)
	case <-time.After(time.Minute):
		t.Errorf("%s is not told within a minute: %+v", what, b.account.Counts())
	}
}

// answers are the classes of frames, and every channel's score behind each.
type answers struct {
	classes []uint8
	scores  []float32
}

// movedByMore counts the classes of b that are others than a's by more than
// rounding.
func movedByMore(a, b answers) (n int) {
	for i, class := range b.classes {
		channels := len(a.scores) / len(a.classes)
		if class != a.classes[i] && differ(a.scores[i*channels:][:channels], b.scores[i*channels:]) > rounding {
			n++
		}
	}
	return n
}

// differ is the largest difference of a from what b begins with.
func differ(a, b []float32) (most float64) {
	for i, v := range a {
		most = max(most, math.Abs(float64(v)-float64(b[i])))
	}
	return most
}

// reelAnswers are the answers to all frames of the reel; none where they are no
// numbers, which is found elsewhere.
func reelAnswers(t *testing.T, dense []byte) (all answers) {
	t.Helper()
	m, err := model.Read(dense)
	if err != nil {
		t.Fatal(err)
	}
	s, err := stage.Open(&stage.File{Name: "net", Data: dense, Model: m}, &config.Camera{Name: "c", Engine: "go"},
		func(_ string, m []byte, o edged.Options) (edged.Engine, error) { return fallback.Open(m, o) }, edged.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Engine.Close()
	r := newReel(t, s.Engine.Inputs()[0])
	for i := range r.frames {
		mask, err := s.Look(&r.frames[i])
		if err != nil {
			return answers{}
		}
		all.classes = append(all.classes, mask.Pix...)
		all.scores = append(all.scores, scoresOf(s.Engine)...)
	}
	return all
}

// scoresOf reads an engine's first output; of bytes, their steps.
func scoresOf(e edged.Engine) []float32 {
	out := e.Output(0)
	if e.Outputs()[0].Type != edged.Float32 {
		steps := make([]float32, len(out))
		for i, b := range out {
			steps[i] = float32(int8(b))
		}
		return steps
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&out[0])), len(out)/4)
}
