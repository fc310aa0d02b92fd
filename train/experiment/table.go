package main

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"time"

	"edged/internal/eval"
	"edged/train/data"
)

// spread is mean and standard deviation as text.
func spread(v []float64, scale float64, format string) string {
	if len(v) == 0 {
		return "not run"
	}
	mean, sd := meanOf(v)
	if len(v) == 1 {
		return fmt.Sprintf(format, mean*scale)
	}
	return fmt.Sprintf(format+" ± "+format, mean*scale, sd*scale)
}

// meanOf is mean and standard deviation.
func meanOf(v []float64) (mean, sd float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		sd += (x - mean) * (x - mean) / float64(max(1, len(v)-1))
	}
	return mean, math.Sqrt(sd)
}

func (r *row) of(f func(score) float64) (v []float64) {
	for _, s := range r.scores {
		v = append(v, f(s))
	}
	return v
}

// table is the document.
func (p plan) table(before score, rows []*row, took time.Duration, cut bool) []byte {
	var b strings.Builder
	b.WriteString(p.head())
	fmt.Fprintf(&b, `Frames of %dx%d, learnt from seeds %d and up, other frames for each of %d seeds; judged on %d frames from seed %d on, which no net saw, with their true masks. These seeds were
fixed before anything was learnt. %d epochs of %d steps at most, %d crops a step; mean and standard deviation over the seeds; mIoU and boundary F in percent (2 pixels tolerance). "Own stride"
is the baseline after inverse transfer, nearest. Time is wall clock on %s/%s, %d threads, beside whatever else ran; the whole took %s.
`, p.w, p.h, data.ChangedSeed, p.seeds, p.judged, data.ChangedJudgeSeed, p.o.Epochs, p.o.Steps, p.o.Batch, runtime.GOOS, runtime.GOARCH, p.o.Threads, took.Round(time.Second))
	if cut {
		b.WriteString("\n**Cut short** by its time limit: rows have as many seeds as their column says.\n")
	}
	b.WriteString("\n| net | frames | seeds | mIoU dense | boundary F | mIoU own stride | boundary F | steps to 95 % | seconds |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	fmt.Fprintf(&b, "| baseline as it is | 0 | | %.1f | %.1f | %.1f | %.1f | 0 | 0 |\n", 100*before.dense, 100*before.denseF, 100*before.own, 100*before.ownF)
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %d | %d | %s | %s | %s | %s | %s | %s |\n", r.name(), r.frames, len(r.scores),
			spread(r.of(func(s score) float64 { return s.dense }), 100, "%.1f"), spread(r.of(func(s score) float64 { return s.denseF }), 100, "%.1f"),
			spread(r.of(func(s score) float64 { return s.own }), 100, "%.1f"), spread(r.of(func(s score) float64 { return s.ownF }), 100, "%.1f"),
			spread(r.steps, 1, "%.0f"), spread(r.took, 1, "%.0f"))
	}
	return []byte(b.String())
}

// head says what is asked.
func (p plan) head() string {
	if p.labels {
		return `# What wrong labels cost

Made by ` + "`make experiment EXPERIMENT=-labels`" + `: belt_valid, dense, tuned from its weights on the changed scene of [TABLE.md](TABLE.md), with masks made wrong: pixels of another class drawn evenly,
or boundaries moved by so many pixels, here this way and there that way. "A band ignored" is ` + "`edged tune --ignore-band`" + `. The frames kept back have wrong masks too, as a user's would.

`
	}
	return `# Dense learning on a changed scene

Made by ` + "`make experiment`" + ` (go run ./train/experiment): belt_valid on test:belt with another surface, light and smudges (train/data/changed.go).

![mean IoU against labelled frames](` + plotName + `)

`
}

// plotName is the drawing beside TABLE.md.
const plotName = "frames.svg"

// draw makes the drawing of what has been learnt so far.
func (p plan) draw(path string, before score, rows []*row) error {
	var list []eval.Series
	var marks []float64
	for _, n := range p.frames {
		marks = append(marks, float64(n))
	}
	ends := []float64{marks[0], marks[len(marks)-1]}
	asIs := func(name string, v float64, dashed bool) {
		list = append(list, eval.Series{Name: name, Hue: 3, Dashed: dashed, At: []eval.SeriesPoint{{X: ends[0], Mean: v}, {X: ends[1], Mean: v}}})
	}
	asIs("as it is, dense", before.dense, false)
	asIs("as it is, own stride", before.own, true)
	for i, w := range ways {
		dense, own := eval.Series{Name: w.name, Hue: i}, eval.Series{Name: "its baseline, own stride", Hue: i, Dashed: true}
		for _, r := range rows {
			if r.way != w || len(r.scores) == 0 {
				continue
			}
			m, sd := meanOf(r.of(func(s score) float64 { return s.dense }))
			dense.At = append(dense.At, eval.SeriesPoint{X: float64(r.frames), Mean: m, SD: sd})
			m, sd = meanOf(r.of(func(s score) float64 { return s.own }))
			own.At = append(own.At, eval.SeriesPoint{X: float64(r.frames), Mean: m, SD: sd})
		}
		if list = append(list, dense); !w.naive {
			list = append(list, own)
		}
	}
	return eval.Lines(path, "Learnt on the changed scene, by labelled frames", "labelled frames", true, marks, list)
}
