package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/capture/belt"
	"edged/internal/eval"
	"edged/model"
	"edged/train/data"
	"edged/train/nets"
	"edged/tune"
)

func tiny() plan {
	p := small()
	p.w, p.h, p.judged = 72, 60, 2
	return p
}

// What is learnt from and what is judged by never meet, and the scene differs from
// the belt that the bundled nets know: they are worse on it.
func TestTheSceneIsAnother(t *testing.T) {
	p := tiny()
	if last := data.ChangedSeed + 1000*full().seeds + 32; last >= data.ChangedJudgeSeed {
		t.Errorf("seeds up to %d are learnt from, from %d on are judged by", last, data.ChangedJudgeSeed)
	}
	a, err := p.labelled(2, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.labelled(2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if string(a[0].Pix) == string(b[0].Pix) || len(a[0].Mask) != p.w*p.h {
		t.Error("two seeds learn from one frame")
	}
	file, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	base, err := model.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.judge(context.Background(), base)
	if err != nil || !(s.dense < 0.6) || !(s.dense > s.own-0.1) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestTableIsHonest(t *testing.T) {
	p := tiny()
	rows := []*row{{way: way{name: "one"}, frames: 1, scores: []score{{0.5, 0.4, 0.3, 0.2}, {0.7, 0.4, 0.3, 0.2}}, steps: []float64{8, 16}, took: []float64{1, 3}}, {way: way{name: "two"}, frames: 4}}
	text := string(p.table(score{0.1, 0.2, 0.3, 0.4}, rows, time.Minute, true))
	for _, want := range []string{"| one | 1 | 2 | 60.0 ± 14.1 |", "| two | 4 | 0 | not run |", "Cut short", "| 12 ± 6 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(string(p.table(score{}, nil, 0, false)), "Cut short") {
		t.Error("a whole table says that it was cut short")
	}
	r := &tune.Result{Epochs: []tune.Epoch{{Epoch: 0, MIoU: 0.2}, {Epoch: 1, MIoU: 0.77}, {Epoch: 2, MIoU: 0.8}}}
	if n := stepsTo(r, 8); n != 8 {
		t.Errorf("%d steps to 95 %%", n)
	}
	if !math.IsNaN(value(nil)) {
		t.Error("what was not measured has a value")
	}
	var _ eval.Samples = judgedFrames{}
}

// The rows of both questions, and their drawing.
func TestRowsAndDrawing(t *testing.T) {
	p := tiny()
	if n := len(p.rows()); n != 9 {
		t.Errorf("%d rows", n)
	}
	rows := p.rows()
	for _, r := range rows {
		r.scores = []score{{0.5, 0.4, 0.3, 0.2}, {0.6, 0.4, 0.3, 0.2}}
	}
	out := filepath.Join(t.TempDir(), "TABLE.md")
	if err := p.write(out, score{0.1, 0.2, 0.3, 0.4}, rows, time.Minute, false); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(filepath.Join(filepath.Dir(out), plotName))
	if err != nil || strings.Count(string(svg), "random weights") != 1 || !strings.Contains(string(svg), "labelled frames") {
		t.Errorf("%v, %d bytes", err, len(svg))
	}
	p.labels = true
	names := map[string]bool{}
	for _, r := range p.rows() {
		names[r.name()] = true
	}
	if len(names) != len(allMistakes) || !names["20 % of the pixels wrong"] || !names["boundaries moved by 3, a band of 3 ignored"] {
		t.Errorf("%v", names)
	}
}

// Masks are as wrong as is said: that share of the pixels, and boundaries by that
// many pixels, no further.
func TestSpoiltMasks(t *testing.T) {
	const w, h = 96, 80
	mask := make([]byte, w*h)
	for y := range h {
		for x := range w {
			if x >= 40 {
				mask[y*w+x] = 3
			}
		}
	}
	if got := (mistakes{}).spoil(mask, w, h, 1); !bytes.Equal(got, mask) {
		t.Error("a right mask was changed")
	}
	wrong := 0
	for i, c := range (mistakes{share: 0.2}).spoil(mask, w, h, 1) {
		if c != mask[i] {
			wrong++
		}
		if c >= belt.Classes {
			t.Fatalf("class %d", c)
		}
	}
	if share := float64(wrong) / w / h; math.Abs(share-0.2) > 0.02 {
		t.Errorf("%.3f of the pixels are wrong", share)
	}
	got := (mistakes{move: 2}).spoil(mask, w, h, 1)
	moved, near := 0, 0
	for i, c := range got {
		if c == mask[i] {
			continue
		}
		if moved++; i%w < 38 || i%w > 41 {
			t.Fatalf("a pixel at %d is wrong", i%w)
		}
		if i%w == 38 || i%w == 41 {
			near++
		}
	}
	if moved == 0 || near == 0 || moved == 4*h {
		t.Errorf("%d pixels moved, %d of them at the end", moved, near)
	}
}
