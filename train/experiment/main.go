// Command experiment asks on a changed scene what the paper asks of its data: what
// a dense net learns from a handful of labelled frames, begun from the baseline's
// weights, from weights drawn at random, and as the naive dense net (strides off,
// nothing dilated); and what the tuned baseline is worth at its own stride.
//
//	go run ./train/experiment            the small form: 1, 4, 16 frames, three seeds, crops
//	go run ./train/experiment -full      1 to 32 frames, five seeds, whole frames: a day of two cores
//	go run ./train/experiment -labels    what wrong labels cost, and what ignoring a boundary band gives back
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"edged"
	"edged/fallback"
	"edged/internal/eval"
	"edged/model"
	"edged/rewrite"
	"edged/train/data"
	"edged/train/nets"
	"edged/tune"
)

// plan is how large an experiment is.
type plan struct {
	frames []int
	seeds  int
	w, h   int
	judged int  // frames
	labels bool // it asks what wrong labels cost
	o      tune.Options
}

func small() plan {
	o := tune.Default()
	o.Epochs, o.Patience, o.Steps, o.Batch = 10, 10, 8, 2
	return plan{frames: []int{1, 4, 16}, seeds: 3, w: 128, h: 96, judged: 8, o: o}
}

func full() plan {
	o := tune.Default()
	o.Epochs, o.Patience = 60, 15
	return plan{frames: []int{1, 2, 4, 8, 16, 32}, seeds: 5, w: 640, h: 480, judged: 24, o: o}
}

// score is one net on the frames to judge by.
type score struct{ dense, denseF, own, ownF float64 }

// row is one way to learn from so many frames.
type row struct {
	way    way
	frames int
	labels mistakes
	scores []score
	steps  []float64 // to 95 % of the best mIoU on the frames kept back
	took   []float64 // seconds
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	whole := flag.Bool("full", false, "the full table")
	labels := flag.Bool("labels", false, "wrong labels, into LABELS.md")
	seeds := flag.Int("seeds", 0, "seeds of each row, 0: three, in full five")
	limit := flag.Duration("limit", 0, "begin nothing new after so long, and say so; 0: no limit")
	threads := flag.Int("threads", 2, "threads of PyTorch")
	out := flag.String("o", "", "the `FILE` to write (default: TABLE.md or LABELS.md in train/experiment)")
	flag.Parse()
	p := small()
	if *whole {
		p = full()
	}
	if *seeds > 0 {
		p.seeds = *seeds
	}
	p.o.Threads, p.labels = *threads, *labels
	if *out == "" {
		*out = "train/experiment/" + map[bool]string{false: "TABLE.md", true: "LABELS.md"}[p.labels]
	}
	if err := p.run(ctx, *limit, *out, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "experiment:", err)
		os.Exit(1)
	}
}

// way is a net that learns.
type way struct {
	name          string
	naive, random bool
}

var ways = []way{
	{"dense, from the baseline's weights", false, false},
	{"dense, from random weights", false, true},
	{"naive dense, from the baseline's weights", true, false},
}

// rows are what the table will have.
func (p plan) rows() (rows []*row) {
	if p.labels {
		for _, m := range allMistakes {
			rows = append(rows, &row{way: ways[0], frames: labelledFrames, labels: m})
		}
		return rows
	}
	for _, n := range p.frames {
		for _, w := range ways {
			rows = append(rows, &row{way: w, frames: n})
		}
	}
	return rows
}

// name is how a row is called.
func (r *row) name() string {
	if r.labels == (mistakes{}) {
		return r.way.name
	}
	return r.labels.String()
}

func (p plan) run(ctx context.Context, limit time.Duration, out string, log io.Writer) error {
	start := time.Now()
	file, err := nets.Read(nets.Valid)
	if err != nil {
		return err
	}
	base, err := model.Read(file)
	if err != nil {
		return err
	}
	before, err := p.judge(ctx, base)
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "learnt from seeds %d and up, judged on seeds %d and up\n", data.ChangedSeed, data.ChangedJudgeSeed)
	fmt.Fprintf(log, "as it is: mIoU dense %.3f, at its own stride %.3f\n", before.dense, before.own)
	rows := p.rows()
	cut := false
	for seed := 1; seed <= p.seeds && !cut; seed++ {
		for _, r := range rows {
			if cut = limit > 0 && time.Since(start) > limit; cut {
				break
			}
			if err := p.learn(ctx, base, r, seed); err != nil {
				return fmt.Errorf("%s, %d frames, seed %d: %w", r.name(), r.frames, seed, err)
			}
			last := len(r.scores) - 1
			fmt.Fprintf(log, "%s, %d frames, seed %d: mIoU %.3f, %.0f s\n", r.name(), r.frames, seed, r.scores[last].dense, r.took[last])
			if err := p.write(out, before, rows, time.Since(start), true); err != nil {
				return err
			}
		}
	}
	return p.write(out, before, rows, time.Since(start), cut)
}

// write writes table and drawing.
func (p plan) write(out string, before score, rows []*row, took time.Duration, cut bool) error {
	if err := os.WriteFile(out, p.table(before, rows, took, cut), 0o644); err != nil || p.labels {
		return err
	}
	return p.draw(filepath.Join(filepath.Dir(out), plotName), before, rows)
}

// learn tunes one net and judges it.
func (p plan) learn(ctx context.Context, base *model.Model, r *row, seed int) error {
	if r.way.naive {
		facts, err := base.Manifest()
		if err != nil {
			return err
		}
		if base, err = eval.Naive(base); err != nil {
			return err
		}
		if err := base.SetManifest(&model.Manifest{Schema: model.ManifestSchema, Labels: facts.Labels, Input: facts.Input, Output: facts.Output}); err != nil {
			return err
		}
	}
	dense, err := rewrite.Rewrite(base, "", rewrite.Options{Input: [2]int{p.h, p.w}})
	if err != nil {
		return err
	}
	frames, err := p.labelled(r.frames, seed)
	if err != nil {
		return err
	}
	for i := range frames {
		frames[i].Mask = r.labels.spoil(frames[i].Mask, p.w, p.h, uint64(1000*seed+i))
	}
	o := p.o
	o.Seed, o.Random, o.Band, o.Open = seed, r.way.random, r.labels.band, fallback.Open
	start := time.Now()
	t, err := tune.Run(ctx, dense.Model, frames, o)
	if err != nil {
		return err
	}
	r.took = append(r.took, time.Since(start).Seconds())
	r.steps = append(r.steps, float64(stepsTo(t, o.Steps)))
	tuned, err := rewrite.Inverse(t.Model)
	if err != nil {
		return err
	}
	s, err := p.judge(ctx, tuned)
	r.scores = append(r.scores, s)
	return err
}

// stepsTo counts the steps until mIoU on the frames kept back had 95 % of its best.
func stepsTo(t *tune.Result, steps int) int {
	best := 0.0
	for _, e := range t.Epochs {
		best = max(best, e.MIoU)
	}
	for _, e := range t.Epochs {
		if e.MIoU >= 0.95*best {
			return e.Epoch * steps
		}
	}
	return 0
}

// labelled are n frames of the changed scene, others for each seed.
func (p plan) labelled(n, seed int) ([]tune.Frame, error) {
	var list []tune.Frame
	for i := range n {
		var f edged.Frame
		var m edged.Mask
		if err := data.Changed(data.ChangedSeed+uint64(1000*seed), i, p.w, p.h, &f, &m); err != nil {
			return nil, err
		}
		x := tune.Frame{Name: fmt.Sprint(i), Pix: make([]byte, 3*p.w*p.h), Mask: make([]byte, 0, p.w*p.h)}
		for y := range p.h {
			for k := range p.w {
				q := f.Pix[y*f.Stride+3*k:]
				copy(x.Pix[3*(y*p.w+k):], []byte{q[2], q[1], q[0]}) // the bundled nets take RGB
			}
			x.Mask = append(x.Mask, m.Pix[y*m.Stride:][:p.w]...)
		}
		list = append(list, x)
	}
	return list, nil
}

// judgedFrames are those that no net learns from.
type judgedFrames plan

func (p judgedFrames) Len() int { return p.judged }

func (p judgedFrames) At(i int, s *eval.Sample) error {
	s.Name = fmt.Sprint("frame ", i)
	return data.Changed(data.ChangedJudgeSeed, i, p.w, p.h, &s.Frame, &s.Truth)
}

// judge measures a baseline: dense at stride 1, and at its own stride.
func (p plan) judge(ctx context.Context, base *model.Model) (score, error) {
	file, err := base.Write()
	if err != nil {
		return score{}, err
	}
	cfg := eval.Default()
	cfg.Open, cfg.Patches = fallback.Open, 1
	r, err := eval.Compare(ctx, cfg, eval.Net{Name: "net", TFLite: file}, judgedFrames(p))
	if err != nil {
		return score{}, err
	}
	own, dense := r.Ways[0], r.Ways[len(r.Ways)-1]
	return score{value(dense.MIoU), value(dense.BoundaryF), value(own.MIoU), value(own.BoundaryF)}, nil
}

func value(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
